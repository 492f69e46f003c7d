/* Reads `workers:`. */
#pragma once

#include "daemon/conf-schema.h"

struct conf_loader;
struct conf_node;

/* The keys of every source that has a target. */
extern const struct conf_key conf_source_keys[];

/* Reads those of one file, whose nodes must live as long as the loader. 0; negative: could not go
 * on. What is wrong with one of them is only noted. */
int conf_workers_read(struct conf_loader *loader, const struct conf_node *node);
