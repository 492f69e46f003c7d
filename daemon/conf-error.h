/* The errors of a configuration, each with the place it concerns. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct conf_node;

struct conf_error {
        char *file;                /* NULL: concerns no file */
        unsigned int line, column; /* from 1; 0: concerns the file as a whole */
        char *message;
};

/* Past LIMIT_CONF_ERRORS errors are only counted. */
struct conf_errors {
        struct conf_error *items;
        size_t n_items;
        size_t n_left_out;
};

#define CONF_ERRORS_NULL \
        { 0 }

void conf_errors_deinit(struct conf_errors *errors); /* may be repeated */

/* Notes an error at a node (NULL: at no place). A node that is CONF_INVALID was reported before: it
 * is not reported again. Control characters in the message are made harmless, and long ones are cut
 * off. -EINVAL, for `return conf_error(…)`; -ENOMEM if it could not be noted. */
int conf_error(struct conf_errors *errors, const struct conf_node *where, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

int conf_error_v(struct conf_errors *errors, const struct conf_node *where, const char *format,
                 va_list args) __attribute__((format(printf, 3, 0)));

/* Whether another error would only be counted: the details need not be worked out. */
bool conf_errors_full(const struct conf_errors *errors);
/* Orders them by place: those of `first_file` first, then file by file in the order of their names,
 * in a file by line and column. Errors at one place stay in the order found. */
void conf_errors_sort(struct conf_errors *errors, const char *first_file);

/* "file:line:column: message", as much of it as is known; free() it. NULL if out of memory. */
char *conf_error_format(const struct conf_error *error);
