/* Reads YAML text into nodes. */
#pragma once

#include <stddef.h>

struct conf_arena;
struct conf_errors;
struct conf_node;

/* Reads one document. *ret is its root, in the arena; NULL if the text holds no document. `file` is
 * the name for messages and must live as long as the nodes.
 *
 * 0: read; things that a configuration has no use for (anchors, tags …) may have been reported, and
 * where their value is unknown stands a CONF_INVALID node, so that the rest can be looked at.
 * -EINVAL: reported, and not readable as YAML. -ENOMEM. */
int conf_yaml_parse(struct conf_errors *errors, struct conf_arena *arena, const char *file,
                    const char *text, size_t n_text, const struct conf_node **ret);
