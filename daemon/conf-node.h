/* A value of a configuration file with the place it came from. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "daemon/conf-error.h"

enum conf_node_type {
        CONF_SCALAR,
        CONF_SEQUENCE,
        CONF_MAPPING,
        CONF_INVALID, /* something that was reported already; as harmless as an empty scalar */
};

struct conf_pair;

/* Owned, like everything it points to, by the arena of the file it was read from. */
struct conf_node {
        uint8_t type;    /* enum conf_node_type */
        uint8_t quoted;  /* a scalar in quotes: never null, a boolean or a number */
        uint16_t column; /* from 1 */
        uint32_t line;   /* from 1; 0: the file as a whole */
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

/* Whether two texts are the same: mostly the first letters tell that they are not. */
static inline bool conf_text_is(const char *text, const char *other) {
        return *text == *other && strcmp(text, other) == 0;
}

/* A scalar that says "nothing": an empty one, `~` or `null`, not in quotes. */
bool conf_node_is_null(const struct conf_node *node);
/* The first pair of a mapping with this key, or NULL; NULL also for other nodes. */
const struct conf_pair *conf_node_find(const struct conf_node *node, const char *key);

/* What a node is, for messages that say what stands there instead of what should: "a list",
 * "a mapping", "nothing", or the text in quotes. The result is `buffer` or a constant. */
#define CONF_NODE_DESCRIBE_MAX 80
const char *conf_node_describe(const struct conf_node *node, char buffer[CONF_NODE_DESCRIBE_MAX]);
