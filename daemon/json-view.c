/*
 * Times are milliseconds: of the wall clock (Unix time) where they are points in time, because that
 * is what people and scripts compare them with; lengths come from the monotonic clock. A time that
 * nobody knows is null, so that the members are always there.
 */

#include "daemon/json-view.h"

#include "daemon/handle.h"
#include "daemon/histogram.h"
#include "daemon/json-write.h"
#include "daemon/sentence.h"
#include "lib/clock.h"

static void write_bool(struct buffer *out, const char *key, bool value) {
        json_write_key(out, key);
        json_write_bool(out, value);
}

static void write_u64(struct buffer *out, const char *key, uint64_t value) {
        json_write_key(out, key);
        json_write_u64(out, value);
}

static void write_string(struct buffer *out, const char *key, const char *value) {
        json_write_key(out, key);
        json_write_string(out, value);
}

static void write_time(struct buffer *out, const char *key, int64_t realtime_ms) {
        json_write_key(out, key);
        if (realtime_ms)
                json_write_i64(out, realtime_ms);
        else
                json_write_null(out);
}

static void write_members(struct buffer *out, const struct handle *handle) {
        write_string(out, "name", handle_name(handle));
        write_bool(out, "is_active", handle_is_active(handle));
        write_bool(out, "has_ref", handle_has_ref(handle));
        write_u64(out, "pending", handle_pending(handle));
        write_bool(out, "paused", handle_is_paused(handle));
        write_string(out, "state", handle_state_to_string(handle_state(handle)));
        write_u64(out, "seq", handle_seq(handle));
        write_string(out, "description", handle_description(handle));
}

void view_handle(struct buffer *out, const struct handle *handle) {
        json_write_open(out, '{');
        write_members(out, handle);
        json_write_close(out, '}');
}

void view_gone(struct buffer *out, const char *name, uint64_t seq) {
        json_write_open(out, '{');
        write_string(out, "name", name);
        write_bool(out, "is_active", false);
        write_bool(out, "has_ref", false);
        write_u64(out, "pending", 0);
        write_bool(out, "paused", false);
        write_string(out, "state", handle_state_to_string(HANDLE_CLOSED));
        write_u64(out, "seq", seq);
        write_string(out, "description", NULL);
        json_write_close(out, '}');
}

static void write_why(struct buffer *out, const struct handle_why *why) {
        uint64_t now_ns = clock_now_ns();
        int64_t until_ms = 0;

        if (why->until_ns)
                until_ms = clock_realtime_ms() + (int64_t)(why->until_ns / NS_PER_MS) -
                           (int64_t)(now_ns / NS_PER_MS);
        json_write_open(out, '{');
        write_string(out, "sentence",
                     sentence_why(why, now_ns, clock_realtime_ms(), (char[SENTENCE_MAX]){}));
        write_time(out, "until_ms", until_ms);
        write_time(out, "since_ms", why->since_realtime_ms);
        json_write_key(out, "by_uid");
        if (why->state == HANDLE_PAUSED)
                json_write_u64(out, why->by_uid);
        else
                json_write_null(out);
        write_string(out, "group", why->group);
        write_u64(out, "attempt", why->attempt);
        write_u64(out, "attempts", why->attempts);
        json_write_close(out, '}');
}

static void write_run_going_on(struct buffer *out, const struct handle_why *why) {
        uint64_t now_ns = clock_now_ns();

        if (!why->run_seq) {
                json_write_null(out);
                return;
        }
        json_write_open(out, '{');
        write_u64(out, "seq", why->run_seq);
        json_write_key(out, "pid");
        if (why->run_pid)
                json_write_i64(out, why->run_pid);
        else
                json_write_null(out);
        write_u64(out, "running_ms",
                  now_ns > why->run_started_ns ? (now_ns - why->run_started_ns) / NS_PER_MS : 0);
        json_write_close(out, '}');
}

void view_run(struct buffer *out, const struct run_result *run, const char *complaint) {
        json_write_open(out, '{');
        write_u64(out, "seq", run->seq);
        write_u64(out, "sends", run->n_sends);
        write_string(out, "outcome", run_outcome_to_string(run->outcome));
        json_write_key(out, "status");
        json_write_i64(out, run->status);
        write_bool(out, "success", run->success);
        write_time(out, "started_ms", run->started_realtime_ms);
        write_u64(out, "duration_ms", (run->ended_ns - run->started_ns) / NS_PER_MS);
        write_string(out, "complaint", complaint);
        json_write_close(out, '}');
}

void view_status(struct buffer *out, const struct handle *handle) {
        struct handle_why why;
        struct run_result run;

        handle_get_why(handle, &why);
        json_write_open(out, '{');
        write_members(out, handle);
        write_bool(out, "has_action", handle_has_action(handle));
        json_write_key(out, "why");
        write_why(out, &why);
        json_write_key(out, "run");
        write_run_going_on(out, &why);
        json_write_key(out, "last_run");
        if (handle_last_run(handle, &run))
                view_run(out, &run, handle_last_complaint(handle));
        else
                json_write_null(out);
        json_write_close(out, '}');
}

static void write_histogram(struct buffer *out, const char *key,
                            const struct histogram *histogram) {
        json_write_key(out, key);
        if (!histogram) {
                json_write_null(out);
                return;
        }
        json_write_open(out, '{');
        write_u64(out, "count", histogram_count(histogram));
        write_u64(out, "p50", histogram_quantile(histogram, 500));
        write_u64(out, "p90", histogram_quantile(histogram, 900));
        write_u64(out, "p99", histogram_quantile(histogram, 990));
        write_u64(out, "max", histogram_max(histogram));
        json_write_close(out, '}');
}

void view_stats(struct buffer *out, const struct handle_stats *stats) {
        write_u64(out, "sends", stats->sends);
        write_u64(out, "wakes", stats->wakes);
        write_u64(out, "coalesced", stats->coalesced);
        write_u64(out, "runs", stats->runs);
        write_u64(out, "runs_failed", stats->runs_failed);
        write_histogram(out, "wake_latency_ns", stats->wake_latency);
        write_histogram(out, "run_duration_ns", stats->run_duration);
}
