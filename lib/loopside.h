/*
 * What the loop's own thread has sent since the last pass, first sent first: no other thread writes
 * it, so that such sends need no atomic read-modify-write.
 *
 * A slot belongs to a handle from its first send until its wake. The handle has the number of its
 * slot, which means something only while the slot has the handle.
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

#define LOOPSIDE_SLOTS 256U /* a number in 8 bits */

struct loopside_slot {
        /* Both are read by who takes a snapshot. */
        _Atomic(struct rouse_async *) async;
        _Atomic uint64_t n_sends;
        uint64_t first_ns;
};

struct loopside {
        atomic_bool is_guarded;
        bool has_sent;           /* this thread, unguarded, since that was last cleared */
        unsigned int head, tail; /* of slots in use; they go on counting over LOOPSIDE_SLOTS */
        struct loopside_slot slots[LOOPSIDE_SLOTS];
};

/* All relaxed: other threads only read, and look again at what orders it for them. For this thread
 * and its handlers the fences keep the order. */

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

/* Acquire: who finds it free sees that its sends are being counted, or were. */
static inline struct rouse_async *rouse__loopside_get(const struct loopside_slot *slot) {
        return atomic_load_explicit(&slot->async, memory_order_acquire);
}

static inline bool rouse__loopside_has(const struct loopside_slot *slot,
                                       const struct rouse_async *async) {
        return rouse__loopside_get(slot) == async;
}

/* A send: in the handle's own slot, whose number it has, or else in the next free one. No branch
 * goes by which it is: sends to many handles would be mispredicted all the time. Returns the
 * number. Guarded, and not full. */
static inline uint8_t rouse__loopside_add(struct loopside *side, struct rouse_async *async,
                                          bool has_slot, uint8_t number, uint64_t now_ns) {
        uint64_t mask = -(uint64_t)has_slot;
        uint8_t next = (uint8_t)side->tail;
        struct loopside_slot *slot;

        number = (uint8_t)(next ^ ((next ^ number) & mask));
        slot = &side->slots[number];
        side->tail += !has_slot;
        slot->first_ns = now_ns ^ ((now_ns ^ slot->first_ns) & mask);
        atomic_store_explicit(&slot->n_sends,
                              (atomic_load_explicit(&slot->n_sends, memory_order_relaxed) & mask) +
                                      1,
                              memory_order_relaxed);
        atomic_store_explicit(&slot->async, async, memory_order_relaxed);
        return number;
}

/* More sends. Guarded. */
static inline void rouse__loopside_count(struct loopside_slot *slot, uint64_t n_sends) {
        atomic_store_explicit(&slot->n_sends,
                              atomic_load_explicit(&slot->n_sends, memory_order_relaxed) + n_sends,
                              memory_order_relaxed);
}

/* The slot has nobody from now on, but keeps its place. Returns its sends. Guarded. */
static inline uint64_t rouse__loopside_withdraw(struct loopside_slot *slot) {
        atomic_store_explicit(&slot->async, NULL, memory_order_release);
        return atomic_load_explicit(&slot->n_sends, memory_order_relaxed);
}

/* The same with the first slot, whose place is free then. Guarded. */
static inline uint64_t rouse__loopside_free(struct loopside *side, struct loopside_slot *slot) {
        side->head++;
        return rouse__loopside_withdraw(slot);
}
