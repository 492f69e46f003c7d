/* What all kinds of handles have in common: one atomic word, a hub, references. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/list.h"
#include "lib/rouse.h"

/*
 * The word. Its low bits are flags, the bits above count the sends that ever succeeded: one
 * addition counts a send and tells the flags, and an overflow drops out at the top. Nothing but
 * differences of counts is ever looked at.
 */
#define WORD_CLOSED    (UINT64_C(1) << 0) /* for good; set on the loop thread only */
#define WORD_PENDING   (UINT64_C(1) << 1) /* on the hub's pending list, or about to be pushed */
#define WORD_DROPPED   (UINT64_C(1) << 2) /* the last reference is gone */
#define WORD_REF       (UINT64_C(1) << 3) /* holds the loop, unless closed; loop thread only */
#define WORD_NAMED     (UINT64_C(1) << 4) /* never changes */
#define WORD_SHIFT     12
#define WORD_SEND      (UINT64_C(1) << WORD_SHIFT)
#define WORD_COUNT_MAX (UINT64_MAX >> WORD_SHIFT)

struct rouse_handle {
        _Atomic uint64_t word;
        struct rouse_hub *hub; /* its memory, if nothing else, lives as long as the handle's */
        struct list link;      /* of the open handles, in order of creation; loop thread */
        _Atomic uint32_t n_refs;
        _Atomic uint32_t kind_bits; /* the kind's own: as padding it would cost 8 bytes a handle */
};

/* Whether somebody still has it. One that nobody has is on its way to the loop to be closed, and
 * must not be handed out again. */
static inline bool rouse__handle_is_held(const struct rouse_handle *handle) {
        /* Relaxed: once 0 it stays so, and the memory lasts until the loop's next pass. */
        return atomic_load_explicit(&handle->n_refs, memory_order_relaxed) > 0;
}

/* The sends that the word counts beyond the first n_taken. */
static inline uint64_t rouse__word_count_since(uint64_t word, uint64_t n_taken) {
        return ((word >> WORD_SHIFT) - n_taken) & WORD_COUNT_MAX;
}

struct rouse_handle *rouse__handle_retain(struct rouse_handle *handle); /* any thread */
void rouse__handle_release(struct rouse_handle *handle);                /* any thread */

/* The turn of a handle that was taken off the pending list closed or dropped; `word` is what it had
 * then. Unless it was dropped, it may be somebody else's by now: `hub` is its hub. Loop thread. */
void rouse__handle_bury(struct rouse_hub *hub, struct rouse_handle *handle, uint64_t word);
