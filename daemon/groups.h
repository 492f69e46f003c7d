/* The groups of a configuration, by name. Loop thread. */
#pragma once

#include <stddef.h>

struct group;
struct group_conf;

/* Zeroed: none. */
struct groups {
        struct group **groups; /* counted */
        size_t n;
};

void groups_deinit(struct groups *groups);

/* Those of a newer configuration. What runs or waits in a group that stays keeps its place. 0;
 * -ENOMEM: as before. */
int groups_configure(struct groups *groups, const struct group_conf *confs, size_t n);

/* A reference; NULL: there is none of this name, which may be NULL. */
struct group *groups_find(const struct groups *groups, const char *name);
