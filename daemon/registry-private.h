/* The inside of the registry, for the files that make up handles and the registry. */
#pragma once

#include <uv.h>

#include "daemon/handle.h"
#include "daemon/registry.h"
#include "lib/hub.h"

struct configuration;
struct deadline_queue;
struct group;
struct histogram;
struct reaper;
struct run;
struct seqfile;
struct tails;

struct registry {
        uv_loop_t *loop;
        rouse_hub_t *hub;
        struct deadline_queue *deadlines;
        struct seqfile *seqfile;
        struct reaper *reaper;
        struct tails *tails;
        struct configuration *configuration; /* counted; the newest */
        char **env;                          /* of runs, without what tells them their handle */
        size_t n_handles;                    /* open ones */
        size_t n_created;
        size_t n_retiring, n_retiring_fans; /* of them those that send to other handles */
        size_t n_running;
        struct list runs, runs_of_closed; /* that go on, of open handles and of closed ones */
        bool is_stopping;                 /* no limits, no retries */
        bool is_applying;                 /* a configuration */
        struct list closed;               /* still shown, the oldest first … */
        struct names closed_names;        /* … and by name; their hashes are the hub's */
        struct list watches;
        struct group **groups; /* of the newest configuration, counted */
        size_t n_groups;
        struct histogram *wake_latency; /* of all handles; NULL: nothing was woken */
        struct histogram *run_duration;
        uint64_t chance;          /* from which jitter is drawn */
        struct handle_stats gone; /* counters of handles that are no more */
        uint64_t n_wakes, n_wakes_at_mark;
        bool is_monotonic;          /* deadlines go by the clock that the hub goes by */
        uint64_t hub_ns, now_ns;    /* else: one moment, of the hub's clock and of theirs */
        bool is_settled;            /* while stopping: all sends have become wakes */
        bool ends_runs, kills_runs; /* while stopping: also those that begin now */
        void (*idle_cb)(void *arg);
        void *idle_arg;
};

/* Makes a handle and shows it. conf NULL: without an action. As registry_create(). */
int registry_add(struct registry *registry, const char *name, const struct handle_conf *conf,
                 struct handle **ret);
/* It is not configured any more, or again. */
void registry_set_retiring(struct registry *registry, struct handle *handle, bool is_retiring);
/* From handle_advance(): it retires, and nothing is left to do for it. Closes it as soon as nobody
 * is left who may send to it. */
void registry_retire(struct registry *registry, struct handle *handle);
/* From registry_closed(). */
void registry_retiring_closed(struct registry *registry, struct handle *handle);
/* From handle_close(): shows it for a while, or discards it. */
void registry_closed(struct registry *registry, struct handle *handle);
/* Discards a closed one that is shown. */
void registry_forget_closed(struct registry *registry, struct handle *handle);
/* A reference to the group of this name as the newest configuration has it, or NULL. */
struct group *registry_group(struct registry *registry, const char *name);
void registry_free_groups(struct group **groups, size_t n_groups);
/* As registry_wake_time(), in the time of a test's own clock. */
uint64_t registry_wake_time_there(struct registry *registry);

/* The time of the wake that goes on, not more than a few wakes ago. */
static inline uint64_t registry_wake_time(struct registry *registry) {
        return registry->is_monotonic ? rouse__hub_now(registry->hub)
                                      : registry_wake_time_there(registry);
}
/* A run begins; it was not started yet. */
void registry_run_begins(struct registry *registry, struct run *run);
/* Its handle was closed, or is another one now. */
void registry_place_run(struct registry *registry, struct run *run);
/* It has been started, and goes on. */
void registry_run_goes_on(struct registry *registry, struct run *run);
/* A run is no more. */
void registry_run_ended(struct registry *registry);
