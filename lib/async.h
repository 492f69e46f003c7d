/* An async handle: sends are counted, and wake it on the loop thread. */
#pragma once

#include "lib/handle.h"

/* The name of a named handle lies behind it, in the same allocation. */
struct rouse__name {
        struct rouse__name *next; /* in its bucket */
        uint32_t hash;
        char text[];
};

/* Of a million handles every byte counts: 88 bytes fill a chunk of malloc() exactly. */
struct rouse_async {
        struct rouse_handle handle;
        /* Who sets WORD_PENDING owns these two until the handle is on the pending list, then the
         * loop does until it clears the flag. */
        struct rouse_async *next;
        uint64_t first_ns;
        /* Written by the loop, read by anybody. */
        _Atomic uint64_t n_wakes;
        _Atomic uint64_t n_coalesced;
        /* Never change. */
        rouse_async_cb cb;
        void *data;
};

_Static_assert(sizeof(void *) != 8 || sizeof(struct rouse_async) == 88, "a chunk of 96 bytes");

static inline struct rouse__name *rouse__async_get_name(const struct rouse_async *async) {
        return (struct rouse__name *)(void *)(async + 1);
}

static inline struct rouse_async *rouse__async_from_name(struct rouse__name *name) {
        return (struct rouse_async *)(void *)name - 1;
}

static inline struct rouse_async *rouse__async_from_handle(struct rouse_handle *handle) {
        return container_of(handle, struct rouse_async, handle);
}

/* Sends n times at once, n > 0; as rouse_async_send(), but on the loop thread. */
int rouse__async_send_many(struct rouse_async *async, uint64_t n_sends);

/* The turn of a handle that was taken off the pending list: its callback runs if it is open, it is
 * freed if nobody has it any more. It must not be touched after this. Loop thread. */
void rouse__async_wake(struct rouse_async *async, uint64_t now_ns);
