/* How a configuration is made; for those who read it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct configuration;
struct worker_conf;

int configuration_new(struct configuration **ret);
struct worker_conf *worker_conf_free(struct worker_conf *worker);

/* Makes the index for as many handles as there are now. 0, -ENOMEM. */
int configuration_index_init(struct configuration *configuration);
/* Adds handle number i; false if its name is there already, as handle number *ret_first. */
bool configuration_index_add(struct configuration *configuration, size_t i, size_t *ret_first);
