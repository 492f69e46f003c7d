/*
 * Applying a configuration compares it with the one in force handle by handle. Equal ones only
 * change which configuration they stand in; so the old one can be freed once its last run has
 * ended.
 *
 * What is not configured any more retires: it closes when nothing is left to do for it. A fan-out
 * among them may have to send yet to another that has nothing to do so far. So none closes while a
 * fan-out that retires is busy; and while a configuration is applied it is not known who retires,
 * so all wait until that is over.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/action.h"
#include "daemon/configuration.h"
#include "daemon/handle-private.h"
#include "daemon/log.h"
#include "daemon/registry-private.h"
#include "daemon/registry-setup.h"

/* Whether its wakes are sends to other handles. */
static bool is_fan(const struct handle *handle) {
        return handle_has_action(handle) && handle->conf->action->kind->targets;
}

static void count_retiring(struct registry *registry, const struct handle *handle, size_t n) {
        if (!handle->is_retiring)
                return;
        registry->n_retiring += n;
        if (is_fan(handle))
                registry->n_retiring_fans += n;
}

/* conf NULL: it is not configured any more. */
static void configure(struct registry *registry, struct handle *handle,
                      const struct handle_conf *conf) {
        count_retiring(registry, handle, (size_t)-1);
        handle->is_retiring = !conf;
        count_retiring(registry, handle, 1);
        handle_configure(handle, conf);
}

static void look_for_busy_fan(struct handle *handle, void *arg) {
        bool *is_there = arg;

        if (handle->is_retiring && handle_is_active(handle) && is_fan(handle) &&
            handle_is_busy(handle))
                *is_there = true;
}

static void close_if_done(struct handle *handle, void *arg) {
        (void)arg;
        /* One that is in the middle of something comes here by itself. */
        if (handle->is_retiring && handle_is_active(handle) && !handle->is_advancing &&
            !handle_is_busy(handle))
                (void)handle_close(handle);
}

/* Closes those that have nothing left to do, if it is certain that nothing will come. */
static void close_retiring(struct registry *registry) {
        bool is_expected = false;

        if (registry->n_retiring == 0)
                return;
        if (registry->n_retiring_fans > 0)
                registry_each(registry, look_for_busy_fan, &is_expected);
        if (!is_expected)
                registry_each(registry, close_if_done, NULL);
}

void registry_retire(struct registry *registry, struct handle *handle) {
        if (registry->is_applying)
                return;
        if (registry->n_retiring_fans > 0)
                close_retiring(registry);
        else
                (void)handle_close(handle);
}

void registry_retiring_closed(struct registry *registry, struct handle *handle) {
        size_t n_fans = registry->n_retiring_fans;

        count_retiring(registry, handle, (size_t)-1);
        /* The last one was closed by somebody: those that have waited for it have nobody else to
         * tell them. */
        if (n_fans > 0 && registry->n_retiring_fans == 0 && !registry->is_applying &&
            !registry->context.is_stopping)
                close_retiring(registry);
}

static int name_append(char ***names, size_t *n_names, const char *name) {
        char **grown = realloc(*names, (*n_names + 2) * sizeof(*grown));

        if (!grown)
                return -ENOMEM;
        *names = grown;
        grown[*n_names] = strdup(name);
        if (!grown[*n_names])
                return -ENOMEM;
        grown[++*n_names] = NULL;
        return 0;
}

struct apply {
        struct registry *registry;
        struct configuration *next;
        struct registry_changes *changes;
        int error;
};

/* What the next configuration says of a handle that is there. */
static void apply_to(struct handle *handle, void *arg) {
        struct apply *apply = arg;
        const char *name = handle_name(handle);
        const struct handle_conf *conf = configuration_find_handle(apply->next, name);
        struct registry_changes *changes = apply->changes;
        int r = 0;

        if (!handle_is_active(handle))
                return; /* a closed one is made anew, or forgotten, further down */
        if (!conf) {
                if (handle_is_created(handle) || handle->is_retiring)
                        return;
                r = name_append(&changes->removed, &changes->n_removed, name);
                configure(apply->registry, handle, NULL);
        } else {
                if (handle_is_created(handle) || handle->is_retiring)
                        r = name_append(&changes->added, &changes->n_added, name);
                else if (!handle_conf_equal(handle_get_conf(handle), conf))
                        r = name_append(&changes->changed, &changes->n_changed, name);
                if (handle_is_created(handle))
                        apply->registry->n_created--;
                configure(apply->registry, handle, conf);
        }
        if (r < 0)
                apply->error = r;
}

int registry_apply(struct registry *registry, struct configuration *configuration,
                   struct registry_changes *ret) {
        struct apply apply = {registry, configuration, ret, 0};
        bool is_first = registry->n_handles == 0; /* then there is nothing to look for */

        apply.error = groups_configure(&registry->context.groups, configuration->groups,
                                       configuration->n_groups);
        registry->is_applying = true;
        registry_each(registry, apply_to, &apply);
        list_for_each_safe (link, &registry->closed) {
                struct handle *handle = handle_of_closed(link);

                if (!configuration_find_handle(configuration, handle_name(handle)))
                        registry_forget_closed(registry, handle);
        }
        configuration_unref(registry->configuration);
        registry->configuration = configuration_ref(configuration);
        for (size_t i = 0; i < configuration->n_handles; i++) {
                const struct handle_conf *conf = &configuration->handles[i];
                struct handle *handle;
                int r;

                if (!is_first && handle_find(&registry->context.tools, conf->name))
                        continue;
                r = registry_add(registry, conf->name, conf, &handle);
                if (r < 0 && ret->n_missing++ == 0) /* the others are counted */
                        log_error("%s: cannot make the handle: %s", conf->name, strerror(-r));
                if (r == 0 && ret->wants_names)
                        r = name_append(&ret->added, &ret->n_added, conf->name);
                if (r < 0)
                        apply.error = r;
        }
        registry->is_applying = false;
        close_retiring(registry);
        return apply.error;
}

void registry_changes_deinit(struct registry_changes *changes) {
        char **lists[] = {changes->added, changes->changed, changes->removed};

        for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
                for (char **name = lists[i]; name && *name; name++)
                        free(*name);
                free(lists[i]);
        }
        *changes = (struct registry_changes){0};
}
