/* A configuration while it is being read: what its files said, and where they said it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/conf-arena.h"
#include "daemon/conf-pool.h"
#include "daemon/conf-schema.h"

struct conf_errors;
struct conf_node;
struct conf_pair;
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

/* Adds what one file says; `file` must live as long as the loader. 0, also if errors were noted;
 * -ENOMEM. */
int conf_loader_add(struct conf_loader *loader, const char *file, const char *text, size_t n_text);
/* Checks all files together. 0; -EINVAL if any error was noted; -ENOMEM. */
int conf_loader_finish(struct conf_loader *loader);

/* Prepares the keys of handles. */
void conf_handle_init(struct conf_loader *loader);
/* Reads one handle, of which nothing points to its nodes afterwards. 0, -EINVAL, -ENOMEM. */
int conf_handle_read(struct conf_loader *loader, const struct conf_pair *pair);
/* Reads `workers:` of one file, whose nodes must live as long as the loader. 0, -EINVAL, -ENOMEM.
 */
int conf_workers_read(struct conf_loader *loader, const struct conf_node *node);
/* Reads `groups:` of one file, whose nodes must live as long as the loader. 0, -EINVAL, -ENOMEM. */
int conf_groups_read(struct conf_loader *loader, const struct conf_node *node);
/* Reports groups that handles name and nobody defines. 0, -EINVAL, -ENOMEM. */
int conf_groups_check(struct conf_loader *loader);
/* Remembers that `name` stands at a node, in handle number `handle`. 0, -ENOMEM. */
int conf_references_add(struct conf_references *references, const char *name,
                        const struct conf_node *node, size_t handle);
/* Reports names that are used and not defined, and handles that send to themselves in the end.
 * 0, -EINVAL, -ENOMEM. */
int conf_references_check(struct conf_loader *loader);
int conf_cycles_check(struct conf_loader *loader);
