/*
 * Invariants: there is at most one run (START is returned only where none goes on); and a wake that
 * came after the last START either set `dirty`, or found a state that leads to another START:
 * WAITING or BACKING_OFF. With ON_BUSY_SIGNAL the run that goes on is told instead, which is what
 * was asked for.
 */

#include "daemon/runner.h"

#include "daemon/policy.h"
#include "lib/clock.h"

static enum runner_step ask_to_start(struct runner *runner) {
        runner->state = RUNNER_WAITING;
        return RUNNER_START;
}

enum runner_step runner_wake(struct runner *runner, const struct runner_policy *policy) {
        switch ((enum runner_state)runner->state) {
        case RUNNER_FAILED:
                runner->n_failed = 0;
                return ask_to_start(runner);
        case RUNNER_IDLE:
                return ask_to_start(runner);
        case RUNNER_RUNNING:
                /* If another run is to follow anyway (the policy was a different one), it covers
                 * this, too. */
                if (policy->on_busy == ON_BUSY_SIGNAL && !runner->dirty)
                        return RUNNER_SIGNAL;
                runner->dirty = true;
                if (policy->on_busy == ON_BUSY_RERUN)
                        return RUNNER_NOTHING;
                runner->state = RUNNER_STOPPING;
                return RUNNER_STOP;
        case RUNNER_STOPPING:
                runner->dirty = true;
                return RUNNER_NOTHING;
        case RUNNER_WAITING:
        case RUNNER_BACKING_OFF:
                return RUNNER_NOTHING; /* the run to come covers it */
        }
        return RUNNER_NOTHING;
}

void runner_not_told(struct runner *runner) {
        runner->dirty = true;
}

void runner_started(struct runner *runner) {
        runner->state = RUNNER_RUNNING;
        runner->dirty = false;
}

static uint64_t backoff_ns(const struct runner_policy *policy, uint32_t n_failed) {
        uint64_t ns = policy->backoff_ns;

        for (uint32_t i = 1; i < n_failed; i++) {
                if (policy->max_backoff_ns && ns >= policy->max_backoff_ns)
                        break;
                if (__builtin_mul_overflow(ns, 2, &ns))
                        ns = UINT64_MAX / 2;
        }
        return policy->max_backoff_ns && ns > policy->max_backoff_ns ? policy->max_backoff_ns : ns;
}

static uint64_t retry_ns(const struct runner_policy *policy, uint32_t n_failed, uint64_t now_ns) {
        return clock_add(now_ns, backoff_ns(policy, n_failed));
}

enum runner_step runner_ended(struct runner *runner, const struct runner_policy *policy,
                              bool success, uint64_t now_ns) {
        bool replaced = runner->state == RUNNER_STOPPING;

        runner->state = RUNNER_IDLE;
        if (success || replaced || !policy->backoff_ns) {
                /* A run that was ended to make room for another one has not failed. */
                runner->n_failed = success || replaced ? 0 : runner->n_failed + 1;
                return runner->dirty ? ask_to_start(runner) : RUNNER_NOTHING;
        }
        runner->n_failed++;
        if (policy->attempts && runner->n_failed >= policy->attempts) {
                if (runner->dirty) {
                        runner->n_failed =
                                0; /* somebody asked since: as if it came a moment later */
                        return ask_to_start(runner);
                }
                runner->state = RUNNER_FAILED;
                return RUNNER_NOTHING;
        }
        runner->state = RUNNER_BACKING_OFF;
        runner->retry_ns = retry_ns(policy, runner->n_failed, now_ns);
        return RUNNER_NOTHING;
}

void runner_deferred(struct runner *runner, uint64_t retry_ns) {
        runner->state = RUNNER_BACKING_OFF;
        runner->retry_ns = retry_ns;
}

void runner_configure(struct runner *runner, const struct runner_policy *policy, uint64_t now_ns) {
        uint64_t latest_ns = retry_ns(policy, runner->n_failed, now_ns);

        if (runner->state == RUNNER_BACKING_OFF && runner->retry_ns > latest_ns)
                runner->retry_ns = latest_ns;
}

enum runner_step runner_tick(struct runner *runner, uint64_t now_ns) {
        if (runner->state != RUNNER_BACKING_OFF || now_ns < runner->retry_ns)
                return RUNNER_NOTHING;
        return ask_to_start(runner);
}

uint64_t runner_due_ns(const struct runner *runner) {
        return runner->state == RUNNER_BACKING_OFF ? runner->retry_ns : UINT64_MAX;
}

bool runner_is_running(const struct runner *runner) {
        return runner->state == RUNNER_RUNNING || runner->state == RUNNER_STOPPING;
}
