/* inotify for all sources of a loop: one descriptor, however many paths. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "lib/list.h"

struct notifier;
struct notifier_entry;
struct notifier_user;
struct notifier_watch;

/* Somebody who has watches. Embedded by its owner. */
struct notifier_user {
        struct list link, deferred;
        struct notifier *notifier;
        bool retry;
        const struct notifier_user_ops *ops;
};

struct notifier_user_ops {
        /* Events were lost: whatever was known may be wrong. */
        void (*overflow)(struct notifier_user *user);
        /* After notifier_user_defer(): all events that were there have been told. */
        void (*settled)(struct notifier_user *user);
        /* Some time after notifier_user_retry(), which has to be repeated then. */
        void (*again)(struct notifier_user *user);
};

/* A file or a directory that is watched. Embedded by its owner; any number may be on the same. */
struct notifier_watch {
        struct list link;
        struct notifier_entry *entry;
        uint32_t mask;
        /* `events` as in inotify(7), name NULL or that of an entry. IN_IGNORED: the watch has ended
         * by itself, and was removed before. Any watch may be removed in it. */
        void (*cb)(struct notifier_watch *watch, uint32_t events, const char *name);
};

/* The first user of a loop makes the notifier, the last takes it along; it stands in the loop's
 * `data`, which nobody else uses. Negative errno of inotify_init1(2). */
int notifier_user_init(struct notifier_user *user, uv_loop_t *loop,
                       const struct notifier_user_ops *ops);
/* After its watches were removed. May be repeated, and follow a failed init. */
void notifier_user_deinit(struct notifier_user *user);
/* Tells all users of the loop what has happened until now; not within any of their callbacks. */
void notifier_user_catch_up(struct notifier_user *user);
void notifier_user_defer(struct notifier_user *user);
void notifier_user_retry(struct notifier_user *user);

/* Events come to watch->cb from the loop. `mask` as for inotify_add_watch(2), and its errors. */
int notifier_watch_add(struct notifier_watch *watch, struct notifier_user *user, const char *path,
                       uint32_t mask);
bool notifier_watch_is_on(const struct notifier_watch *watch);
void notifier_watch_remove(struct notifier_watch *watch); /* may be repeated */
