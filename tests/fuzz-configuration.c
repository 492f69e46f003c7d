/*
 * Any bytes are a configuration or have errors; nothing else may happen.
 *
 * With clang's -fsanitize=fuzzer and -DFUZZING this is a fuzz target. Without, main() replays
 *  the files that are named on the command line, or the corpus in tests/conf.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf-error.h"
#include "daemon/configuration.h"
#include "daemon/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_data);

/* Stays with NDEBUG. */
static void require(bool condition, const char *what) {
        if (condition)
                return;
        fprintf(stderr, "%s\n", what);
        abort();
}

static void look_at_errors(const struct conf_errors *errors) {
        for (size_t i = 0; i < errors->n_items; i++) {
                char *line = conf_error_format(&errors->items[i]);

                require(line && *line, "an error has no text");
                require(errors->items[i].line > 0, "an error has no place");
                for (const char *c = line; *c; c++)
                        require((unsigned char)*c >= 0x20 && *c != 0x7f,
                                "an error has a control character");
                free(line);
        }
}

static void look_at(const struct configuration *configuration) {
        for (size_t i = 0; i < configuration->n_handles; i++) {
                const struct handle_conf *handle = &configuration->handles[i];

                require(configuration_find_handle(configuration, handle->name) == handle,
                        "a handle is not found");
                require(handle_conf_equal(handle, handle), "a handle is not equal to itself");
        }
        for (size_t i = 0; i < configuration->n_workers; i++) {
                const struct worker_conf *worker = configuration->workers[i];

                require(configuration_find_worker(configuration, worker->name) == worker,
                        "a worker is not found");
                for (size_t k = 0; k < worker->n_sources; k++)
                        require(source_conf_equal(worker->sources[k], worker->sources[k]),
                                "a source is not equal to itself");
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_data) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct configuration *configuration = NULL;
        int r;

        r = configuration_parse("fuzz", (const char *)data, n_data, &errors, &configuration);
        require(r == 0 || r == -EINVAL, "an unexpected result");
        require((r == 0) == (configuration != NULL), "an output beside an error");
        require((r == 0) == (errors.n_items == 0), "the errors do not fit the result");
        look_at_errors(&errors);
        if (configuration)
                look_at(configuration);
        configuration_unref(configuration);
        conf_errors_deinit(&errors);
        return 0;
}

#ifndef FUZZING

static bool replay_file(const char *path) {
        uint8_t *data = NULL;
        size_t n_data = 0, n_read;
        FILE *file = fopen(path, "re");

        if (!file)
                return false;
        do {
                data = realloc(data, n_data + 65536);
                require(data, "no memory");
                n_read = fread(data + n_data, 1, 65536, file);
                n_data += n_read;
        } while (n_read > 0);
        fclose(file);
        LLVMFuzzerTestOneInput(data, n_data);
        free(data);
        return true;
}

static unsigned int replay_directory(const char *path) {
        DIR *directory = opendir(path);
        unsigned int n_files = 0;
        struct dirent *entry;

        require(directory, "a directory of the corpus is missing");
        while ((entry = readdir(directory))) {
                char *name;

                if (entry->d_name[0] == '.')
                        continue;
                require(asprintf(&name, "%s/%s", path, entry->d_name) > 0, "no memory");
                n_files += replay_file(name);
                free(name);
        }
        closedir(directory);
        return n_files;
}

int main(int argc, char **argv) {
        const char *source = getenv("ROUSE_SOURCE") ?: ".";
        unsigned int n_files = 0;
        char *corpus;

        require(asprintf(&corpus, "%s/tests/conf", source) > 0, "no memory");
        for (int i = 1; i < argc; i++)
                n_files += replay_file(argv[i]);
        if (argc < 2)
                n_files = replay_directory(corpus);
        free(corpus);
        printf("%u files replayed\n", n_files);
        return n_files > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
