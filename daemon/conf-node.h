/* A value of a configuration file with the place it came from, and the errors found in it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum conf_node_type {
        CONF_SCALAR,
        CONF_SEQUENCE,
        CONF_MAPPING,
};

struct conf_pair;

/* Owned, like everything it points to, by the arena of the file it was read from. */
struct conf_node {
        uint8_t type;    /* enum conf_node_type */
        uint8_t quoted;  /* a scalar in quotes: never null, a boolean or a number */
        uint16_t column; /* from 1 */
        uint32_t line;   /* from 1 */
        uint32_t n;      /* bytes of text, items, or pairs */
        const char *file;
        union {
                const char *text; /* NUL-terminated, and has no other NUL */
                const struct conf_node *const *items;
                const struct conf_pair *pairs;
        };
};

struct conf_pair {
        const struct conf_node *key; /* a scalar */
        const struct conf_node *value;
};

struct conf_error {
        char *file;
        unsigned int line, column; /* 0: concerns the file as a whole */
        char *message;
};

/* All errors of a configuration, in the order found; past LIMIT_CONF_ERRORS they are only counted.
 */
struct conf_errors {
        struct conf_error *items;
        size_t n_items;
        size_t n_left_out;
};

#define CONF_ERRORS_NULL \
        { 0 }

void conf_errors_deinit(struct conf_errors *errors);

/* Notes an error at a node (NULL: at no place). Returns -EINVAL, for `return conf_error(…)`. */
int conf_error(struct conf_errors *errors, const struct conf_node *where, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* "file:line:column: message", as much of it as is known; free() it. NULL if out of memory. */
char *conf_error_format(const struct conf_error *error);
