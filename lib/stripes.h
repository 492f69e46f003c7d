/*
 * Counters for a handle that several threads send to: a line for each thread, so that they do not
 * take one cache line from each other, and need no atomic read-modify-write. A rack has a few sets
 * of lines, made when needed.
 */
#pragma once

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
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

/* Of a thread, given by an address of its own. Others may have the same by chance. */
static inline uint8_t rouse__crowd_mark(const void *thread) {
        uint64_t hash = (uint64_t)(uintptr_t)thread * UINT64_C(0x9e3779b97f4a7c15);

        return (uint8_t)(N_STRIPE_SETS + 1 + (hash >> 32) % (CROWD_SEVERAL - N_STRIPE_SETS - 1));
}

struct stripe {
        alignas(64) _Atomic uint64_t n_sends; /* only grows, but for refused ones */
        atomic_bool is_busy;                  /* its owner is in the middle of changing it */
};

#define N_STRIPES 16U

struct rouse_async;

struct stripe_set {
        struct rouse_async *async; /* whose it is, until that is closed; loop thread */
        /* Written by the loop thread, or by who frees the handle when nobody else has it. */
        alignas(64) _Atomic uint64_t n_taken;
        atomic_bool is_lent;
        /* Of the lines, and not in them: who looks for his own takes no other from its owner. */
        alignas(64) _Atomic(const void *) owners[N_STRIPES]; /* NULL: free */
        struct stripe lines[N_STRIPES];
};

/* One hub's. Handles name a set by its number, from 1. */
struct stripe_rack {
        bool has_barrier;   /* the kernel has been asked for it; loop thread */
        uint64_t unchecked; /* sets that were taken from, a bit each; loop thread */
        /* Each is written once, before its number is known to anybody. */
        struct stripe_set *sets[N_STRIPE_SETS];
};

void rouse__stripes_deinit(struct stripe_rack *rack);

/* A set for a handle, with nothing pending; 0: none is to be had. Loop thread. */
uint8_t rouse__stripes_lend(struct stripe_rack *rack, struct rouse_async *async);
/* The handle is closed: it will not be checked any more. Loop thread. */
void rouse__stripes_forget(struct stripe_rack *rack, uint8_t number);
/* Nobody sends to the handle any more. Any thread. */
void rouse__stripes_return(struct stripe_rack *rack, uint8_t number);

/* Looks for it in all places, from `first` on. */
struct stripe *rouse__stripes_search(struct stripe_set *set, unsigned int first,
                                     const void *thread);

/* Where the line of a thread, given by an address of its own, is most likely. */
static inline unsigned int rouse__stripes_place(const void *thread) {
        /* Stacks, and what lies beside them, are so many pages apart, and one. */
        return ((uintptr_t)thread >> 12) % N_STRIPES;
}

/* The line of this thread if it is there, else NULL. Async-signal-safe. */
static inline struct stripe *rouse__stripes_look(struct stripe_rack *rack, uint8_t number,
                                                 const void *thread) {
        struct stripe_set *set = rack->sets[number - 1];
        unsigned int place = rouse__stripes_place(thread);
        /* Relaxed: an owner's own address is there since it wrote it. */
        const void *owner = atomic_load_explicit(&set->owners[place], memory_order_relaxed);

        return owner == thread ? &set->lines[place] : NULL;
}

/* The line of this thread; NULL: all are taken. Async-signal-safe. */
static inline struct stripe *rouse__stripes_line(struct stripe_rack *rack, uint8_t number,
                                                 const void *thread) {
        return rouse__stripes_search(rack->sets[number - 1], rouse__stripes_place(thread), thread);
}

/* Adds to the caller's own line. False: nothing was done, because the caller is a signal handler
 * that interrupts its thread in here. What follows in the program may yet be carried out before
 * others see the new count; see rouse__stripes_check(). */
static inline bool rouse__stripe_add(struct stripe *line, uint64_t n) {
        if (atomic_load_explicit(&line->is_busy, memory_order_relaxed))
                return false;
        /* Relaxed: for this thread's handlers. */
        atomic_store_explicit(&line->is_busy, true, memory_order_relaxed);
        atomic_signal_fence(memory_order_seq_cst);
        /* Release: what the sender wrote before goes with the count. */
        atomic_store_explicit(&line->n_sends,
                              atomic_load_explicit(&line->n_sends, memory_order_relaxed) + n,
                              memory_order_release);
        atomic_signal_fence(memory_order_seq_cst);
        atomic_store_explicit(&line->is_busy, false, memory_order_relaxed);
        return true;
}

/* Sends counted and not taken. Any thread. */
uint64_t rouse__stripes_pending(const struct stripe_rack *rack, uint8_t number);

/* The same, and takes them. Loop thread. */
uint64_t rouse__stripes_take(struct stripe_rack *rack, uint8_t number);

/*
 * Calls `found` for each handle that has something pending which was not there yet, or not to be
 * seen, when it was last taken from. Who looks at something after it has counted, and saw there
 * what the caller changed before this call, is counted here: the kernel makes every running thread
 * of the process finish its writes first, so that the senders need not do so. Loop thread.
 */
void rouse__stripes_check(struct stripe_rack *rack, void (*found)(struct rouse_async *async));
