/* The inside of a handle, for the files that make up handles and the registry. */
#pragma once

#include "daemon/deadline.h"
#include "daemon/gate.h"
#include "daemon/handle.h"
#include "daemon/runner.h"
#include "daemon/seqfile.h"

struct configuration;
struct policy_conf;
struct run;

/* What only handles have that were woken, run or paused. */
struct handle_past {
        struct histogram *wake_latency;
        struct histogram *run_duration;
        struct run_result last_run;
        bool has_run;
        uint64_t n_wakes;
        uint64_t n_runs, n_runs_failed;
        int64_t paused_realtime_ms;
        uid_t paused_by;
};

struct handle {
        struct registry *registry;
        rouse_async_t *async;                /* counted; its data is the handle */
        const struct handle_conf *conf;      /* NULL: created over the control socket */
        struct configuration *configuration; /* counted: conf stands in it */
        struct seqfile_entry entry;
        bool is_retiring; /* not configured any more: closes when nothing is left to do */
        bool is_advancing;
        bool is_quiet;     /* closed, and no callback can come any more */
        bool is_discarded; /* closed and shown nowhere */
        uint64_t seq;
        uint64_t run_seq;
        uint64_t n_sends_to_run; /* that wakes took and no run has covered */
        struct gate gate;
        struct runner runner;
        struct deadline deadline; /* of the gate or the runner, whichever is earlier */
        struct run *run;          /* the one that goes on */
        struct list watches;
        struct list link; /* in the registry's closed handles */
        struct handle_past *past;
};

/* Makes a handle and its async. conf may be NULL. -EEXIST, -EINVAL, -ENOMEM. */
int handle_new(struct registry *registry, const char *name, const struct handle_conf *conf,
               struct configuration *configuration, struct handle **ret);
/* Closes it if it is not closed, shows it no more, and frees it when its async is quiet and no run
 * goes on. */
void handle_discard(struct handle *handle);

/* Takes another configuration; nothing fires because of it that was not due before. NULL: none any
 * more, so what is pending is delivered without delay, and then the handle is closed. */
void handle_configure(struct handle *handle, const struct handle_conf *conf,
                      struct configuration *configuration);
/* The daemon stops: what limits hold back is delivered now. */
void handle_flush(struct handle *handle);
/* Something is pending, running or to be run. */
bool handle_is_busy(const struct handle *handle);
/* Asks the run that goes on to end; kill: at once. */
void handle_stop_run(struct handle *handle, bool kill);

/* From run_finish(). */
void handle_run_ended(struct handle *handle, struct run *run);

/* What would become of a send now. */
enum handle_disposition handle_foresee(const struct handle *handle);
/* Sends that the gate has not seen yet. */
uint64_t handle_n_unseen(const struct handle *handle);

const struct policy_conf *handle_policy(const struct handle *handle);
