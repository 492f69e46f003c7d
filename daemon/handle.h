/* A named handle of the daemon: its sends become wakes, and its wakes become runs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/list.h"
#include "lib/rouse.h"

struct access_rules;
struct handle;
struct handle_conf;
struct handle_tools;
struct histogram;
struct keyset;

/* What `status` and `list` call its state. */
enum handle_state {
        HANDLE_IDLE,
        HANDLE_PENDING,
        HANDLE_QUIET,
        HANDLE_INTERVAL,
        HANDLE_RUNNING,
        HANDLE_BEHIND_RUN,
        HANDLE_BACKING_OFF,
        HANDLE_FAILED,
        HANDLE_PAUSED,
        HANDLE_GROUP_FULL,
        HANDLE_CLOSED,
        N_HANDLE_STATES,
};

/* What became of a send. */
enum handle_disposition {
        SEND_SCHEDULED,  /* made a wake necessary */
        SEND_COALESCED,  /* joined one that was pending */
        SEND_BEHIND_RUN, /* its run follows the one that goes on */
        SEND_DELAYED,    /* a limit holds the wake back */
        SEND_PAUSED,     /* remembered until resume */
        N_SEND_DISPOSITIONS,
};

struct handle_receipt {
        uint64_t ticket; /* the number of the wake that covers the send */
        enum handle_disposition disposition;
};

enum run_outcome {
        RUN_EXITED,    /* status is the exit code */
        RUN_SIGNALED,  /* status is the signal */
        RUN_TIMED_OUT, /* ended by its timeout; status is the signal */
        RUN_FAILED,    /* could not be started; status is a negative errno */
        N_RUN_OUTCOMES,
};

struct run_result {
        uint64_t seq;     /* the last wake before it began: it covers every ticket up to this */
        uint64_t n_sends; /* how many sends it covers */
        uint64_t started_ns, ended_ns; /* monotonic */
        int64_t started_realtime_ms;   /* for people */
        enum run_outcome outcome;
        int status;
        bool success;
};

/* Somebody who is told what happens to one handle. Embedded by its owner. All calls come on the
 * loop thread; adding and removing any watch is legal in all of them. */
struct handle_watch {
        struct list link;
        struct handle *handle;
        const struct handle_watch_ops *ops;
};

struct handle_watch_ops {
        void (*wake)(struct handle_watch *watch, uint64_t seq, uint64_t n_sends);
        void (*run_started)(struct handle_watch *watch, uint64_t seq, uint64_t n_sends);
        /* The handle's last run is this one already. */
        void (*run_ended)(struct handle_watch *watch, const struct run_result *result);
        void (*action_gone)(struct handle_watch *watch); /* nothing will run for what was sent */
        void (*closed)(struct handle_watch *watch);      /* it was removed from the list before */
};
/* Any of these may be NULL. */

void handle_watch_add(struct handle *handle, struct handle_watch *watch,
                      const struct handle_watch_ops *ops);
void handle_watch_remove(struct handle_watch *watch); /* may be repeated */

/* Everything below: loop thread. */

/* The open one of this name, or NULL. */
struct handle *handle_find(const struct handle_tools *tools, const char *name);

/* Sends. key may be NULL. 0; -EBADF: closed. */
int handle_send(struct handle *handle, const char *key, size_t n_key, struct handle_receipt *ret);

/* n sends at once, without keys; n > 0. As handle_send(). */
int handle_send_many(struct handle *handle, uint64_t n_sends);

/* One send with all of these keys, which may be NULL; their overflow goes along. As handle_send().
 */
int handle_send_keys(struct handle *handle, const struct keyset *keys);

/* At most NAMES_AT_ONCE that were sent to, and will wake in this turn of the loop: the processor
 * may fetch what that takes. Some may be NULL. */
void handle_prefetch_wakes(struct handle *const *handles, size_t n);

/* Take or drop the hold on the loop (contract of the library: a boolean, idempotent). -EBADF:
 * closed. */
int handle_start(struct handle *handle);
int handle_stop(struct handle *handle);
/* Delays wakes, remembers sends. Both may be repeated. -EBADF: closed. */
int handle_pause(struct handle *handle, uid_t by_uid, uint64_t for_ns); /* 0: until resume */
int handle_resume(struct handle *handle);
/* For good: what is pending is dropped, a run that goes on ends by itself, watches are told.
 * -EBADF. */
int handle_close(struct handle *handle);

const char *handle_name(const struct handle *handle);
const char *handle_description(const struct handle *handle); /* or NULL */
bool handle_is_active(const struct handle *handle);
bool handle_has_ref(const struct handle *handle);
bool handle_is_paused(const struct handle *handle);
bool handle_is_created(const struct handle *handle); /* made over the control socket */
bool handle_has_action(const struct handle *handle);
uint64_t handle_pending(const struct handle *handle); /* sends that no wake has covered yet */
uint64_t handle_seq(const struct handle *handle);     /* of the last wake; 0 before the first */
enum handle_state handle_state(const struct handle *handle);
const struct access_rules *handle_access(const struct handle *handle);  /* its own; or NULL */
const struct handle_conf *handle_get_conf(const struct handle *handle); /* NULL for a created one */

/* Why the next wake or run waits. */
struct handle_why {
        enum handle_state state;
        uint64_t until_ns; /* monotonic; 0: nobody knows */
        uint64_t run_seq;  /* of the run that goes on, with RUNNING and BEHIND_RUN */
        uint64_t run_started_ns;
        pid_t run_pid;             /* 0: none */
        int64_t since_realtime_ms; /* paused since, running since; 0: does not apply */
        bool is_jitter;            /* with INTERVAL: that is over, and the jitter is not */
        const char *group;         /* with GROUP_FULL */
        uint32_t attempt,
                attempts; /* with BACKING_OFF and FAILED: failed so far, and allowed (0: any) */
        uid_t by_uid;     /* who paused it */
};
void handle_get_why(const struct handle *handle, struct handle_why *ret);

/* The runs that ended last, the newest first. `complaint` is, of one that failed, the beginning of
 * what it wrote to standard error, or why the daemon could not do what it is for; or NULL. */
typedef void (*handle_run_cb)(void *arg, const struct run_result *result, const char *complaint);
void handle_each_run(const struct handle *handle, handle_run_cb cb, void *arg);
/* The last run, false if there was none. */
bool handle_last_run(const struct handle *handle, struct run_result *ret);
/* Its complaint. */
const char *handle_last_complaint(const struct handle *handle);

/* Counters since the daemon started. */
struct handle_stats {
        uint64_t sends, wakes, coalesced;
        uint64_t runs, runs_failed;
        const struct histogram *wake_latency; /* first send to wake, ns; NULL: sketched, or never
                                                 woken */
        const struct histogram *run_duration; /* ns; NULL: never run */
};
void handle_get_stats(const struct handle *handle, struct handle_stats *ret);
/* The latency of wakes that took the short way, which are kept in little room; the caller frees it.
 * NULL: there were none, or no memory. */
struct histogram *handle_sketched_latency(const struct handle *handle);

const char *handle_state_to_string(enum handle_state state);
const char *handle_disposition_to_string(enum handle_disposition disposition);
const char *run_outcome_to_string(enum run_outcome outcome);
