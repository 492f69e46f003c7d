/*
 * The main program of a fuzz target outside of a fuzzer: gives it every file of its corpus, which
 * is the directory $ROUSE_SOURCE/tests/corpus-NAME for tests/fuzz-NAME, or the files named as
 * arguments.
 */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz.h"

static int replay(const char *path) {
        FILE *file = fopen(path, "re");
        uint8_t *data = NULL;
        size_t n = 0, n_read;

        if (!file) {
                fprintf(stderr, "cannot open %s: %s\n", path, strerror(errno));
                return -1;
        }
        do {
                data = realloc(data, n + 65536);
                if (!data)
                        abort();
                n_read = fread(data + n, 1, 65536, file);
                n += n_read;
        } while (n_read > 0);
        fclose(file);
        /* Memory of exactly its size, so that reading beyond it is noticed. */
        data = realloc(data, n ?: 1);
        if (!data)
                abort();
        LLVMFuzzerTestOneInput(data, n);
        free(data);
        return 0;
}

static int replay_directory(const char *path) {
        DIR *dir = opendir(path);
        struct dirent *entry;
        char *file;
        int n = 0;

        if (!dir) {
                fprintf(stderr, "cannot open %s: %s\n", path, strerror(errno));
                return -1;
        }
        while ((entry = readdir(dir))) {
                if (entry->d_name[0] == '.')
                        continue;
                if (asprintf(&file, "%s/%s", path, entry->d_name) < 0)
                        abort();
                n += replay(file) == 0;
                free(file);
        }
        closedir(dir);
        printf("%d inputs\n", n);
        return n;
}

int main(int argc, char **argv) {
        const char *name = strrchr(argv[0], '/'), *source = getenv("ROUSE_SOURCE");
        char *corpus;
        int r = 0;

        if (argc > 1) {
                for (int i = 1; i < argc; i++)
                        r |= replay(argv[i]);
                return r ? EXIT_FAILURE : EXIT_SUCCESS;
        }
        name = strstr(name ? name : argv[0], "fuzz-");
        if (!name || asprintf(&corpus, "%s/tests/corpus-%s", source ? source : ".", name + 5) < 0)
                return EXIT_FAILURE;
        r = replay_directory(corpus);
        free(corpus);
        return r > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
