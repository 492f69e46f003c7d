/*
 * A file that is written to while it is read may be seen half; who edits a configuration moves the
 * new file over the old one, or reloads when he is done. Only regular files are read: a FIFO has no
 * end until its writer closes it, and the daemon must not wait for that.
 */
#include "daemon/conf-files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/conf-node.h"
#include "daemon/limits.h"
#include "lib/cleanup.h"

static DIR *close_directory(DIR *directory) {
        closedir(directory);
        return NULL;
}
DEFINE_CLEANUP(DIR *, close_directory)

void conf_files_deinit(struct conf_files *files) {
        for (size_t i = 0; i < files->n_paths; i++)
                free(files->paths[i]);
        free(files->paths);
        *files = (struct conf_files)CONF_FILES_NULL;
}

static int add_path(struct conf_files *files, char *path_consume) {
        _cleanup_free_ char *path = path_consume;
        char **paths;

        if (!path)
                return -ENOMEM;
        paths = reallocarray(files->paths, files->n_paths + 1, sizeof(*paths));
        if (!paths)
                return -ENOMEM;
        files->paths = paths;
        files->paths[files->n_paths++] = steal_ptr(path);
        return 0;
}

static int report(struct conf_errors *errors, const char *path, const char *message) {
        struct conf_node whole = {.file = path};

        return conf_error(errors, &whole, "%s", message);
}

static bool is_wanted(const char *name) {
        static const char suffix[] = ".yaml";
        size_t n = strlen(name);

        return name[0] != '.' && n >= sizeof(suffix) &&
               strcmp(name + n - (sizeof(suffix) - 1), suffix) == 0;
}

static char *join(const char *directory, const char *name) {
        char *path;

        return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_directory(struct conf_files *files, struct conf_errors *errors, const char *path) {
        _cleanup_(close_directoryp) DIR *directory = opendir(path);
        size_t first = files->n_paths;
        struct dirent *entry;
        int r;

        if (!directory) {
                if (errno == ENOMEM)
                        return -ENOMEM;
                return errno == ENOENT ? 0 : report(errors, path, strerror(errno));
        }
        for (;;) {
                errno = 0;
                entry = readdir(directory);
                if (!entry)
                        break;
                if (!is_wanted(entry->d_name))
                        continue;
                if (files->n_paths - first == LIMIT_CONF_FILES)
                        return report(errors, path, "there are too many files in this directory");
                r = add_path(files, join(path, entry->d_name));
                if (r < 0)
                        return r;
        }
        if (errno != 0)
                return errno == ENOMEM ? -ENOMEM : report(errors, path, strerror(errno));
        if (files->n_paths > first)
                qsort(files->paths + first, files->n_paths - first, sizeof(*files->paths), compare);
        return 0;
}

int conf_files_find(struct conf_files *files, struct conf_errors *errors, const char *file) {
        const char *slash = strrchr(file, '/');
        _cleanup_free_ char *directory = NULL;
        int r;

        r = add_path(files, strdup(file));
        if (r < 0)
                return r;
        if (asprintf(&directory, "%.*sconf.d", slash ? (int)(slash + 1 - file) : 0, file) < 0) {
                directory = NULL;
                return -ENOMEM;
        }
        return list_directory(files, errors, directory);
}

/* Reads until the end, however long the file has become since its size was asked for. */
static int read_all(int fd, size_t n_expected, char **ret_text, size_t *ret_n_text) {
        size_t n = 0, n_room = n_expected + 1;
        _cleanup_free_ char *text = malloc(n_room);

        if (!text)
                return -ENOMEM;
        for (;;) {
                ssize_t n_read = read(fd, text + n, n_room - n);

                if (n_read < 0)
                        return -errno;
                if (n_read == 0)
                        break;
                n += (size_t)n_read;
                if (n > LIMIT_CONF_FILE_BYTES)
                        return -EFBIG;
                if (n == n_room) {
                        char *more = realloc(text, n_room * 2);

                        if (!more)
                                return -ENOMEM;
                        text = more;
                        n_room *= 2;
                }
        }
        *ret_text = steal_ptr(text);
        *ret_n_text = n;
        return 0;
}

int conf_file_read(struct conf_errors *errors, const char *path, char **ret_text,
                   size_t *ret_n_text) {
        _cleanup_close_ int fd = -1;
        struct stat st;
        int r;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0) {
                r = -errno;
                if (r == -ENOMEM || report(errors, path, strerror(-r)) == -ENOMEM)
                        return -ENOMEM;
                return r == -ENOENT ? r : -EINVAL;
        }
        if (fstat(fd, &st) < 0)
                return report(errors, path, strerror(errno));
        if (S_ISDIR(st.st_mode))
                return report(errors, path, strerror(EISDIR));
        if (!S_ISREG(st.st_mode))
                return report(errors, path, "this is not a regular file");
        if (st.st_size > (off_t)LIMIT_CONF_FILE_BYTES)
                return report(errors, path, strerror(EFBIG));
        r = read_all(fd, (size_t)st.st_size, ret_text, ret_n_text);
        if (r < 0 && r != -ENOMEM)
                return report(errors, path, strerror(-r));
        return r;
}
