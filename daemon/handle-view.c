/* What a handle tells of itself. Nothing here changes anything. */

#include <string.h>

#include "daemon/action.h"
#include "daemon/configuration.h"
#include "daemon/handle-private.h"
#include "daemon/handle.h"
#include "daemon/histogram.h"
#include "daemon/limits.h"
#include "daemon/policy.h"
#include "daemon/run.h"
#include "lib/async.h"

const char *handle_name(const struct handle *handle) {
        return rouse_async_name(handle_async(handle));
}

const char *handle_description(const struct handle *handle) {
        return handle->conf ? handle->conf->description : NULL;
}

bool handle_is_active(const struct handle *handle) {
        return rouse_async_is_active(handle_async(handle));
}

bool handle_has_ref(const struct handle *handle) {
        return rouse_async_has_ref(handle_async(handle));
}

bool handle_is_paused(const struct handle *handle) {
        return handle_life(handle)->gate.paused;
}

bool handle_is_created(const struct handle *handle) {
        return !handle->conf;
}

bool handle_has_action(const struct handle *handle) {
        return handle->conf && handle->conf->action;
}

uint64_t handle_n_unseen(const struct handle *handle) {
        rouse_async_stats_t stats;

        if (rouse__async_is_idle(handle_async(handle)))
                return 0;
        rouse_async_stats(handle_async(handle), &stats);
        return stats.pending;
}

uint64_t handle_pending(const struct handle *handle) {
        return handle_is_active(handle)
                       ? handle_life(handle)->gate.n_sends + handle_n_unseen(handle)
                       : 0;
}

uint64_t handle_seq(const struct handle *handle) {
        return handle->seq;
}

const struct access_rules *handle_access(const struct handle *handle) {
        return handle->conf ? handle->conf->access : NULL;
}

const struct handle_conf *handle_get_conf(const struct handle *handle) {
        return handle->conf;
}

static enum gate_wait gate_wait(const struct handle *handle, uint64_t *ret_until_ns) {
        return gate_why(&handle_life(handle)->gate, &handle_policy(handle)->gate,
                        handle_now(handle), ret_until_ns);
}

/* What holds the next wake back, if it is not what is run. */
static enum handle_state gate_state(const struct handle *handle, uint64_t *ret_until_ns) {
        uint64_t until_ns;
        enum gate_wait wait = gate_wait(handle, &until_ns);

        *ret_until_ns = until_ns == GATE_NEVER || wait == GATE_DUE ? 0 : until_ns;
        switch (wait) {
        case GATE_PAUSED:
                return HANDLE_PAUSED;
        case GATE_QUIET:
                return HANDLE_QUIET;
        case GATE_INTERVAL:
        case GATE_JITTER:
                return HANDLE_INTERVAL;
        case GATE_DUE:
                return HANDLE_PENDING;
        case GATE_IDLE:
                break;
        }
        return handle_n_unseen(handle) ? HANDLE_PENDING : HANDLE_IDLE;
}

static enum handle_state state_until(const struct handle *handle, uint64_t *ret_until_ns) {
        const struct handle_life *life = handle_life(handle);
        enum handle_state state;

        *ret_until_ns = 0;
        if (!handle_is_active(handle))
                return HANDLE_CLOSED;
        state = gate_state(handle, ret_until_ns);
        if (state == HANDLE_PAUSED)
                return state;
        switch ((enum runner_state)life->runner.state) {
        case RUNNER_RUNNING:
        case RUNNER_STOPPING:
                return life->runner.dirty || state != HANDLE_IDLE ? HANDLE_BEHIND_RUN
                                                                  : HANDLE_RUNNING;
        case RUNNER_BACKING_OFF:
                *ret_until_ns = life->runner.retry_ns;
                return HANDLE_BACKING_OFF;
        case RUNNER_WAITING:
                return HANDLE_GROUP_FULL;
        case RUNNER_FAILED:
                return state == HANDLE_IDLE ? HANDLE_FAILED : state;
        case RUNNER_IDLE:
                break;
        }
        return state;
}

enum handle_state handle_state(const struct handle *handle) {
        uint64_t until_ns;

        return state_until(handle, &until_ns);
}

enum handle_disposition handle_foresee(const struct handle *handle) {
        const struct handle_life *life = handle_life(handle);
        struct gate gate = life->gate;
        const struct gate_policy *policy = &handle_policy(handle)->gate;
        uint64_t now_ns;

        if (gate.paused)
                return SEND_PAUSED;
        if (gate.n_sends || handle_n_unseen(handle))
                return SEND_COALESCED;
        if (policy != &policy_none.gate) {
                now_ns = handle_now(handle);
                gate_send(&gate, policy, now_ns, 1, 0);
                if (gate_due_ns(&gate, policy) > now_ns)
                        return SEND_DELAYED;
        }
        if (runner_is_running(&life->runner))
                return life->runner.dirty ? SEND_COALESCED : SEND_BEHIND_RUN;
        if (life->runner.state == RUNNER_BACKING_OFF || life->runner.state == RUNNER_WAITING)
                return SEND_DELAYED;
        return SEND_SCHEDULED;
}

void handle_get_why(const struct handle *handle, struct handle_why *ret) {
        const struct handle_life *life = handle_life(handle);
        struct handle_why why = {0};

        why.state = state_until(handle, &why.until_ns);
        if (life->run) {
                why.run_seq = life->run->result.seq;
                why.run_started_ns = life->run->result.started_ns;
                why.run_pid = life->run->pid;
                why.since_realtime_ms = life->run->result.started_realtime_ms;
        }
        if (why.state == HANDLE_PAUSED) {
                why.since_realtime_ms = life->paused_realtime_ms;
                why.by_uid = life->paused_by;
                if (life->paused_until_ns != UINT64_MAX)
                        why.until_ns = life->paused_until_ns;
        }
        if (why.state == HANDLE_INTERVAL) {
                uint64_t until_ns;

                why.is_jitter = gate_wait(handle, &until_ns) == GATE_JITTER;
        }
        if (why.state == HANDLE_GROUP_FULL && life->group)
                why.group = group_name(life->group);
        if (why.state == HANDLE_BACKING_OFF || why.state == HANDLE_FAILED) {
                why.attempt = life->runner.n_failed;
                why.attempts = handle_policy(handle)->runner.attempts;
        }
        *ret = why;
}

void handle_each_run(const struct handle *handle, handle_run_cb cb, void *arg) {
        const struct handle_life *life = handle_life(handle);

        for (size_t i = 1; life->records && i <= LIMIT_RUN_RECORDS; i++) {
                size_t at = (life->next_record + LIMIT_RUN_RECORDS - i) % LIMIT_RUN_RECORDS;
                const struct run_record *record = &life->records[at];

                if (record->result.seq)
                        cb(arg, &record->result, record->complaint);
        }
}

static const struct run_record *last_record(const struct handle *handle) {
        const struct handle_life *life = handle_life(handle);

        if (!life->n_runs || !life->records)
                return NULL;
        return &life->records[(life->next_record + LIMIT_RUN_RECORDS - 1) % LIMIT_RUN_RECORDS];
}

bool handle_last_run(const struct handle *handle, struct run_result *ret) {
        const struct run_record *record = last_record(handle);

        if (record)
                *ret = record->result;
        return record;
}

const char *handle_last_complaint(const struct handle *handle) {
        const struct run_record *record = last_record(handle);

        return record ? record->complaint : NULL;
}

void handle_get_stats(const struct handle *handle, struct handle_stats *ret) {
        const struct handle_life *life = handle_life(handle);
        rouse_async_stats_t stats;

        rouse_async_stats(handle_async(handle), &stats);
        *ret = (struct handle_stats){.sends = stats.sends,
                                     .wakes = handle->seq - handle_first_seq(handle)};
        ret->coalesced = stats.sends - stats.pending - life->gate.n_sends - ret->wakes;
        ret->runs = life->n_runs;
        ret->runs_failed = life->n_runs_failed;
        ret->wake_latency = life->wake_latency;
        ret->run_duration = life->run_duration;
}

struct histogram *handle_sketched_latency(const struct handle *handle) {
        const struct handle_past *past = handle_own_past(handle);
        struct histogram *histogram;
        rouse_async_stats_t stats;

        if (!past || histogram_new(&histogram) < 0)
                return NULL;
        rouse_async_stats(handle_async(handle), &stats);
        sketch_pour(&past->latency, handle->seq - handle_first_seq(handle), stats.latency_max_ns,
                    histogram);
        return histogram;
}

const char *handle_state_to_string(enum handle_state state) {
        static const char *const names[N_HANDLE_STATES] = {
                [HANDLE_IDLE] = "idle",
                [HANDLE_PENDING] = "pending",
                [HANDLE_QUIET] = "quiet",
                [HANDLE_INTERVAL] = "interval",
                [HANDLE_RUNNING] = "running",
                [HANDLE_BEHIND_RUN] = "behind_run",
                [HANDLE_BACKING_OFF] = "backing_off",
                [HANDLE_FAILED] = "failed",
                [HANDLE_PAUSED] = "paused",
                [HANDLE_GROUP_FULL] = "group_full",
                [HANDLE_CLOSED] = "closed",
        };

        return names[state];
}

const char *handle_disposition_to_string(enum handle_disposition disposition) {
        static const char *const names[N_SEND_DISPOSITIONS] = {
                [SEND_SCHEDULED] = "scheduled",   [SEND_COALESCED] = "coalesced",
                [SEND_BEHIND_RUN] = "behind_run", [SEND_DELAYED] = "delayed",
                [SEND_PAUSED] = "paused",
        };

        return names[disposition];
}

const char *run_outcome_to_string(enum run_outcome outcome) {
        static const char *const names[N_RUN_OUTCOMES] = {
                [RUN_EXITED] = "exited",
                [RUN_SIGNALED] = "signaled",
                [RUN_TIMED_OUT] = "timed_out",
                [RUN_FAILED] = "not_started",
        };

        return names[outcome];
}
