/* Reads YAML text into nodes. */
#pragma once

#include <stddef.h>

struct conf_arena;
struct conf_errors;
struct conf_node;
struct conf_pair;

/* Told of a pair of a mapping that is itself the value of `section` in the root: of each handle in
 * `handles`. 1: what was wanted of it was taken, and it is forgotten: neither the tree nor the
 * arena has it any more. 0: it is kept. -ENOMEM. */
typedef int (*conf_yaml_pair_cb)(void *arg, const struct conf_node *section,
                                 const struct conf_pair *pair);

/* Reads one document. *ret is its root, in the arena; NULL if the text holds no document. `file` is
 * the name for messages and must live as long as the nodes. `cb` may be NULL.
 *
 * 0: read; things that a configuration has no use for (anchors, tags …) may have been reported, and
 * where their value is unknown stands a CONF_INVALID node, so that the rest can be looked at.
 * -EINVAL: reported, and not readable as YAML. -ENOMEM. */
int conf_yaml_parse(struct conf_errors *errors, struct conf_arena *arena, const char *file,
                    const char *text, size_t n_text, conf_yaml_pair_cb cb, void *arg,
                    const struct conf_node **ret);
