/* Binds handles to a loop: takes what is pending, and closes what has to end. */
#pragma once

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "lib/clock.h"
#include "lib/doorbell.h"
#include "lib/list.h"
#include "lib/loopside.h"
#include "lib/names.h"
#include "lib/pool.h"
#include "lib/pools.h"
#include "lib/rouse.h"
#include "lib/stripes.h"

struct rouse_async;

#define CACHE_LINE   64
#define HUB_MAX_ROOM 128

/* Wakes of one pass that share a reading of the clock: it costs as much as all else in a wake. */
#define WAKES_PER_CLOCK 64

struct rouse_hub {
        /* Senders write these. */
        alignas(CACHE_LINE) _Atomic(struct rouse_async *) pending; /* last sent first */
        struct doorbell bell;

        /* Every send reads these, and next to nobody writes here. */
        alignas(CACHE_LINE) const char *thread;
        struct stripe_rack stripes;

        /* Who makes or frees a handle writes these. */
        alignas(CACHE_LINE) _Atomic size_t n_refs; /* on the memory: one a handle, and one for the
                                                    * hub until it is closed */
        struct pool pool;   /* of anonymous handles; the loop thread allocates */
        struct pools named; /* of named ones */
        size_t n_room;      /* bytes before each named handle that are its owner's */
        void *owner;        /* borrowed; or NULL */

        /* The loop thread's own. */
        /* The time as this thread knows it while it is awake, 0 while it may sleep: the bell is not
         * armed unless it is 0. For this thread alone, and signal handlers on it. */
        alignas(CACHE_LINE) _Atomic uint64_t now_ns;
        struct loopside loopside;
        uv_poll_t poll;
        uv_check_t check;
        uv_prepare_t prepare;
        uv_idle_t idle;
        struct list handles; /* open ones, in order of creation */
        struct list walks;   /* struct walk: rouse_hub_each() that go on */
        struct list endings; /* struct ending, in the order of the calls */
        struct names names;
        size_t n_holds; /* open handles that hold the loop */
        size_t n_limbo; /* closed handles that are still on the pending list */
        unsigned int n_open_uv;
        bool is_passing;       /* within a pass */
        unsigned int n_passes; /* since stripes were checked */
        unsigned int n_lively; /* turns to go without sleep, because more sends are likely */
        bool is_closing;
        bool is_ended; /* the libuv handles are being closed */
        rouse_hub_close_cb close_cb;
        void *close_arg;
};

/* Its address tells threads apart, and costs less than pthread_self(): sends ask for it. The model
 * keeps it in the block that a thread has from its start, so that a handler may ask, too. */
extern _Thread_local char rouse__this_thread __attribute__((tls_model("initial-exec")));

static inline bool rouse__hub_is_here(const struct rouse_hub *hub) {
        return hub->thread == &rouse__this_thread;
}

void rouse__hub_ref(struct rouse_hub *hub);   /* any thread */
void rouse__hub_unref(struct rouse_hub *hub); /* any thread */

/* The time, which is kept for the rest of the turn if many sends are likely to ask for it. The loop
 * thread, and signal handlers on it. */
uint64_t rouse__hub_read_clock(struct rouse_hub *hub);

/* The time for a first send of the loop thread, or of a signal handler on it, made now. */
static inline uint64_t rouse__hub_send_time(struct rouse_hub *hub) {
        /* Relaxed, here and everywhere: no other thread looks at it. */
        uint64_t now_ns = atomic_load_explicit(&hub->now_ns, memory_order_relaxed);

        return now_ns ? now_ns : rouse__hub_read_clock(hub);
}

/* The time that a pass goes by, which it reads from time to time. In the callback of a wake. */
static inline uint64_t rouse__hub_now(const struct rouse_hub *hub) {
        return atomic_load_explicit(&hub->now_ns, memory_order_relaxed);
}

/* The time for the n-th wake of those that were taken together, which is never before they were.
 * Loop thread. */
static inline uint64_t rouse__hub_wake_time(struct rouse_hub *hub, size_t n) {
        if (n % WAKES_PER_CLOCK == 0)
                atomic_store_explicit(&hub->now_ns, clock_now_ns(), memory_order_relaxed);
        return atomic_load_explicit(&hub->now_ns, memory_order_relaxed);
}

/* Whether something is on the pending list. Any thread. */
static inline bool rouse__hub_is_pending(const struct rouse_hub *hub, memory_order order) {
        return atomic_load_explicit(&hub->pending, order) != NULL;
}
/* Puts a handle, which the caller has made pending, on the pending list, and rings if need be. Any
 * thread, async-signal-safe; something must keep the hub's memory during the call. */
void rouse__hub_post(struct rouse_hub *hub, struct rouse_async *async);

/* Below: loop thread. */

/* Each named handle that is made from now on has so many bytes, a multiple of a pointer's size, for
 * its owner, in the same place and for as long as the handle's memory; not zeroed. At most
 * HUB_MAX_ROOM; before the first handle. `owner` is found by each of them, as hub->owner. */
void rouse__hub_give_room(struct rouse_hub *hub, size_t n_bytes, void *owner);
/* Keeps the loop alive, or not, after n_holds or the endings changed. */
void rouse__hub_hold(struct rouse_hub *hub);
/* A wake covered so many sends of other threads. */
void rouse__hub_expect(struct rouse_hub *hub, uint64_t n_sends);
/* A handle leaves the list of the open ones. */
void rouse__hub_remove(struct rouse_hub *hub, struct list *link);
/* An ending was appended: the loop must not sleep before it has seen to it. */
void rouse__hub_stir(struct rouse_hub *hub);
