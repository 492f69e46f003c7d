/* How a configuration is made; for the loader. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct conf_key;
struct configuration;
struct worker_conf;

/* Keys of the top level, of every handle, of every source that has a target, and of groups: tables
 * ended by a row without a name. */
extern const struct conf_key conf_top_keys[];
extern const struct conf_key conf_handle_keys[];
extern const struct conf_key conf_source_keys[];
extern const struct conf_key conf_group_keys[];

int configuration_new(struct configuration **ret);
struct worker_conf *worker_conf_free(struct worker_conf *worker);

/* Makes the index for as many handles as there are now. 0, -ENOMEM. */
int configuration_index_init(struct configuration *configuration);
/* Adds handle number i; false if its name is there already, as handle number *ret_first. */
bool configuration_index_add(struct configuration *configuration, size_t i, size_t *ret_first);
