/* What all handles of the daemon share. The registry owns it and keeps them; they know it by its
 * callbacks alone. Loop thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/groups.h"
#include "daemon/handle-tools.h"
#include "daemon/runs.h"
#include "lib/hub.h"

struct handle;
struct handle_context;
struct histogram;

struct handle_owner_ops {
        /* The handle was closed. */
        void (*closed)(struct handle_context *context, struct handle *handle);
        /* It retires, and nothing is left to do for it. */
        void (*retired)(struct handle_context *context, struct handle *handle);
        /* A run has ended, and what follows from that was done. */
        void (*run_ended)(struct handle_context *context);
};

struct handle_context {
        struct handle_tools tools;
        const struct handle_owner_ops *owner;
        struct groups groups; /* of the newest configuration */
        struct runs runs;
        bool is_stopping; /* no limits, no retries */
        uint64_t n_wakes;
        struct histogram *wake_latency; /* of all handles; NULL: nothing was woken */
        struct histogram *run_duration;
        uint64_t chance;         /* from which jitter is drawn */
        bool is_monotonic;       /* deadlines go by the clock that the hub goes by */
        uint64_t hub_ns, now_ns; /* else: one moment, of the hub's clock and of theirs */
};

void handle_context_init(struct handle_context *context, const struct handle_tools *tools,
                         const struct handle_owner_ops *owner);
void handle_context_deinit(struct handle_context *context);

/* As handle_context_wake_time(), in the time of a test's own clock. */
uint64_t handle_context_wake_time_there(struct handle_context *context);

/* The time of the wake that goes on, not more than a few wakes ago. */
static inline uint64_t handle_context_wake_time(struct handle_context *context) {
        return context->is_monotonic ? rouse__hub_now(context->tools.hub)
                                     : handle_context_wake_time_there(context);
}
