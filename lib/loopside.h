/*
 * What the loop's own thread has sent since the last pass, first sent first: no other thread writes
 * it, so that such sends need no atomic read-modify-write.
 *
 * A handle has a slot from its first send until its wake, and counts itself what is sent to it
 * meanwhile. So a send looks for nothing: the first one takes the next slot, the others only count.
 *
 * Signal handlers on this thread may come in the middle. Whoever changes something here is guarded;
 * a handler that finds it guarded sends like another thread, and else is done before the
 * interrupted code goes on.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rouse_async;

#define LOOPSIDE_SLOTS 1024U

#define LOOPSIDE_AHEAD 4U

/* What a handle can count of it, in a byte. */
#define LOOPSIDE_MAX UINT8_MAX

struct loopside_slot {
        struct rouse_async *async; /* NULL: withdrawn */
        uint64_t first_ns;
};

struct loopside {
        atomic_bool is_guarded;
        bool has_passed_by; /* this thread has sent without it since that was last cleared */
        /* Of slots in use. They go on counting over LOOPSIDE_SLOTS, but begin at 0 again whenever
         * none is: so turns of few sends use the same few slots. */
        uint64_t head, tail;
        struct loopside_slot slots[LOOPSIDE_SLOTS];
};

/* Relaxed: other threads do not look. For this thread and its handlers the fences keep the order.
 */

static inline bool rouse__loopside_is_guarded(const struct loopside *side) {
        return atomic_load_explicit(&side->is_guarded, memory_order_relaxed);
}

static inline void rouse__loopside_guard(struct loopside *side) {
        atomic_store_explicit(&side->is_guarded, true, memory_order_relaxed);
        atomic_signal_fence(memory_order_seq_cst);
}

static inline void rouse__loopside_unguard(struct loopside *side) {
        atomic_signal_fence(memory_order_seq_cst);
        atomic_store_explicit(&side->is_guarded, false, memory_order_relaxed);
}

static inline bool rouse__loopside_is_empty(const struct loopside *side) {
        return side->head == side->tail;
}

static inline bool rouse__loopside_is_full(const struct loopside *side) {
        return side->tail - side->head == LOOPSIDE_SLOTS;
}

/* Whether it surely is not full, at a glance: nothing has been left in it for so many slots. */
static inline bool rouse__loopside_has_room(const struct loopside *side) {
        return side->tail < LOOPSIDE_SLOTS;
}

/* The next slot, which is taken only if the send is the handle's first. No branch goes by that:
 * sends to many handles would be mispredicted all the time. Guarded, and not full. */
static inline void rouse__loopside_append(struct loopside *side, struct rouse_async *async,
                                          bool is_first, uint64_t now_ns) {
        struct loopside_slot *slot = &side->slots[side->tail % LOOPSIDE_SLOTS];

        slot->async = async;
        slot->first_ns = now_ns;
        side->tail += is_first;
}

/* Its slot has nobody from now on, but keeps its place. Guarded. */
static inline void rouse__loopside_withdraw(struct loopside *side,
                                            const struct rouse_async *async) {
        for (uint64_t i = side->head; i != side->tail; i++) {
                struct loopside_slot *slot = &side->slots[i % LOOPSIDE_SLOTS];

                if (slot->async != async)
                        continue;
                slot->async = NULL;
                return;
        }
}

/* The first slot, which is free from now on: it is good until others may send. Guarded. */
static inline struct loopside_slot *rouse__loopside_take(struct loopside *side) {
        return &side->slots[side->head++ % LOOPSIDE_SLOTS];
}

/* One that will be taken soon. Perhaps nobody has it: then it is good for no more than a prefetch.
 */
static inline const struct loopside_slot *rouse__loopside_ahead(const struct loopside *side) {
        return &side->slots[(side->head + LOOPSIDE_AHEAD) % LOOPSIDE_SLOTS];
}

/* If no slot is in use, the next is the first again. Guarded. */
static inline void rouse__loopside_rewind(struct loopside *side) {
        if (rouse__loopside_is_empty(side))
                side->head = side->tail = 0;
}
