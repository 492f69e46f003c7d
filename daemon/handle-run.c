/*
 * The second half of a handle: wakes become runs. The runner, which is pure, says what to do; this
 * file does it.
 *
 * What the wakes bring (numbers of sends, keys) is gathered until a run starts, and goes with that
 * run. If the run fails and is to be tried again, or could not be started, it comes back and goes
 * with the next. The same holds for a run that is ended because a newer wake replaces it, and for
 * what a run was told of and had not taken when it ended. The keys of the last attempt do not come
 * back, lest one that nothing can be done for fails all runs to come; but the next run is told that
 * keys are missing.
 *
 * A handle that is made anew while the run of a closed one of its name goes on has that as its run:
 * what is sent to it waits behind that run, or restarts or signals it, and a stop ends it. But the
 * run failed, if it did, for sends that the new handle knows nothing of: nothing is tried again.
 *
 * A run that wants to start and belongs to a group asks the group for a place; the runner waits
 * meanwhile. The place is given back before the runner hears of the run's end, so that those who
 * waited come first.
 */

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
#include "lib/cleanup.h"
#include "lib/clock.h"

/* Before a run is tried again that could not be started for want of processes, memory or
 * descriptors. */
#define DEFER_NS NS_PER_S

static bool is_transient(int error) {
        return error == -EAGAIN || error == -ENOMEM || error == -EMFILE || error == -ENFILE;
}

static const struct keyset_limits *limits_of(const struct handle *handle) {
        return &handle_policy(handle)->keys;
}

/* What a run was for is to be done by the next one, before what came since. */
static void take_back(struct handle *handle, struct run *run) {
        struct handle_life *life = handle_own_life(handle);

        life->n_sends_to_run += run->result.n_sends;
        keyset_merge(&run->keys, limits_of(handle), life->keys_to_run);
        life->keys_to_run = steal_ptr(run->keys);
}

/* The run could not be started, and can be later. */
static void defer(struct handle *handle, uint64_t now_ns) {
        struct handle_life *life = handle_own_life(handle);

        group_leave(&life->membership);
        runner_deferred(&life->runner, now_ns + DEFER_NS);
}

/* A run that could not be started was none. So it is told when it goes on, or has ended already. */
static void tell_started(struct run *run) {
        if (run->is_told_of)
                return;
        run->is_told_of = true;
        log_debug("%s: runs for wake %" PRIu64 ", sends: %" PRIu64, run->handle_name,
                  run->result.seq, run->result.n_sends);
        handle_tell_run_started(run->handle, run->result.seq, run->result.n_sends);
}

/* A run is no more. */
static void end_run(struct handle_context *context) {
        runs_end(&context->runs);
        context->owner->run_ended(context);
}

static void on_run_ended(struct run *run);

static void start_run(struct handle *handle) {
        struct handle_life *life = handle_own_life(handle);
        const struct action_conf *action = handle->conf->action;
        uint64_t now_ns = handle_now(handle);
        uint64_t n_ended = life->n_runs;
        struct run *run;
        int r;

        run = run_new(&(struct run){
                .handle = handle,
                .handle_name = handle_name(handle),
                .tools = &handle_context(handle)->tools,
                .ended = on_run_ended,
                .configuration = handle->conf->configuration,
                .action = action,
                .result = {.seq = handle->seq, .n_sends = life->n_sends_to_run},
        });
        if (!run) {
                defer(handle, now_ns);
                return;
        }
        life->run = run;
        runs_begin(&handle_context(handle)->runs, run);
        runner_started(&life->runner);
        life->n_sends_to_run = 0;
        run->keys = steal_ptr(life->keys_to_run);
        r = action->kind->start(run, action);
        if (r == 0) {
                if (life->n_runs == n_ended) { /* else it is over, and another may go on */
                        tell_started(run);
                        runs_go_on(&handle_context(handle)->runs, run);
                }
                return;
        }
        if (is_transient(r) && !handle_context(handle)->is_stopping) {
                log_warning("%s: cannot start the action: %s; trying again", handle_name(handle),
                            strerror(-r));
                take_back(handle, run);
                life->run = run_free(run);
                defer(handle, now_ns);
                end_run(handle_context(handle));
                return;
        }
        run_finish(run, RUN_FAILED, r, false);
}

static void on_granted(struct group_member *member) {
        struct handle *handle = container_of(member, struct handle_life, membership)->handle;

        start_run(handle);
        handle_advance(handle, handle_now(handle));
}

static void ask_for_run(struct handle *handle) {
        struct handle_life *life = handle_own_life(handle);

        life->membership.granted = on_granted;
        if (!life->group || group_enter(life->group, &life->membership))
                start_run(handle);
}

/* The run that goes on is told of a wake, and so covers it; unless it is at its end. */
static void tell_run(struct handle *handle) {
        struct handle_life *life = handle_own_life(handle);
        int signal = handle_policy(handle)->busy_signal;
        struct run *run = life->run;
        struct run_result before = run->result;

        if (!run->told) {
                run->seq_untold = before.seq;
                run->n_untold = before.n_sends;
        }
        run->told = signal; /* also if it dies of it at once, and so seems to be at its end */
        run->result.seq = handle->seq;
        run->result.n_sends += life->n_sends_to_run;
        if (!run->action->kind->tell || run->action->kind->tell(run, signal) < 0) {
                run->result = before;
                runner_not_told(&life->runner);
                return;
        }
        life->n_sends_to_run = 0;
}

/* The run has ended without taking what it was told. Which of several wakes it had heard of before
 * nobody knows, so the next run is for all of them. */
static void untell(struct handle *handle, struct run *run) {
        struct handle_life *life = handle_own_life(handle);

        life->n_sends_to_run += run->result.n_sends - run->n_untold;
        run->result.n_sends = run->n_untold;
        run->result.seq = run->seq_untold;
        runner_not_told(&life->runner);
}

/* It has no action any more, and no run: nothing is to be run. */
static void forget_wakes(struct handle *handle) {
        struct handle_life *life = handle_own_life(handle);

        group_leave(&life->membership);
        life->runner = (struct runner)RUNNER_INIT;
        life->n_sends_to_run = 0;
        life->keys_to_run = keyset_free(life->keys_to_run);
}

static void take_step(struct handle *handle, enum runner_step step) {
        switch (step) {
        case RUNNER_NOTHING:
                break;
        case RUNNER_START:
                ask_for_run(handle);
                break;
        case RUNNER_STOP:
                run_stop(handle_own_life(handle)->run, false);
                break;
        case RUNNER_SIGNAL:
                tell_run(handle);
                break;
        }
}

void handle_inherit_run(struct handle *handle, struct run *run) {
        struct handle_life *life = handle_own_life(handle);
        struct handle *closed = run->handle;

        handle_own_life(closed)->run = NULL;
        life->run = run;
        run->handle = handle;
        run->handle_name = handle_name(handle);
        run->is_inherited = true;
        run->told = 0; /* by the other one, whose wakes are nothing to this one */
        group_pass_on(&handle_own_life(closed)->membership, &life->membership);
        runner_started(&life->runner);
        runs_place(&handle_context(handle)->runs, run, true);
        handle_free_if_done(closed);
}

void handle_run_wake(struct handle *handle) {
        struct handle_life *life = handle_own_life(handle);

        if (!handle_has_action(handle)) {
                life->n_sends_to_run = 0;
                life->keys = keyset_free(life->keys);
                return;
        }
        keyset_merge(&life->keys_to_run, limits_of(handle), steal_ptr(life->keys));
        take_step(handle, runner_wake(&life->runner, &handle_policy(handle)->runner));
}

void handle_run_flush(struct handle *handle) {
        struct handle_life *life = handle_own_life(handle);

        /* The last attempt is now, for better or worse. */
        if (life->runner.state == RUNNER_BACKING_OFF)
                life->runner.retry_ns = 0;
        /* Their sends were signalled to a run, which cannot read them any more. */
        if (handle_has_action(handle) && keyset_count(life->keys_to_run) > 0)
                take_step(handle, runner_wake(&life->runner, &handle_policy(handle)->runner));
}

void handle_run_tick(struct handle *handle, uint64_t now_ns) {
        if (handle_has_action(handle))
                take_step(handle, runner_tick(&handle_own_life(handle)->runner, now_ns));
}

void handle_run_configure(struct handle *handle, struct group *group) {
        struct handle_life *life = handle_own_life(handle);
        bool is_waiting = life->membership.group && !life->membership.is_running;

        if (!handle_has_action(handle) && !life->run) {
                forget_wakes(handle);
                is_waiting = false;
        }
        runner_configure(&life->runner, &handle_policy(handle)->runner, handle_now(handle));
        if (life->group == group) {
                group_unref(group);
                return;
        }
        group_unref(life->group);
        life->group = group;
        if (is_waiting) {
                group_leave(&life->membership);
                ask_for_run(handle);
        }
}

static void remember(struct handle *handle, struct run *run) {
        struct handle_life *life = handle_own_life(handle);
        const struct run_result *result = &run->result;
        uint64_t duration_ns = result->ended_ns - result->started_ns;

        handle_record(&handle_context(handle)->run_duration, duration_ns);
        handle_record(&life->run_duration, duration_ns);
        life->n_runs++;
        life->n_runs_failed += !result->success;
        if (!life->records)
                life->records = calloc(LIMIT_RUN_RECORDS, sizeof(*life->records));
        if (life->records) {
                struct run_record *record = &life->records[life->next_record];

                free(record->complaint);
                *record = (struct run_record){*result,
                                              result->success ? NULL : steal_ptr(run->complaint)};
                life->next_record = (life->next_record + 1) % LIMIT_RUN_RECORDS;
        }
}

/* A closed handle of the same name began it, and it was not told of a wake since. */
static bool is_foreign(const struct run *run) {
        return run->is_inherited && (!run->told || run->result.seq == run->seq_untold);
}

static void on_run_ended(struct run *run) {
        struct handle *handle = run->handle;
        struct handle_life *life = handle_own_life(handle);
        struct handle_context *context = handle_context(handle);
        struct run_result result;
        bool is_replaced = life->runner.state == RUNNER_STOPPING && !run->result.success;
        /* The command has no handler for the signal, or had none yet: it was not told. */
        bool is_deaf =
                run->told && run->result.outcome == RUN_SIGNALED && run->result.status == run->told;
        enum runner_step step;

        if (run->told && run->left_untaken)
                untell(handle, run);
        result = run->result;
        tell_started(run);
        log_debug("%s: the run for wake %" PRIu64 " %s with %d after %" PRIu64 " ms",
                  run->handle_name, result.seq, run_outcome_to_string(result.outcome),
                  result.status, (uint64_t)((result.ended_ns - result.started_ns) / NS_PER_MS));
        remember(handle, run);
        life->run = NULL;
        group_leave(&life->membership);
        if (is_deaf)
                runner_not_told(&life->runner);
        step = runner_ended(&life->runner, &handle_policy(handle)->runner,
                            result.success || is_foreign(run), result.ended_ns);
        if (life->runner.state == RUNNER_BACKING_OFF || is_replaced || is_deaf)
                take_back(handle, run);
        else if (!result.success && !is_foreign(run) && run->keys &&
                 handle_policy(handle)->runner.backoff_ns)
                keyset_overflow(&life->keys_to_run);
        run_free(run);
        handle_tell_run_ended(handle, &result);
        if (handle_is_active(handle)) {
                if (handle_has_action(handle)) {
                        take_step(handle, step);
                } else {
                        forget_wakes(handle);
                        handle_tell_action_gone(handle);
                }
                handle_advance(handle, result.ended_ns);
        } else {
                handle_free_if_done(handle);
        }
        end_run(context);
}
