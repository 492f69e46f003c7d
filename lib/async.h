/* An async handle: sends are counted, and wake it on the loop thread. */
#pragma once

#include <stddef.h>

#include "lib/handle.h"
#include "lib/hub.h"
#include "lib/latency.h"
#include "lib/list.h"
#include "lib/loopside.h"

/* The name of a named handle lies behind it, in the same allocation; and its owner's room, if the
 * hub gives one, before it. */
struct rouse__name {
        struct rouse__name *next; /* in its bucket */
        uint32_t hash;
        uint8_t n_text; /* without the NUL */
        char text[];
};

/* Of n_wakes: sends are going over from one counter to another. */
#define ASYNC_COUNTING (UINT64_C(1) << 63)

/* Of a million handles every byte counts. */
struct rouse_async {
        struct rouse_handle handle;
        /* Whose send is the first owns these until the handle is on the pending list, then the loop
         * does until it takes the count. */
        struct rouse_async *next;
        uint32_t first_ns_low; /* the time of that send; 48 bits of it are three days */
        uint16_t first_ns_high;
        _Atomic uint8_t n_here; /* sends, if it is on the loopside; written by the loop */
        _Atomic uint8_t crowd;  /* what is known of who sends; see stripes.h */
        /* Written by the loop, read by anybody. */
        _Atomic uint64_t n_wakes; /* and ASYNC_COUNTING */
        _Atomic uint64_t n_coalesced;
        rouse_async_cb cb; /* never changes */
        /* Sends and wakes touch what is above, one line of the cache if it begins with one. */
        void *data;       /* never changes */
        struct list link; /* of the open handles, in order of creation; loop thread */
};

_Static_assert(sizeof(void *) != 8 || offsetof(struct rouse_async, data) == CACHE_LINE, "a line");
_Static_assert(sizeof(void *) != 8 || sizeof(struct rouse_async) == 88, "no padding");

static inline struct rouse__name *rouse__async_get_name(const struct rouse_async *async) {
        return (struct rouse__name *)(void *)(async + 1);
}

static inline struct rouse_async *rouse__async_from_name(struct rouse__name *name) {
        return (struct rouse_async *)(void *)name - 1;
}

/* What rouse__hub_give_room() has promised. */
static inline void *rouse__async_room(struct rouse_async *async) {
        return (char *)async - async->handle.hub->n_room;
}

static inline struct rouse_async *rouse__async_from_handle(struct rouse_handle *handle) {
        return container_of(handle, struct rouse_async, handle);
}

/* From the first send to the last wake, as rouse_async_stats() has it. Loop thread. */
static inline uint64_t rouse__async_last_latency(const struct rouse_async *async) {
        uint32_t bits = atomic_load_explicit(&async->handle.kind_bits, memory_order_relaxed);

        return rouse__latency_decode((uint16_t)(bits & 0xffff));
}

/* Sends begin to go over from one counter to another. Returns n_wakes. Loop thread. */
static inline uint64_t rouse__async_begin_counting(struct rouse_async *async) {
        /* Relaxed: only this thread writes it, and what follows releases. */
        uint64_t n_wakes = atomic_load_explicit(&async->n_wakes, memory_order_relaxed);

        atomic_store_explicit(&async->n_wakes, n_wakes | ASYNC_COUNTING, memory_order_relaxed);
        return n_wakes;
}

static inline void rouse__async_end_counting(struct rouse_async *async, uint64_t n_wakes) {
        /* Release: who sees it sees all that went over. */
        atomic_store_explicit(&async->n_wakes, n_wakes, memory_order_release);
}

/* Sends n times at once, n > 0; as rouse_async_send(), but on the loop thread, and not in a signal
 * handler. */
int rouse__async_send_many(struct rouse_async *async, uint64_t n_sends);

/* Whether nothing is pending, as this thread sees it; false: perhaps. Relaxed: what others send now
 * is neither before nor after, and a look needs no guard. Loop thread. */
static inline bool rouse__async_is_idle(const struct rouse_async *async) {
        uint64_t word = atomic_load_explicit(&async->handle.word, memory_order_relaxed);
        uint8_t crowd = atomic_load_explicit(&async->crowd, memory_order_relaxed);

        return !rouse__word_is_pending(word) && !rouse__crowd_has_stripes(crowd) &&
               atomic_load_explicit(&async->n_here, memory_order_relaxed) == 0;
}

/* The turns of all that are on the loopside now. Returns how many that were. Callbacks run
 * unguarded; the rest of it, and the call, are guarded. Loop thread. */
size_t rouse__async_wake_loopside(struct rouse_hub *hub);

/* The turn of a handle that was taken off the pending list: its callback runs if it is open, it is
 * freed if nobody has it any more. It must not be touched after this. Loop thread,
 * guarded but for the callback. */
void rouse__async_wake(struct rouse_async *async, uint64_t now_ns);

/* Before it is closed: it is on the loopside no more, and its stripes are not checked any more.
 * What was sent to it stays pending. Loop thread. */
void rouse__async_withdraw(struct rouse_async *async);

/* Adds sends to the word of an open handle, and pushes it if it was not pending. Loop thread. */
void rouse__async_add(struct rouse_async *async, uint64_t n_sends);
/* Makes it pending, without a send. Loop thread. */
void rouse__async_nudge(struct rouse_async *async);

/* Nobody has it, and it is on no list. Any thread. */
void rouse__async_free(struct rouse_async *async);
