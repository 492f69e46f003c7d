/* Names of handles that stand where a handle is meant. */
#pragma once

#include <stddef.h>

struct conf_loader;
struct conf_node;
struct conf_references;

/* Remembers that `name` stands at a node, in handle number `handle`. 0, -ENOMEM. */
int conf_references_add(struct conf_references *references, const char *name,
                        const struct conf_node *node, size_t handle);
/* Reports names that are used and not defined. */
void conf_references_check(struct conf_loader *loader);
/* Reports handles that send to themselves in the end. 0, also then; -ENOMEM. */
int conf_cycles_check(struct conf_loader *loader);
