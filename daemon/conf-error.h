/* The errors of a configuration, each with the place it concerns, and whether memory ran out.
 *
 * A wrong value does not end the reading, because all errors are to be reported. So a reader says
 * of its own value whether it could be read: 0; -EINVAL: it was reported; -ENOMEM. Whoever goes on
 * after that hands the result to conf_errors_note(); then nothing is lost if it is forgotten, or
 * becomes -EINVAL together with others. What came of the whole, conf_errors_result() says. */
#pragma once

#include <errno.h>
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
        bool no_memory; /* ran out once: something was not read, or not noted */
};

#define CONF_ERRORS_NULL \
        { 0 }

void conf_errors_deinit(struct conf_errors *errors); /* may be repeated */

/* Notes an error at a node (NULL: at no place). A node that is CONF_INVALID was reported before: it
 * is not reported again. Control characters in the message are made harmless, and long ones are cut
 * off. -EINVAL, for `return conf_error(…)`; -ENOMEM, noted as well, if the error could not be. */
int conf_error(struct conf_errors *errors, const struct conf_node *where, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

int conf_error_v(struct conf_errors *errors, const struct conf_node *where, const char *format,
                 va_list args) __attribute__((format(printf, 3, 0)));

/* Notes how something went, so that what comes after it can be read: of -ENOMEM, that it came; of
 * -EINVAL nothing, for the errors were noted where they were found. Returns the same. */
static inline int conf_errors_note(struct conf_errors *errors, int result) {
        if (result == -ENOMEM)
                errors->no_memory = true;
        return result;
}

/* What came of all that was read. 0; -EINVAL: there are errors; -ENOMEM: memory ran out, whether
 * there are errors or not. */
int conf_errors_result(const struct conf_errors *errors);

/* Whether another error would only be counted: the details need not be worked out. */
bool conf_errors_full(const struct conf_errors *errors);
/* Orders them by place: those of `first_file` first, then file by file in the order of their names,
 * in a file by line and column. Errors at one place stay in the order found. */
void conf_errors_sort(struct conf_errors *errors, const char *first_file);

/* "file:line:column: message", as much of it as is known; free() it. NULL if out of memory. */
char *conf_error_format(const struct conf_error *error);
