/*
 * The hub is the index: each handle is the data of a named async, so a name is looked up there.
 * What is closed but still shown stands in a list and an index of its own, bounded by
 * LIMIT_CLOSED_HANDLES: the index has the very names that the hub's had before.
 */

#include "daemon/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/configuration.h"
#include "daemon/handle-private.h"
#include "daemon/limits.h"
#include "daemon/log.h"
#include "daemon/registry-private.h"
#include "daemon/registry-setup.h"
#include "lib/hub.h"

static struct handle *find_closed(struct registry *registry, struct rouse__text text) {
        struct rouse__name *name;

        if (registry->closed_names.n_names == 0)
                return NULL;
        name = rouse__names_find(&registry->closed_names, text,
                                 rouse__names_hash(&registry->context.tools.hub->names, text));
        return name ? handle_of_name(name) : NULL;
}

void registry_forget_closed(struct registry *registry, struct handle *handle) {
        rouse__names_remove(&registry->closed_names, rouse__async_get_name(handle_async(handle)));
        list_remove(&handle_own_life(handle)->link);
        handle_discard(handle);
}

struct handle *registry_find(struct registry *registry, const char *name) {
        return handle_find(&registry->context.tools, name)
                       ?: find_closed(registry, rouse__text(name));
}

struct handle *registry_find_target(struct registry *registry, const char *name) {
        struct handle *handle = registry_find(registry, name);

        return handle && !handle->is_retiring ? handle : NULL;
}

void registry_find_many(struct registry *registry, const struct rouse__text *names, size_t n,
                        struct handle **ret) {
        struct rouse__name *found[NAMES_AT_ONCE];

        rouse__names_find_many(&registry->context.tools.hub->names, names, n, found);
        for (size_t i = 0; i < n; i++)
                ret[i] = found[i] ? handle_of_name(found[i]) : find_closed(registry, names[i]);
        /* Mostly there is none, and no handle has to be looked at. */
        for (size_t i = 0; registry->n_retiring > 0 && i < n; i++)
                if (ret[i] && ret[i]->is_retiring)
                        ret[i] = NULL;
}

size_t registry_n_handles(const struct registry *registry) {
        return registry->n_handles;
}

struct each {
        registry_each_cb cb;
        void *arg;
};

static void each_async(rouse_async_t *async, void *arg) {
        struct each *each = arg;

        if (rouse_async_name(async)) /* those without are the daemon's own */
                each->cb(rouse_async_data(async), each->arg);
}

void registry_each(struct registry *registry, registry_each_cb cb, void *arg) {
        struct each each = {cb, arg};
        struct list closed = LIST_INIT(closed);

        list_splice(&closed, &registry->closed);
        rouse_hub_each(registry->context.tools.hub, each_async, &each);
        list_for_each_safe (link, &closed)
                cb(handle_of_closed(link), arg);
        list_splice(&closed, &registry->closed);
        list_splice(&registry->closed, &closed);
}

int registry_add(struct registry *registry, const char *name, const struct handle_conf *conf,
                 struct handle **ret) {
        struct handle *handle, *closed;
        int r;

        if (registry->n_handles >= LIMIT_HANDLES)
                return -EMFILE;
        closed = find_closed(registry, rouse__text(name));
        r = handle_new(&registry->context, name, conf,
                       runs_find_left(&registry->context.runs, name), &handle);
        if (r < 0)
                return r;
        if (closed)
                registry_forget_closed(registry, closed);
        registry->n_handles++;
        list_for_each_safe (link, &registry->watches) {
                struct registry_watch *watch = container_of(link, struct registry_watch, link);

                watch->added(watch, handle);
        }
        *ret = handle;
        return 0;
}

int registry_create(struct registry *registry, const char *name, bool started,
                    struct handle **ret) {
        struct handle *handle;
        int r;

        if (registry->n_created >= LIMIT_CREATED_HANDLES)
                return -EMFILE;
        r = registry_add(registry, name, NULL, &handle);
        if (r < 0)
                return r;
        registry->n_created++;
        if (started)
                (void)handle_start(handle);
        *ret = handle;
        return 0;
}

static void on_closed(struct handle_context *context, struct handle *handle) {
        struct registry *registry = container_of(context, struct registry, context);
        struct handle_stats stats;

        handle_get_stats(handle, &stats);
        registry->gone.sends += stats.sends;
        registry->gone.wakes += stats.wakes;
        registry->gone.coalesced += stats.coalesced;
        registry->gone.runs += stats.runs;
        registry->gone.runs_failed += stats.runs_failed;
        registry->n_handles--;
        if (handle_is_created(handle))
                registry->n_created--;
        registry_retiring_closed(registry, handle);
        if (handle_is_created(handle) || handle->is_retiring || registry->context.is_stopping ||
            !handle_live(handle) || rouse__names_reserve(&registry->closed_names) < 0) {
                handle_discard(handle);
                return;
        }
        list_append(&registry->closed, &handle_own_life(handle)->link);
        rouse__names_add(&registry->closed_names, rouse__async_get_name(handle_async(handle)));
        if (registry->closed_names.n_names > LIMIT_CLOSED_HANDLES)
                registry_forget_closed(registry, handle_of_closed(list_first(&registry->closed)));
}

static void add_stats(struct handle *handle, void *arg) {
        struct handle_stats *sum = arg, stats;

        if (!handle_is_active(handle))
                return; /* counted among those that are gone */
        handle_get_stats(handle, &stats);
        sum->sends += stats.sends;
        sum->wakes += stats.wakes;
        sum->coalesced += stats.coalesced;
        sum->runs += stats.runs;
        sum->runs_failed += stats.runs_failed;
}

void registry_get_stats(const struct registry *registry, struct handle_stats *ret) {
        *ret = registry->gone;
        registry_each((struct registry *)registry, add_stats, ret);
        ret->wake_latency = registry->context.wake_latency;
        ret->run_duration = registry->context.run_duration;
}

void registry_watch_add(struct registry *registry, struct registry_watch *watch) {
        list_init(&watch->link);
        list_append(&registry->watches, &watch->link);
}

void registry_watch_remove(struct registry_watch *watch) {
        list_remove(&watch->link);
}

/* While stopping: says so when nothing is left to do. */
static void check_idle(struct registry *registry) {
        void (*cb)(void *arg) = registry->idle_cb;

        if (!cb || !registry->is_settled || registry->context.runs.n)
                return;
        registry->idle_cb = NULL;
        cb(registry->idle_arg);
}

static void on_run_ended(struct handle_context *context) {
        check_idle(container_of(context, struct registry, context));
}

static void on_retired(struct handle_context *context, struct handle *handle) {
        registry_retire(container_of(context, struct registry, context), handle);
}

static const struct handle_owner_ops owner_ops = {
        .closed = on_closed,
        .retired = on_retired,
        .run_ended = on_run_ended,
};

int registry_new(const struct handle_tools *tools, struct registry **ret) {
        struct registry *registry = calloc(1, sizeof(*registry));

        if (!registry)
                return -ENOMEM;
        handle_context_init(&registry->context, tools, &owner_ops);
        list_init(&registry->closed);
        rouse__names_init(&registry->closed_names);
        list_init(&registry->watches);
        rouse__hub_give_room(tools->hub, HANDLE_ROOM, &registry->context);
        *ret = registry;
        return 0;
}

static void flush(struct handle *handle, void *arg) {
        (void)arg;
        handle_flush(handle);
}

static void report_loss(struct handle *handle, void *arg) {
        (void)arg;
        if (handle_pending(handle))
                log_warning(
                        "%s: stops with %llu sends that were not delivered, because it is paused",
                        handle_name(handle), (unsigned long long)handle_pending(handle));
}

/* The first sent is the first woken: when the mark comes back, all sends before it have become
 * wakes. Wakes may have sent on, so it goes round until there were none. */
static void on_mark(rouse_async_t *mark, uint64_t n_sends) {
        struct registry *registry = rouse_async_data(mark);

        (void)n_sends;
        if (registry->context.n_wakes != registry->n_wakes_at_mark) {
                registry->n_wakes_at_mark = registry->context.n_wakes;
                (void)rouse_async_send(mark);
                return;
        }
        rouse_async_close_noerr(mark);
        rouse_async_release(mark);
        registry->is_settled = true;
        registry_each(registry, report_loss, NULL);
        check_idle(registry);
}

int registry_shut_down(struct registry *registry, void (*idle_cb)(void *arg), void *arg) {
        rouse_async_t *mark;
        int r;

        r = rouse_async_create(registry->context.tools.hub, NULL, on_mark, registry, &mark);
        if (r < 0)
                return r;
        registry->context.is_stopping = true;
        registry->idle_cb = idle_cb;
        registry->idle_arg = arg;
        registry_each(registry, flush, NULL);
        registry->n_wakes_at_mark = registry->context.n_wakes;
        (void)rouse_async_send(mark);
        return 0;
}

void registry_stop_runs(struct registry *registry, bool kill) {
        runs_stop(&registry->context.runs, kill);
}

static void discard(struct handle *handle, void *arg) {
        struct registry *registry = arg;

        if (handle_is_active(handle))
                handle_discard(handle);
        else
                registry_forget_closed(registry, handle);
}

struct registry *registry_free(struct registry *registry) {
        if (!registry)
                return NULL;
        registry->context.is_stopping = true;
        registry_each(registry, discard, registry);
        rouse__names_deinit(&registry->closed_names);
        configuration_unref(registry->configuration);
        handle_context_deinit(&registry->context);
        free(registry);
        return NULL;
}
