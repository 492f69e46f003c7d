/* The inside of a handle, for the files that make up handles and the registry. */
#pragma once

#include "daemon/deadline.h"
#include "daemon/gate.h"
#include "daemon/group.h"
#include "daemon/handle-context.h"
#include "daemon/handle.h"
#include "daemon/histogram.h"
#include "daemon/runner.h"
#include "daemon/seqfile.h"
#include "daemon/sketch.h"
#include "lib/async.h"
#include "lib/hub.h"

#define HANDLE_ROOM 64

struct policy_conf;
struct run;

/* A run that has ended. */
struct run_record {
        struct run_result result; /* seq 0: none */
        char *complaint;          /* or NULL */
};

/* What only handles have that were paused or closed, or that were sent to and do more than wake:
 * most of a million do not. */
struct handle_life {
        struct handle *handle;
        struct gate gate;
        struct runner runner;
        struct deadline deadline; /* of the gate or the runner, whichever is earlier */
        struct run *run;          /* the one that goes on */
        struct group *group;      /* counted; or NULL */
        struct group_member membership;
        struct list link;           /* in its owner's closed handles */
        uint64_t first_seq;         /* before the first wake */
        uint64_t n_sends_to_run;    /* that wakes took and no run has covered */
        struct keyset *keys;        /* of sends that no wake has covered */
        struct keyset *keys_to_run; /* of wakes that no run has covered */
        struct histogram *wake_latency;
        struct histogram *run_duration;
        struct run_record
                *records; /* a ring of the last LIMIT_RUN_RECORDS; made by the first run */
        size_t next_record;
        uint64_t n_runs, n_runs_failed;
        int64_t paused_realtime_ms;
        uint64_t paused_until_ns; /* UINT64_MAX: until somebody resumes it */
        uid_t paused_by;
};

/* What is kept of wakes that needed no life. */
struct handle_past {
        uint64_t woken_ns; /* the last */
        struct sketch latency;
};

/*
 * A line of the cache, in the room before its async, whose memory it shares. A plain wake touches
 * nothing else of the daemon's but the record of its number, and among very many handles each line
 * more costs a tenth of its time. Hence what is the same for all handles, or for all parts of a
 * configuration, does not stand here.
 */
struct handle {
        struct list watches;
        uint64_t seq;
        struct seqfile_entry entry;
        bool is_plain : 1; /* its configuration has no action and no policy */
        bool has_life : 1;
        bool has_past : 1;      /* there were wakes without a life */
        bool is_unnumbered : 1; /* the library counts a wake that has no number yet */
        bool is_retiring : 1; /* not configured any more: cannot be found to be sent to, and closes
                                 when nothing is left to do */
        bool is_advancing : 1;
        bool is_quiet : 1;              /* closed, and no callback can come any more */
        bool is_discarded : 1;          /* closed and shown nowhere */
        const struct handle_conf *conf; /* its configuration is counted; NULL: created over the
                                           control socket */
        union {
                struct handle_past past;  /* zeroed with the handle */
                struct handle_life *life; /* if it has_life */
        };
};

_Static_assert(sizeof(void *) != 8 || sizeof(struct handle) == HANDLE_ROOM, "no padding");

/* Of a named one of the registry's hub; also its data. */
static inline struct handle *handle_of_async(rouse_async_t *async) {
        return rouse__async_room(async);
}

/* The hub has only names of open handles, and each of those is ours. */
static inline struct handle *handle_of_name(struct rouse__name *name) {
        return handle_of_async(rouse__async_from_name(name));
}

/* The handle has a reference to it. */
static inline rouse_async_t *handle_async(const struct handle *handle) {
        return (rouse_async_t *)(void *)((char *)handle + HANDLE_ROOM);
}

static inline struct handle_context *handle_context(const struct handle *handle) {
        return handle_async(handle)->handle.hub->owner;
}

/* In the time of its deadlines. */
static inline uint64_t handle_now(const struct handle *handle) {
        return deadline_now(handle_context(handle)->tools.deadlines);
}

/* NULL: it has none. */
static inline struct handle_life *handle_own_life(const struct handle *handle) {
        return handle->has_life ? handle->life : NULL;
}

/* Of its owner's list of closed ones, which have a life. */
static inline struct handle *handle_of_closed(struct list *link) {
        return container_of(link, struct handle_life, link)->handle;
}

/* NULL: it has a life, or was never woken. */
static inline const struct handle_past *handle_own_past(const struct handle *handle) {
        return handle->has_past && !handle->has_life ? &handle->past : NULL;
}

/* Makes a handle and its async. conf may be NULL. `run` goes on, of a closed handle of this name,
 * and is the new one's from now on; or NULL. -EEXIST, -EINVAL, -ENOMEM. */
int handle_new(struct handle_context *context, const char *name, const struct handle_conf *conf,
               struct run *run, struct handle **ret);
/* Closes it if it is not closed, shows it no more, and frees it when its async is quiet and no run
 * goes on. */
void handle_discard(struct handle *handle);

/* Takes another configuration, after its owner has said whether it retires; nothing fires because
 * of it that was not due before. NULL: none any more, so what is pending is delivered without
 * delay, and then the handle is closed. */
void handle_configure(struct handle *handle, const struct handle_conf *conf);
/* The daemon stops: what limits hold back is delivered now. */
void handle_flush(struct handle *handle);
/* Something is pending, running or to be run. */
bool handle_is_busy(const struct handle *handle);

/* Between the files of a handle. */

/* Wakes and runs if it is due, and sets the deadline for the rest. */
void handle_advance(struct handle *handle, uint64_t now_ns);
void handle_free_if_done(struct handle *handle);
/* Made when it is first needed; NULL: out of memory. */
struct handle_life *handle_live(struct handle *handle);
/* The number of its last wake when it was made. */
uint64_t handle_first_seq(const struct handle *handle);
/* For looking: what a handle without a life is like. */
const struct handle_life *handle_life(const struct handle *handle);
/* Made with its first value, if there is memory. */
static inline void handle_record(struct histogram **histogram, uint64_t value) {
        if (*histogram || histogram_new(histogram) == 0)
                histogram_add(*histogram, value);
}

/* The run of a closed handle becomes this one's, which has a life and no run. */
void handle_inherit_run(struct handle *handle, struct run *run);
/* A wake is to become a run. */
void handle_run_wake(struct handle *handle);
/* There may be no next wake: what waits for one without being late is run now. It has a life. */
void handle_run_flush(struct handle *handle);
/* Time has passed. It has a life. */
void handle_run_tick(struct handle *handle, uint64_t now_ns);
/* Its configuration has changed; it now belongs to this group (consumed; or NULL). */
void handle_run_configure(struct handle *handle, struct group *group);

void handle_tell_wake(struct handle *handle, uint64_t seq, uint64_t n_sends);
void handle_tell_run_started(struct handle *handle, uint64_t seq, uint64_t n_sends);
void handle_tell_run_ended(struct handle *handle, const struct run_result *result);
void handle_tell_action_gone(struct handle *handle);
void handle_tell_closed(struct handle *handle);

/* What would become of a send now. */
enum handle_disposition handle_foresee(const struct handle *handle);
/* Sends that the gate has not seen yet. */
uint64_t handle_n_unseen(const struct handle *handle);

const struct policy_conf *handle_policy(const struct handle *handle);
