/* When the wakes of a handle become runs of its action: pure, without clock, loop or process. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct runner_policy;

enum runner_state {
        RUNNER_IDLE,
        RUNNER_WAITING, /* for a place to run: RUNNER_START was asked for and not granted yet */
        RUNNER_RUNNING,
        RUNNER_STOPPING,    /* running, told to end because a newer wake replaces it */
        RUNNER_BACKING_OFF, /* the last run failed; the next one starts at retry_ns */
        RUNNER_FAILED,      /* no attempts are left; the next wake leaves this state */
};

struct runner {
        uint8_t state;     /* enum runner_state */
        bool dirty;        /* a wake came that no run which began after it covers */
        uint32_t n_failed; /* runs that failed one after the other */
        uint64_t retry_ns; /* with RUNNER_BACKING_OFF */
};

#define RUNNER_INIT \
        { .state = RUNNER_IDLE }

/* What the caller has to do next. */
enum runner_step {
        RUNNER_NOTHING,
        RUNNER_START,  /* start a run when there is room, then call runner_started() */
        RUNNER_STOP,   /* ask the run to end */
        RUNNER_SIGNAL, /* send the run the signal of the policy */
};

enum runner_step runner_wake(struct runner *runner, const struct runner_policy *policy);
/* With RUNNER_SIGNAL: the run could not be told, or did not understand; another one follows it. */
void runner_not_told(struct runner *runner);
/* The run began: all wakes so far are covered by it. */
void runner_started(struct runner *runner);
/* The run ended, or could not be started, which is a failure. */
enum runner_step runner_ended(struct runner *runner, const struct runner_policy *policy,
                              bool success, uint64_t now_ns);
/* The run that was asked for could not be started for want of something that comes back (processes,
 * memory, descriptors): no attempt is spent, and it is asked for again at retry_ns. */
void runner_deferred(struct runner *runner, uint64_t retry_ns);
/* The policy has changed: a back-off does not outlast what the new one has. */
void runner_configure(struct runner *runner, const struct runner_policy *policy, uint64_t now_ns);
/* Time has passed. */
enum runner_step runner_tick(struct runner *runner, uint64_t now_ns);
/* When runner_tick() is to be called; UINT64_MAX: never. */
uint64_t runner_due_ns(const struct runner *runner);
/* A run goes on. */
bool runner_is_running(const struct runner *runner);
