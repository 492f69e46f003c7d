/*
 * Those that are called may add and remove watches and close the handle. So all are set aside
 * first, and each is put back before its call; one that is added meanwhile hears of the next event.
 * If the handle was closed meanwhile, all that were put back are told that, too.
 */

#include "daemon/handle-private.h"
#include "daemon/handle.h"
#include "lib/list.h"

enum event_kind {
        EVENT_WAKE,
        EVENT_RUN_STARTED,
        EVENT_RUN_ENDED,
        EVENT_ACTION_GONE,
};

struct event {
        enum event_kind kind;
        uint64_t seq, n_sends;
        const struct run_result *result;
};

static void tell_one(struct handle_watch *watch, const struct event *event) {
        const struct handle_watch_ops *ops = watch->ops;

        switch (event->kind) {
        case EVENT_WAKE:
                if (ops->wake)
                        ops->wake(watch, event->seq, event->n_sends);
                break;
        case EVENT_RUN_STARTED:
                if (ops->run_started)
                        ops->run_started(watch, event->seq, event->n_sends);
                break;
        case EVENT_RUN_ENDED:
                if (ops->run_ended)
                        ops->run_ended(watch, event->result);
                break;
        case EVENT_ACTION_GONE:
                if (ops->action_gone)
                        ops->action_gone(watch);
                break;
        }
}

static void tell_all(struct handle *handle, const struct event *event) {
        struct list told = LIST_INIT(told);

        if (list_is_empty(&handle->watches))
                return;
        list_splice(&told, &handle->watches);
        while (!list_is_empty(&told)) {
                struct handle_watch *watch =
                        container_of(list_first(&told), struct handle_watch, link);

                list_remove(&watch->link);
                list_append(&handle->watches, &watch->link);
                tell_one(watch, event);
        }
        if (!handle_is_active(handle))
                handle_tell_closed(handle);
}

void handle_tell_wake(struct handle *handle, uint64_t seq, uint64_t n_sends) {
        tell_all(handle, &(struct event){.kind = EVENT_WAKE, .seq = seq, .n_sends = n_sends});
}

void handle_tell_run_started(struct handle *handle, uint64_t seq, uint64_t n_sends) {
        tell_all(handle,
                 &(struct event){.kind = EVENT_RUN_STARTED, .seq = seq, .n_sends = n_sends});
}

void handle_tell_run_ended(struct handle *handle, const struct run_result *result) {
        tell_all(handle, &(struct event){.kind = EVENT_RUN_ENDED, .result = result});
}

void handle_tell_action_gone(struct handle *handle) {
        tell_all(handle, &(struct event){.kind = EVENT_ACTION_GONE});
}

void handle_tell_closed(struct handle *handle) {
        while (!list_is_empty(&handle->watches)) {
                struct handle_watch *watch =
                        container_of(list_first(&handle->watches), struct handle_watch, link);

                list_remove(&watch->link);
                if (watch->ops->closed)
                        watch->ops->closed(watch);
        }
}

void handle_watch_add(struct handle *handle, struct handle_watch *watch,
                      const struct handle_watch_ops *ops) {
        watch->handle = handle;
        watch->ops = ops;
        list_init(&watch->link);
        list_append(&handle->watches, &watch->link);
}

void handle_watch_remove(struct handle_watch *watch) {
        list_remove(&watch->link);
}
