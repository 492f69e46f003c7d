/* Handles of which only some may run at once. Loop thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/list.h"

struct group;

/* Somebody who wants to run; embedded by its owner, zeroed before the first use. */
struct group_member {
        struct list link;    /* while it waits */
        struct group *group; /* counted while it waits or runs; NULL: neither */
        bool is_running;
        void (*granted)(struct group_member *member);
};

/* A reference. max: how many members may run at once, at least 1. */
int group_new(const char *name, uint32_t max, struct group **ret);
struct group *group_ref(struct group *group);
struct group *group_unref(struct group *group); /* accepts and returns NULL */
const char *group_name(const struct group *group);
/* More may run at once, or fewer from the next grant on. */
void group_set_max(struct group *group, uint32_t max);

/* Asks to run. True: it runs now. False: it waits, and granted() tells when it runs. */
bool group_enter(struct group *group, struct group_member *member);
/* `from` runs no more, and `to`, which was in no group, has its place. */
void group_pass_on(struct group_member *from, struct group_member *to);
/* It runs or waits no more; the one that has waited longest gets its place. May be repeated. */
void group_leave(struct group_member *member);
