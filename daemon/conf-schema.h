/* Reads mappings by tables of keys: what is legal, where it goes, how it is read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/conf-value.h"

struct conf_errors;
struct conf_node;

/* Writes the value of a node to a field; 0, or -EINVAL after conf_error(), or -ENOMEM. */
typedef int (*conf_parse_fn)(struct conf_errors *errors, const struct conf_node *node, void *field);

struct conf_key {
        const char *name;
        conf_parse_fn parse;
        size_t offset; /* of the field in the target */
        bool required;
};

/* Reads the mapping `node` into `target`. Reports unknown keys (with the nearest right one),
 * repeated and missing ones, and every wrong value. `tables` is a list of n_tables tables, each
 * ended by a row without a name, so that kinds can add their own keys to common ones; `targets` has
 * the struct that each table's offsets are meant for. A null node is an empty mapping. 0; negative:
 * something was reported, or memory ran out, which both are noted in `errors`.
 */
int conf_map(struct conf_errors *errors, const struct conf_node *node,
             const struct conf_key *const *tables, void *const *targets, size_t n_tables);
