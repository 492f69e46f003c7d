/* A configuration while it is being read: what its files said, and where they said it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/conf-arena.h"
#include "daemon/conf-schema.h"

struct conf_errors;
struct conf_node;
struct configuration;

#define CONF_HANDLE_KINDS_MAX 64 /* rows that kinds of actions add to a handle's keys */

/* Where things were read; the indices are those of the configuration's handles and workers. */
struct conf_loader {
        struct conf_errors *errors;
        struct configuration *configuration;
        struct conf_arena nodes;
        struct conf_key handle_keys[CONF_HANDLE_KINDS_MAX + 1]; /* made by conf_handle_init() */

        const struct conf_node **handles; /* their names */
        const struct conf_node **workers;
        const struct conf_node *access; /* the first of all files; or NULL */
        size_t n_handles_allocated;
        const struct conf_node **targets; /* names that sources send to */
        size_t n_targets, n_targets_allocated;
        bool incomplete; /* a file is missing from the picture: do not look for what is missing */
};

/* Begins to fill an empty configuration, which must outlive the loader. */
void conf_loader_init(struct conf_loader *loader, struct configuration *configuration,
                      struct conf_errors *errors);
void conf_loader_deinit(struct conf_loader *loader);

/* Adds what one file says; `file` must live as long as the loader. 0, also if errors were noted;
 * -ENOMEM. */
int conf_loader_add(struct conf_loader *loader, const char *file, const char *text, size_t n_text);
/* Checks all files together. 0; -EINVAL if any error was noted; -ENOMEM. */
int conf_loader_finish(struct conf_loader *loader);

/* Prepares the keys of handles. */
void conf_handle_init(struct conf_loader *loader);
/* Reads `handles:` and `workers:` of one file. 0, -EINVAL, -ENOMEM. */
int conf_handles_read(struct conf_loader *loader, const struct conf_node *node);
int conf_workers_read(struct conf_loader *loader, const struct conf_node *node);
/* Reports names that are used and not defined, and handles that send to themselves in the end.
 * 0, -EINVAL, -ENOMEM. */
int conf_references_check(struct conf_loader *loader);
int conf_cycles_check(struct conf_loader *loader);
