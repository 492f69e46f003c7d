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
 * - A handle has no life until it needs one: then everything below is zero. Without action and
 *   policy its wakes need none, see needs_no_life().
 * - gate.n_sends, the async's pending sends and n_sends_to_run together are all sends that no run
 * covers.
 * - `seq` grows by one a wake, and the file of numbers has it before anybody is told.
 * - A timer never wakes while the async has sends that the gate has not seen: they come in the same
 *   turn of the loop, so that the wake's count is exact and their tickets are right.
 * - The handle's memory goes when the async is closed and no run goes on, whichever is later.
 */

#include "daemon/handle.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/action.h"
#include "daemon/configuration.h"
#include "daemon/handle-private.h"
#include "daemon/histogram.h"
#include "daemon/keyset.h"
#include "daemon/limits.h"
#include "daemon/log.h"
#include "daemon/policy.h"
#include "daemon/run.h"
#include "lib/async.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/random.h"

static void on_deadline(struct deadline *deadline, uint64_t now_ns);

const struct policy_conf *handle_policy(const struct handle *handle) {
        bool unlimited = handle->is_retiring || handle_context(handle)->is_stopping;

        return !unlimited && handle->conf && handle->conf->policy ? handle->conf->policy
                                                                  : &policy_none;
}

/* Each was one of the library's. */
static uint64_t n_past_wakes(const struct handle *handle) {
        /* Relaxed: this thread writes it. */
        uint64_t n_wakes =
                atomic_load_explicit(&handle_async(handle)->n_wakes, memory_order_relaxed);

        return handle->has_past ? n_wakes - handle->is_unnumbered : 0;
}

uint64_t handle_first_seq(const struct handle *handle) {
        return handle->has_life ? handle->life->first_seq : handle->seq - n_past_wakes(handle);
}

/* Zeroed memory becomes the life of a handle that has none, and takes the place of its past. */
static void begin_life(struct handle *handle, struct handle_life *life) {
        const struct handle_past *past = handle_own_past(handle);

        life->handle = handle;
        life->first_seq = handle_first_seq(handle);
        if (past) {
                life->gate.has_sent = life->gate.has_woken = true;
                life->gate.last_ns = life->gate.wake_ns = past->woken_ns;
        }
        life->wake_latency = handle_sketched_latency(handle);
        list_init(&life->link);
        if (handle->conf && handle->conf->policy)
                life->group =
                        groups_find(&handle_context(handle)->groups, handle->conf->policy->group);
        handle->life = life;
        handle->has_life = true;
}

struct handle_life *handle_live(struct handle *handle) {
        struct handle_life *life = handle_own_life(handle);

        if (life)
                return life;
        life = calloc(1, sizeof(*life));
        if (life)
                begin_life(handle, life);
        return life;
}

const struct handle_life *handle_life(const struct handle *handle) {
        static const struct handle_life none = {.gate = GATE_INIT, .runner = RUNNER_INIT};

        return handle_own_life(handle) ?: &none;
}

/* Not a part of what each wake goes through. */
static __attribute__((noinline)) void log_wake(const struct handle *handle, uint64_t seq,
                                               uint64_t n_sends) {
        log_debug("%s: wake %" PRIu64 ", sends: %" PRIu64, handle_name(handle), seq, n_sends);
}

/* Before anybody is told. */
static inline void note_wake(struct handle *handle, uint64_t seq, uint64_t n_sends) {
        struct handle_context *context = handle_context(handle);

        context->n_wakes++;
        seqfile_note(context->tools.seqfile, handle->entry, seq);
        if (log_is_verbose())
                log_wake(handle, seq, n_sends);
}

static void wake(struct handle *handle, uint64_t now_ns) {
        struct handle_context *context = handle_context(handle);
        struct handle_life *life = handle_own_life(handle);
        uint64_t latency_ns = now_ns - life->gate.first_ns;
        uint64_t n_sends = gate_wake(&life->gate, now_ns);
        uint64_t seq = ++handle->seq;

        note_wake(handle, seq, n_sends);
        handle_record(&life->wake_latency, latency_ns);
        handle_record(&context->wake_latency, latency_ns);
        life->n_sends_to_run += n_sends;
        handle_tell_wake(handle, seq, n_sends);
        if (handle_is_active(handle))
                handle_run_wake(handle);
}

/* When time alone changes something. */
static uint64_t next_ns(const struct handle *handle) {
        const struct handle_life *life = handle_own_life(handle);
        uint64_t gate_ns = life->gate.paused
                                   ? life->paused_until_ns
                                   : gate_due_ns(&life->gate, &handle_policy(handle)->gate);
        uint64_t runner_ns = runner_due_ns(&life->runner);

        return gate_ns < runner_ns ? gate_ns : runner_ns;
}

/* Does what is due; false if the handle was closed by it. */
static bool live_on(struct handle *handle, uint64_t now_ns) {
        struct handle_life *life = handle_own_life(handle);

        if (life->gate.paused && life->paused_until_ns <= now_ns)
                life->gate.paused = false;
        handle->is_advancing = true; /* a watch may do to the handle whatever it likes */
        if (gate_due_ns(&life->gate, &handle_policy(handle)->gate) <= now_ns &&
            handle_n_unseen(handle) == 0)
                wake(handle, now_ns);
        if (handle_is_active(handle))
                handle_run_tick(handle, now_ns);
        handle->is_advancing = false;
        if (!handle_is_active(handle))
                return false;
        if (deadline_set(handle_context(handle)->tools.deadlines, &life->deadline, next_ns(handle),
                         on_deadline) < 0)
                log_error("%s: out of memory for a timer; its next send will try again",
                          handle_name(handle));
        return true;
}

void handle_advance(struct handle *handle, uint64_t now_ns) {
        if (!handle_is_active(handle) || handle->is_advancing)
                return;
        if (handle_own_life(handle) && !live_on(handle, now_ns))
                return;
        if (handle->is_retiring && !handle_is_busy(handle))
                handle_context(handle)->owner->retired(handle_context(handle), handle);
}

static void on_deadline(struct deadline *deadline, uint64_t now_ns) {
        handle_advance(container_of(deadline, struct handle_life, deadline)->handle, now_ns);
}

/* The gate learns of sends. Without a policy it counts and does not reckon, so it does with the
 * time at which the hub took them. */
static void wake_by_gate(struct handle *handle, uint64_t n_sends) {
        struct handle_context *context = handle_context(handle);
        rouse_async_t *async = handle_async(handle);
        uint64_t now_ns = handle->is_plain ? handle_context_wake_time(context) : handle_now(handle);
        const struct gate_policy *policy = &handle_policy(handle)->gate;
        struct handle_life *life;
        uint64_t latency_ns;
        bool is_first;

        handle->is_unnumbered = true;
        life = handle_live(handle);
        handle->is_unnumbered = false;
        if (!life) {
                /* No send is lost: there may be memory next turn. */
                (void)rouse__async_send_many(async, n_sends);
                return;
        }
        is_first = life->gate.n_sends == 0;
        gate_send(&life->gate, policy, now_ns, n_sends,
                  policy->jitter_ns ? rouse__random_next(&context->chance) : 0);
        latency_ns = rouse__async_last_latency(async);
        if (is_first && latency_ns < now_ns)
                life->gate.first_ns = now_ns - latency_ns; /* when it was sent, not when seen */
        handle_advance(handle, now_ns);
}

/*
 * Whether a wake needs no more than wake_plainly(). Such a handle has no policy, so its gate would
 * be open at once; it is not paused and has sent nothing that the gate keeps, as it has no life; no
 * deadline is set or comes to be set. Without an action the sends and their keys are forgotten with
 * the wake. And it does not wait for its end.
 *
 * One thing is different. Sends that other threads have made since the hub took the count would
 * have this wake put off until it covers them, too; here they are the next wake. Nobody has a
 * ticket for them: tickets are given on this thread.
 */
static bool needs_no_life(const struct handle *handle) {
        return handle->is_plain && !handle->has_life && !handle->is_retiring;
}

/* What wake_by_gate() would leave behind is made from this by handle_live(), if it is asked for. */
static void wake_plainly(struct handle *handle, uint64_t n_sends) {
        struct handle_context *context = handle_context(handle);
        uint64_t seq = ++handle->seq, latency_ns = rouse__async_last_latency(handle_async(handle));

        note_wake(handle, seq, n_sends);
        handle->has_past = true;
        handle->past.woken_ns = handle_context_wake_time(context);
        /* By numbers that follow each other, every 2^n-th comes about as regularly as can be. */
        sketch_add(&handle->past.latency, latency_ns, seq * UINT64_C(0x9e3779b97f4a7c15));
        handle_record(&context->wake_latency, latency_ns);
        if (!list_is_empty(&handle->watches))
                handle_tell_wake(handle, seq, n_sends); /* who may close the handle */
}

/* A wake of the library. */
static void on_async(rouse_async_t *async, uint64_t n_sends) {
        struct handle *handle = handle_of_async(async);

        if (needs_no_life(handle))
                wake_plainly(handle, n_sends);
        else
                wake_by_gate(handle, n_sends);
}

static bool is_plain_conf(const struct handle_conf *conf) {
        return !conf || (!conf->action && !conf->policy);
}

struct handle *handle_find(const struct handle_tools *tools, const char *name) {
        rouse_async_t *async = rouse_hub_find(tools->hub, name);

        return async ? handle_of_async(async) : NULL;
}

int handle_new(struct handle_context *context, const char *name, const struct handle_conf *conf,
               struct run *run, struct handle **ret) {
        _cleanup_free_ struct handle_life *life = NULL;
        struct handle *handle;
        rouse_async_t *async;
        int r;

        if (run) {
                life = calloc(1, sizeof(*life));
                if (!life)
                        return -ENOMEM;
        }
        r = rouse_async_create(context->tools.hub, name, on_async, NULL, &async);
        if (r < 0)
                return r;
        handle = handle_of_async(async);
        async->data = handle;
        *handle = (struct handle){
                .conf = conf,
                .is_plain = is_plain_conf(conf),
        };
        if (conf)
                configuration_ref(conf->configuration);
        list_init(&handle->watches);
        handle->seq = seqfile_enter(context->tools.seqfile, name, &handle->entry);
        if (conf && conf->started)
                rouse_async_ref(async);
        if (run) {
                begin_life(handle, steal_ptr(life));
                handle_inherit_run(handle, run);
        }
        *ret = handle;
        return 0;
}

static void life_free(struct handle_life *life) {
        group_unref(life->group);
        histogram_free(life->wake_latency);
        histogram_free(life->run_duration);
        keyset_free(life->keys);
        keyset_free(life->keys_to_run);
        for (size_t i = 0; life->records && i < LIMIT_RUN_RECORDS; i++)
                free(life->records[i].complaint);
        free(life->records);
        free(life);
}

/* The memory goes when nobody shows the handle any more, no callback of it can come, and no run
 * goes on. */
void handle_free_if_done(struct handle *handle) {
        if (!handle->is_discarded || !handle->is_quiet || handle_life(handle)->run)
                return;
        if (handle->conf)
                configuration_unref(handle->conf->configuration);
        if (handle_own_life(handle))
                life_free(handle_own_life(handle));
        rouse_async_release(handle_async(handle)); /* and with the last reference the handle */
}

static void on_async_closed(void *arg) {
        struct handle *handle = arg;

        handle->is_quiet = true;
        handle_free_if_done(handle);
}

void handle_discard(struct handle *handle) {
        if (handle->is_discarded)
                return;
        (void)handle_close(handle);
        if (handle_own_life(handle))
                list_remove(&handle_own_life(handle)->link);
        handle->is_discarded = true;
        handle_free_if_done(handle);
}

int handle_close(struct handle *handle) {
        struct handle_life *life = handle_own_life(handle);
        int r;

        r = rouse_async_close_wait(handle_async(handle), on_async_closed, handle);
        if (r < 0)
                return r;
        if (life) {
                deadline_clear(handle_context(handle)->tools.deadlines, &life->deadline);
                life->gate.n_sends = 0;
                if (life->run)
                        runs_place(&handle_context(handle)->runs, life->run, false);
                else
                        group_leave(&life->membership);
        }
        handle_tell_closed(handle);
        handle_context(handle)->owner->closed(handle_context(handle), handle);
        return 0;
}

void handle_configure(struct handle *handle, const struct handle_conf *conf) {
        const struct handle_conf *before = handle->conf;
        bool was_started = before && before->started;

        if (conf) {
                configuration_ref(conf->configuration);
                if (conf->started && !was_started)
                        rouse_async_ref(handle_async(handle));
                else if (!conf->started && was_started)
                        rouse_async_unref(handle_async(handle));
                handle->conf = conf;
                handle->is_plain = is_plain_conf(conf);
                if (before)
                        configuration_unref(before->configuration);
                if (handle_own_life(handle))
                        handle_run_configure(handle, groups_find(&handle_context(handle)->groups,
                                                                 handle_policy(handle)->group));
                else if (handle_own_past(handle) && !handle->is_plain)
                        (void)handle_live(handle); /* what was matters to a policy; the next wake
                                                      tries again */
                /* Else it is told when the run that goes on has ended. */
                if (!handle_has_action(handle) && !handle_life(handle)->run)
                        handle_tell_action_gone(handle);
        } else if (handle_own_life(handle)) {
                handle_run_flush(handle);
                handle_own_life(handle)->gate.paused = false;
        }
        handle_advance(handle, handle_now(handle));
}

void handle_flush(struct handle *handle) {
        if (!handle_is_active(handle))
                return;
        if (handle_own_life(handle))
                handle_run_flush(handle);
        handle_advance(handle, handle_now(handle));
}

bool handle_is_busy(const struct handle *handle) {
        const struct handle_life *life = handle_life(handle);

        return life->run || (life->gate.n_sends && !life->gate.paused) || handle_n_unseen(handle) ||
               (life->runner.state != RUNNER_IDLE && life->runner.state != RUNNER_FAILED);
}

int handle_start(struct handle *handle) {
        return rouse_async_start(handle_async(handle));
}

int handle_stop(struct handle *handle) {
        return rouse_async_stop(handle_async(handle));
}

int handle_pause(struct handle *handle, uid_t by_uid, uint64_t for_ns) {
        uint64_t now_ns = handle_now(handle);
        struct handle_life *life;

        if (!handle_is_active(handle) || handle->is_retiring)
                return -EBADF; /* its last wake is not to be held up */
        life = handle_live(handle);
        if (!life)
                return -ENOMEM;
        if (!life->gate.paused) {
                life->paused_realtime_ms = clock_realtime_ms();
                life->paused_by = by_uid;
        }
        if (!for_ns || __builtin_add_overflow(now_ns, for_ns, &life->paused_until_ns))
                life->paused_until_ns = UINT64_MAX;
        life->gate.paused = true;
        handle_advance(handle, now_ns);
        return 0;
}

int handle_resume(struct handle *handle) {
        if (!handle_is_active(handle))
                return -EBADF;
        if (handle_own_life(handle))
                handle_own_life(handle)->gate.paused = false;
        handle_advance(handle, handle_now(handle));
        return 0;
}
