/* A configuration while it is being read: what its files said, and where they said it. The readers
 * of the sections fill it; configuration-load.c calls them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/conf-arena.h"
#include "daemon/conf-pool.h"
#include "daemon/conf-schema.h"

struct conf_errors;
struct conf_node;
struct configuration;

#define CONF_HANDLE_KINDS_MAX 64 /* rows that kinds of actions add to a handle's keys */

/* Where something stands. Nodes of handles are forgotten once they were read; their places are not.
 */
struct conf_place {
        const char *file;
        uint32_t line;
        uint16_t column;
};

/* A name that has to be one of a handle. */
struct conf_reference {
        const char *name; /* the text of a node that is kept, or of an action */
        struct conf_place place;
        uint32_t handle; /* that has the action */
};

struct conf_references {
        struct conf_reference *items;
        size_t n_items, n_allocated;
};

/* Where things were read; the indices are those of the configuration's handles and workers. */
struct conf_loader {
        struct conf_errors *errors;
        struct configuration *configuration;
        struct conf_arena nodes;
        struct conf_pool pool;
        struct conf_key handle_keys[CONF_HANDLE_KINDS_MAX + 1]; /* made by conf_handle_init() */

        struct conf_place *handles;       /* of their names */
        const struct conf_node **workers; /* their names */
        const struct conf_node **groups;  /* their names */
        const struct conf_node *access;   /* the first of all files; or NULL */
        size_t n_handles_allocated;
        size_t n_sources;                  /* with those that have errors */
        struct conf_references of_handles; /* by handle */
        struct conf_references of_sources;
        struct conf_references of_groups; /* by handle */
        bool incomplete; /* a file is missing from the picture: do not look for what is missing */
};

/* Begins to fill an empty configuration, which must outlive the loader. */
void conf_loader_init(struct conf_loader *loader, struct configuration *configuration,
                      struct conf_errors *errors);
void conf_loader_deinit(struct conf_loader *loader);

struct conf_place conf_place_of(const struct conf_node *node);
/* Notes an error at a place; as conf_error(). */
int conf_error_at(struct conf_errors *errors, const struct conf_place *place, const char *format,
                  ...) __attribute__((format(printf, 3, 4)));
