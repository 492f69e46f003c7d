/*
 * Counters for a handle that several threads send to: a line for each processor, so that senders
 * do not take one cache line from each other. A rack has a few sets of them, made when needed.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define N_STRIPE_SETS 64

/*
 * What a handle knows of those who send to it, in a byte:
 *
 *     0               nothing
 *     1 to 64         its set of stripes; for good
 *     65 to 254       the mark of a thread that has sent a lot since the last wake
 *     CROWD_SEVERAL   several threads have
 */
#define CROWD_SEVERAL UINT8_MAX

static inline bool rouse__crowd_has_stripes(uint8_t crowd) {
        return (uint8_t)(crowd - 1) < N_STRIPE_SETS;
}

/* Of this thread. Others may have the same by chance, and are not told apart then. */
static inline uint8_t rouse__crowd_mark(const void *thread) {
        uint64_t hash = (uint64_t)(uintptr_t)thread * UINT64_C(0x9e3779b97f4a7c15);

        return (uint8_t)(N_STRIPE_SETS + 1 + (hash >> 32) % (CROWD_SEVERAL - N_STRIPE_SETS - 1));
}

struct stripe_set;

/* One hub's. Handles name a set by its number, from 1. */
struct stripe_rack {
        unsigned int mask; /* lines of each set less one; written before the first is made */
        /* Each is written once, before its number is known to anybody. */
        struct stripe_set *sets[N_STRIPE_SETS];
};

void rouse__stripes_deinit(struct stripe_rack *rack);

/* A set for a handle, with nothing pending; 0: none is to be had. Loop thread. */
uint8_t rouse__stripes_lend(struct stripe_rack *rack);
/* Nobody sends to the handle any more. Any thread. */
void rouse__stripes_return(struct stripe_rack *rack, uint8_t number);

/* The line of the processor that this thread is on, or was on lately. Async-signal-safe. */
_Atomic uint64_t *rouse__stripes_line(struct stripe_rack *rack, uint8_t number);

/* Sends counted and not taken. Any thread. */
uint64_t rouse__stripes_pending(const struct stripe_rack *rack, uint8_t number);
/* The same, and takes them. Loop thread. */
uint64_t rouse__stripes_take(struct stripe_rack *rack, uint8_t number);
