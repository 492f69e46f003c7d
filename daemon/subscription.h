/* The wakes, and runs, that a client watches. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/json-text.h"
#include "daemon/registry.h"
#include "lib/list.h"

struct core;
struct glob;
struct peer;
struct stream;

struct subscription_pattern {
        char *text;
        size_t n_text;
        struct glob *glob;
        bool runs; /* runs of the handles that it fits are told as well */
};

/* What all clients' have in common. */
struct subscription_set {
        struct core *core;
        size_t n_entries;
        uint64_t n_notifications, n_missed;
};

struct subscription {
        struct subscription_set *set;
        struct stream *stream;                /* takes the notifications */
        const struct peer *peer;              /* who is told what he may read */
        struct registry_watch registry_watch; /* for handles that are made later */
        struct subscription_pattern *patterns;
        size_t n_patterns;
        struct list entries; /* one for each handle that is watched */
        size_t n_entries;
        struct list news; /* those with something to tell, in the order in which it happened */
        bool is_full;     /* a handle came that there was no room for */
};

/* All of it is borrowed. */
void subscription_init(struct subscription *subscription, struct subscription_set *set,
                       struct stream *stream, const struct peer *peer);
void subscription_deinit(struct subscription *subscription); /* may be repeated */

/* Adds patterns, all or none; those that were there take the new `runs`. 0; -ENAMETOOLONG: one of
 * them; -E2BIG: LIMIT_SUBSCRIPTIONS; -ENOSPC: LIMIT_WATCHED_HANDLES; -EDQUOT: LIMIT_WATCHED_BY_ALL;
 * -ENOMEM. */
int subscription_add(struct subscription *subscription, const struct json_text *patterns, size_t n,
                     bool runs);
/* Drops the patterns that are among these, and what only they covered. */
void subscription_remove(struct subscription *subscription, const struct json_text *patterns,
                         size_t n);
void subscription_remove_all(struct subscription *subscription);

/* Writes notifications while the client's output has room; whether there are more. */
bool subscription_write(struct subscription *subscription);
