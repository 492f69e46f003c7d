/* All handles of the daemon by name. Loop thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/list.h"
#include "lib/names.h"
#include "lib/rouse.h"

struct configuration;
struct handle;
struct handle_stats;
struct registry;

/* The handle of this name, also a closed one that is still shown (handle_is_active() tells); or
 * NULL. */
struct handle *registry_find(struct registry *registry, const char *name);
/* The same, to send to it: NULL also for a handle that is not configured any more, and stays only
 * until it has delivered what was sent before. */
struct handle *registry_find_target(struct registry *registry, const char *name);
/* At most NAMES_AT_ONCE targets, faster than one by one. */
void registry_find_many(struct registry *registry, const struct rouse__text *names, size_t n,
                        struct handle **ret);
size_t registry_n_handles(const struct registry *registry);

/* In order of creation, closed ones last. The callback may close any handle. */
typedef void (*registry_each_cb)(struct handle *handle, void *arg);
void registry_each(struct registry *registry, registry_each_cb cb, void *arg);

/* Makes a handle without an action. -EEXIST, -EINVAL: name; -EMFILE: LIMIT_CREATED_HANDLES;
 * -ENOMEM. */
int registry_create(struct registry *registry, const char *name, bool started, struct handle **ret);

/* Told of each handle that is made, so that patterns can be matched against it. */
struct registry_watch {
        struct list link;
        void (*added)(struct registry_watch *watch, struct handle *handle);
};
void registry_watch_add(struct registry *registry, struct registry_watch *watch);
void registry_watch_remove(struct registry_watch *watch); /* may be repeated */

/* The sums of all handles, those that are gone included. */
void registry_get_stats(const struct registry *registry, struct handle_stats *ret);
