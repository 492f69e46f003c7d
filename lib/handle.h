/* What all kinds of handles have in common: one atomic word, a hub, references. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/rouse.h"

/*
 * The word. Its low bits are flags, the bits above count the sends that no wake has covered yet:
 * one addition makes a send, and tells whether it is the first. An open handle is on the hub's
 * pending list, or about to be put there by whoever made it so, while its count or its nudge is not
 * 0. (The count has room for a year of sends without a wake, made as fast as they can be.)
 */
#define WORD_CLOSED  (UINT64_C(1) << 0)  /* for good; set on the loop thread only */
#define WORD_LIMBO   (UINT64_C(1) << 1)  /* was pending when it was closed, and is not taken yet */
#define WORD_DROPPED (UINT64_C(1) << 2)  /* the last reference is gone */
#define WORD_REF     (UINT64_C(1) << 3)  /* holds the loop, unless closed; loop thread only */
#define WORD_NAMED   (UINT64_C(1) << 4)  /* never changes */
#define WORD_NUDGE   (UINT64_C(1) << 11) /* the loop has to come, whatever the count says */
#define WORD_SHIFT   12
#define WORD_SEND    (UINT64_C(1) << WORD_SHIFT)
#define WORD_FLAGS   (WORD_NUDGE - 1) /* what a wake leaves */

struct rouse_handle {
        _Atomic uint64_t word;
        struct rouse_hub *hub; /* its memory, if nothing else, lives as long as the handle's */
        _Atomic uint32_t n_refs;
        _Atomic uint32_t kind_bits; /* the kind's own: as padding it would cost 8 bytes a handle */
};

/* Whether somebody still has it. One that nobody has is on its way to the loop to be closed, and
 * must not be handed out again. */
static inline bool rouse__handle_is_held(const struct rouse_handle *handle) {
        /* Relaxed: once 0 it stays so, and the memory lasts until the loop's next pass. */
        return atomic_load_explicit(&handle->n_refs, memory_order_relaxed) > 0;
}

/* Of an open handle's word. */
static inline bool rouse__word_is_pending(uint64_t word) {
        return word >= WORD_NUDGE;
}

static inline uint64_t rouse__word_count(uint64_t word) {
        return word >> WORD_SHIFT;
}

struct rouse_handle *rouse__handle_retain(struct rouse_handle *handle); /* any thread */
void rouse__handle_release(struct rouse_handle *handle);                /* any thread */

/* Closes an open handle. UV_EBADF: it is closed. Loop thread. */
int rouse__handle_shut(struct rouse_handle *handle);

/* The turn on the pending list of a closed handle, or of an open one that was dropped: it must not
 * be touched after this. Loop thread. */
void rouse__handle_bury(struct rouse_handle *handle);
void rouse__handle_abandon(struct rouse_handle *handle);
