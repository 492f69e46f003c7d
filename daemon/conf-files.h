/* The files that make up a configuration. */
#pragma once

#include <stddef.h>

struct conf_errors;

struct conf_files {
        char **paths; /* the main file, then those of conf.d in the order of their names */
        size_t n_paths;
};

#define CONF_FILES_NULL \
        { 0 }

/* Finds them; none of them is opened. 0; -EINVAL: conf.d could not be read, which was reported,
 * and files has the rest; -ENOMEM. */
int conf_files_find(struct conf_files *files, struct conf_errors *errors, const char *file);
void conf_files_deinit(struct conf_files *files);

/* Reads a whole regular file; never waits for a writer. *ret_text is not NUL-terminated; free() it.
 * 0; -ENOENT, -EINVAL: reported; -ENOMEM. */
int conf_file_read(struct conf_errors *errors, const char *path, char **ret_text,
                   size_t *ret_n_text);
