/* Reads `groups:`. */
#pragma once

#include "daemon/conf-schema.h"

struct conf_loader;
struct conf_node;

/* The keys of every group. */
extern const struct conf_key conf_group_keys[];

/* Reads those of one file, whose nodes must live as long as the loader. */
void conf_groups_read(struct conf_loader *loader, const struct conf_node *node);
/* Reports groups that handles name and nobody defines. */
void conf_groups_check(struct conf_loader *loader);
