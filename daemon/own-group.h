/* The group that the daemon serves where nothing else is configured. */
#pragma once

#include <sys/types.h>

#define OWN_GROUP "roused"

/* 0; -ESRCH: there is no such group; or another negative errno. May block in the user database. */
int own_group_find(gid_t *ret);
