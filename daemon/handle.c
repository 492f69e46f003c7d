/*
 * The way of a send: rouse_async_send() by anybody -> the hub calls on_async() with the number of
 * sends -> the gate takes them and says when they become a wake -> wake() gives it a number, tells
 * the watches and hands it to the runner -> the runner says when a run starts -> the action's kind
 * carries it out
 * -> handle_run_ended().
 *
 * Gate and runner are pure; this file gives them the time and does what they say. Everything that
 * can change the answer ends in advance(), which wakes if it is due and sets the deadline for the
 * rest.
 *
 * Invariants:
 * - gate.n_sends, the async's pending sends and n_sends_to_run together are all sends that no run
 * covers.
 * - `seq` grows by one a wake, and the file of numbers has it before anybody is told.
 * - A timer never wakes while the async has sends that the gate has not seen: they come in the same
 *   turn of the loop, so that the wake's count is exact and their tickets are right.
 * - The handle's memory goes when the async is closed and no run goes on, whichever is later.
 */

#include "daemon/handle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/action.h"
#include "daemon/configuration.h"
#include "daemon/handle-private.h"
#include "daemon/histogram.h"
#include "daemon/log.h"
#include "daemon/policy.h"
#include "daemon/registry-private.h"
#include "daemon/run.h"
#include "lib/cleanup.h"
#include "lib/clock.h"

/* Before a run is tried again that could not be started for want of processes, memory or
 * descriptors. */
#define DEFER_NS NS_PER_S

static void on_deadline(struct deadline *deadline, uint64_t now_ns);
static void free_if_done(struct handle *handle);

const struct policy_conf *handle_policy(const struct handle *handle) {
        bool unlimited = handle->is_retiring || handle->registry->is_stopping;

        return !unlimited && handle->conf && handle->conf->policy ? handle->conf->policy
                                                                  : &policy_none;
}

static struct handle_past *past_of(struct handle *handle) {
        if (!handle->past)
                handle->past = calloc(1, sizeof(*handle->past));
        return handle->past;
}

static void record(struct histogram **histogram, uint64_t value) {
        if (*histogram || histogram_new(histogram) == 0)
                histogram_add(*histogram, value);
}

static void tell_closed(struct handle *handle) {
        while (!list_is_empty(&handle->watches)) {
                struct handle_watch *watch =
                        container_of(list_first(&handle->watches), struct handle_watch, link);

                list_remove(&watch->link);
                if (watch->ops->closed)
                        watch->ops->closed(watch);
        }
}

/* Those that are called may add and remove watches and close the handle: all are set aside first,
 * and each is put back before its call. */
#define TELL(handle, call, ...)                                                              \
        do {                                                                                 \
                struct list _told = LIST_INIT(_told);                                        \
                list_splice(&_told, &(handle)->watches);                                     \
                while (!list_is_empty(&_told)) {                                             \
                        struct handle_watch *_watch =                                        \
                                container_of(list_first(&_told), struct handle_watch, link); \
                        list_remove(&_watch->link);                                          \
                        list_append(&(handle)->watches, &_watch->link);                      \
                        if (_watch->ops->call)                                               \
                                _watch->ops->call(_watch, __VA_ARGS__);                      \
                }                                                                            \
                if (!handle_is_active(handle))                                               \
                        tell_closed(handle);                                                 \
        } while (0)

static bool is_transient(int error) {
        return error == -EAGAIN || error == -ENOMEM || error == -EMFILE || error == -ENFILE;
}

/* Starts the run that the runner asked for. */
static void start_run(struct handle *handle) {
        const struct action_conf *action = handle->conf->action;
        uint64_t now_ns = deadline_now(handle->registry->deadlines);
        struct run *run = NULL;
        int r;

        r = run_new(handle, handle->configuration, action, handle->seq, handle->n_sends_to_run,
                    &run);
        if (r < 0) {
                runner_deferred(&handle->runner, now_ns + DEFER_NS);
                return;
        }
        handle->run = run;
        registry_run_started(handle->registry);
        runner_started(&handle->runner);
        handle->n_sends_to_run = 0;
        TELL(handle, run_started, run->result.seq, run->result.n_sends);
        r = action->kind->start(run, action);
        if (r == 0)
                return; /* and it may have ended already */
        if (is_transient(r) && !handle->registry->is_stopping) {
                log_warning("%s: cannot start the action: %s; trying again", handle_name(handle),
                            strerror(-r));
                handle->n_sends_to_run += run->result.n_sends;
                handle->run = run_free(run);
                registry_run_ended(handle->registry);
                runner_deferred(&handle->runner, now_ns + DEFER_NS);
                return;
        }
        run_finish(run, RUN_FAILED, r, false);
}

static void take_step(struct handle *handle, enum runner_step step) {
        switch (step) {
        case RUNNER_NOTHING:
                break;
        case RUNNER_START:
                start_run(handle);
                break;
        case RUNNER_STOP:
                handle_stop_run(handle, false);
                break;
        case RUNNER_SIGNAL:
                break; /* no policy asks for it yet */
        }
}

static void wake(struct handle *handle, uint64_t now_ns) {
        uint64_t latency_ns = now_ns - handle->gate.first_ns;
        uint64_t n_sends = gate_wake(&handle->gate, now_ns);
        uint64_t seq = ++handle->seq;
        struct handle_past *past = past_of(handle);

        handle->registry->n_wakes++;
        seqfile_note(handle->registry->seqfile, handle->entry, seq);
        if (past) {
                past->n_wakes++;
                record(&past->wake_latency, latency_ns);
        }
        record(&handle->registry->wake_latency, latency_ns);
        handle->n_sends_to_run += n_sends;
        TELL(handle, wake, seq, n_sends);
        if (handle_has_action(handle))
                take_step(handle, runner_wake(&handle->runner, &handle_policy(handle)->runner));
        else
                handle->n_sends_to_run = 0;
}

static void advance(struct handle *handle, uint64_t now_ns) {
        uint64_t gate_ns, runner_ns;

        if (!handle_is_active(handle) || handle->is_advancing)
                return;
        handle->is_advancing = true; /* a watch may do to the handle whatever it likes */
        if (gate_due_ns(&handle->gate, &handle_policy(handle)->gate) <= now_ns &&
            handle_n_unseen(handle) == 0)
                wake(handle, now_ns);
        if (handle_has_action(handle))
                take_step(handle, runner_tick(&handle->runner, now_ns));
        handle->is_advancing = false;
        if (!handle_is_active(handle))
                return;
        gate_ns = gate_due_ns(&handle->gate, &handle_policy(handle)->gate);
        runner_ns = runner_due_ns(&handle->runner);
        if (deadline_set(handle->registry->deadlines, &handle->deadline,
                         gate_ns < runner_ns ? gate_ns : runner_ns, on_deadline) < 0)
                log_error("%s: out of memory for a timer; its next send will try again",
                          handle_name(handle));
        if (handle->is_retiring && !handle_is_busy(handle))
                handle_close(handle);
}

static void on_deadline(struct deadline *deadline, uint64_t now_ns) {
        advance(container_of(deadline, struct handle, deadline), now_ns);
}

/* A wake of the library: the gate learns of sends. */
static void on_async(rouse_async_t *async, uint64_t n_sends) {
        struct handle *handle = rouse_async_data(async);
        uint64_t now_ns = deadline_now(handle->registry->deadlines);
        bool is_first = handle->gate.n_sends == 0;
        rouse_async_stats_t stats;

        gate_send(&handle->gate, &handle_policy(handle)->gate, now_ns, n_sends, (uint64_t)random());
        rouse_async_stats(async, &stats);
        if (is_first && stats.latency_ns < now_ns)
                handle->gate.first_ns =
                        now_ns - stats.latency_ns; /* when it was sent, not when seen */
        advance(handle, now_ns);
}

void handle_run_ended(struct handle *handle, struct run *run) {
        struct registry *registry = handle->registry;
        struct run_result result = run->result;
        struct handle_past *past = past_of(handle);
        enum runner_step step;

        handle->run = run_free(run);
        if (handle->run_seq < result.seq)
                handle->run_seq = result.seq;
        if (past) {
                past->last_run = result;
                past->has_run = true;
                past->n_runs++;
                past->n_runs_failed += !result.success;
                record(&past->run_duration, result.ended_ns - result.started_ns);
        }
        record(&registry->run_duration, result.ended_ns - result.started_ns);
        TELL(handle, run_ended, &result);
        step = runner_ended(&handle->runner, &handle_policy(handle)->runner, result.success,
                            result.ended_ns);
        if (handle->runner.state == RUNNER_BACKING_OFF)
                handle->n_sends_to_run += result.n_sends; /* the next attempt is for them, too */
        if (handle_is_active(handle) && handle_has_action(handle))
                take_step(handle, step);
        if (handle_is_active(handle))
                advance(handle, result.ended_ns);
        else
                free_if_done(handle);
        registry_run_ended(registry);
}

int handle_new(struct registry *registry, const char *name, const struct handle_conf *conf,
               struct configuration *configuration, struct handle **ret) {
        struct handle *handle = calloc(1, sizeof(*handle));
        int r;

        if (!handle)
                return -ENOMEM;
        *handle = (struct handle){
                .registry = registry,
                .conf = conf,
                .configuration = conf ? configuration_ref(configuration) : NULL,
                .gate = GATE_INIT,
                .runner = RUNNER_INIT,
        };
        list_init(&handle->watches);
        list_init(&handle->link);
        r = rouse_async_create(registry->hub, name, on_async, handle, &handle->async);
        if (r < 0) {
                configuration_unref(handle->configuration);
                free(handle);
                return r;
        }
        handle->seq = handle->run_seq = seqfile_enter(registry->seqfile, name, &handle->entry);
        if (conf && conf->started)
                rouse_async_ref(handle->async);
        *ret = handle;
        return 0;
}

/* The memory goes when nobody shows the handle any more, no callback of it can come, and no run
 * goes on. */
static void free_if_done(struct handle *handle) {
        if (!handle->is_discarded || !handle->is_quiet || handle->run)
                return;
        rouse_async_release(handle->async);
        configuration_unref(handle->configuration);
        if (handle->past) {
                histogram_free(handle->past->wake_latency);
                histogram_free(handle->past->run_duration);
                free(handle->past);
        }
        free(handle);
}

static void on_async_closed(void *arg) {
        struct handle *handle = arg;

        handle->is_quiet = true;
        free_if_done(handle);
}

void handle_discard(struct handle *handle) {
        if (handle->is_discarded)
                return;
        (void)handle_close(handle);
        list_remove(&handle->link);
        handle->is_discarded = true;
        free_if_done(handle);
}

int handle_close(struct handle *handle) {
        int r;

        r = rouse_async_close_wait(handle->async, on_async_closed, handle);
        if (r < 0)
                return r;
        deadline_clear(handle->registry->deadlines, &handle->deadline);
        handle->gate.n_sends = 0;
        tell_closed(handle);
        registry_closed(handle->registry, handle);
        return 0;
}

void handle_configure(struct handle *handle, const struct handle_conf *conf,
                      struct configuration *configuration) {
        bool was_started = handle->conf && handle->conf->started;
        struct configuration *before = handle->configuration;

        handle->is_retiring = !conf;
        if (conf) {
                handle->configuration = configuration_ref(configuration);
                if (conf->started && !was_started)
                        rouse_async_ref(handle->async);
                else if (!conf->started && was_started)
                        rouse_async_unref(handle->async);
                handle->conf = conf;
                configuration_unref(before);
                if (!conf->action && !handle->run) {
                        handle->runner = (struct runner)RUNNER_INIT;
                        handle->n_sends_to_run = 0;
                }
        } else if (handle->gate.paused) {
                (void)handle_resume(handle);
                return;
        }
        advance(handle, deadline_now(handle->registry->deadlines));
}

void handle_flush(struct handle *handle) {
        if (!handle_is_active(handle))
                return;
        if (handle->runner.state == RUNNER_BACKING_OFF || handle->runner.state == RUNNER_FAILED) {
                log_warning("%s: stops while its action is failing", handle_name(handle));
                handle->runner.state = RUNNER_IDLE;
        }
        advance(handle, deadline_now(handle->registry->deadlines));
}

bool handle_is_busy(const struct handle *handle) {
        return handle->run || (handle->gate.n_sends && !handle->gate.paused) ||
               handle_n_unseen(handle) || handle->runner.state != RUNNER_IDLE;
}

void handle_stop_run(struct handle *handle, bool kill) {
        if (handle->run && handle->run->action->kind->stop)
                handle->run->action->kind->stop(handle->run, kill);
}

int handle_send(struct handle *handle, const char *key, size_t n_key, struct handle_receipt *ret) {
        enum handle_disposition disposition;
        int r;

        (void)key; /* no action takes keys yet */
        (void)n_key;
        if (!ret)
                return rouse_async_send(handle->async);
        disposition = handle_foresee(handle);
        r = rouse_async_send(handle->async);
        if (r < 0)
                return r;
        *ret = (struct handle_receipt){.ticket = handle->seq + 1, .disposition = disposition};
        return 0;
}

int handle_start(struct handle *handle) {
        return rouse_async_start(handle->async);
}

int handle_stop(struct handle *handle) {
        return rouse_async_stop(handle->async);
}

int handle_pause(struct handle *handle, uid_t by_uid) {
        struct handle_past *past;
        struct timespec ts;

        if (!handle_is_active(handle))
                return -EBADF;
        past = past_of(handle);
        if (!past)
                return -ENOMEM;
        if (!handle->gate.paused) {
                clock_gettime(CLOCK_REALTIME, &ts);
                past->paused_realtime_ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
                past->paused_by = by_uid;
                handle->gate.paused = true;
        }
        advance(handle, deadline_now(handle->registry->deadlines));
        return 0;
}

int handle_resume(struct handle *handle) {
        if (!handle_is_active(handle))
                return -EBADF;
        handle->gate.paused = false;
        advance(handle, deadline_now(handle->registry->deadlines));
        return 0;
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
