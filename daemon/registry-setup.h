/* How the daemon makes, configures and ends its registry. Loop thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct configuration;
struct handle_tools;
struct registry;

int registry_new(const struct handle_tools *tools, struct registry **ret);

struct registry_changes {
        bool wants_names; /* of added handles; the first configuration has nothing else */
        char **added, **changed, **removed; /* names, lists ended by NULL (or NULL: none); owned */
        size_t n_added, n_changed, n_removed;
        size_t n_missing; /* handles that could not be made */
};
void registry_changes_deinit(struct registry_changes *changes);

/* Makes the handles agree with the configuration: nothing pending is lost, and nothing fires. On
 * failure (-ENOMEM; -EMFILE: LIMIT_HANDLES) what could be done was done, `ret` tells of it, and the
 * same configuration may be applied once more. */
int registry_apply(struct registry *registry, struct configuration *configuration,
                   struct registry_changes *ret);

/* Nothing will be sent from outside any more. Delivers what is pending without delay, and calls
 * back from the loop when it is done and no run goes on. -ENOMEM. */
int registry_shut_down(struct registry *registry, void (*idle_cb)(void *arg), void *arg);
/* Asks all runs to end, and each that begins from now on; kill: at once. */
void registry_stop_runs(struct registry *registry, bool kill);
/* Closes all handles, which are gone when the hub is. No run goes on. Returns NULL. */
struct registry *registry_free(struct registry *registry);
