/*
 * The memory that a daemon shares with an attached client, and every atomic step on it.
 *
 * A word for each handle counts the sends that the daemon has not taken. A summary has a bit for
 * each word that may count any, so that the daemon looks at what is pending only. `armed` is the
 * token of a doorbell (see doorbell.c): it is there while the daemon may sleep.
 *
 *     sender   W1: add to the word    if it counted nothing: W2: set its bit
 *                                                            W3: look at armed; if it is there:
 *                                                                take it, and ring
 *     daemon   T1: take the summary   T2: take each word that has a bit
 *              L1: arm                L2: look at the summary; if it is not empty: take again
 *              C:  close a word, and take it
 *
 * No send is lost. One that finds the word counting comes before the T2 which takes what it found:
 * that T2 has its bit already, or the sender that made the word count has yet to set the bit. One
 * that finds the word at 0 sets the bit after it counted, and T1 comes before T2: so who takes the
 * bit sees the count. And either L2 sees the bit, or it comes before W2, thus L1 before W3, and
 * this sender finds the token, or another one found it and rings. C is one exchange like T2, and
 * the last one of its word: it takes each send that comes before, and those that come after find
 * the flag. tests/test-attach-model.c goes through every interleaving.
 *
 * Each side may find anything in here: neither uses what it reads as an index or an address.
 */
#pragma once

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ATTACH_VERSION   1U
#define ATTACH_WORDS_MAX 1024U
#define ATTACH_GROUP     64U /* words that share a word of the summary */
#define ATTACH_GROUPS    (ATTACH_WORDS_MAX / ATTACH_GROUP)

/* A word: the count stands above the flag, and what overflows drops out at the top. */
#define ATTACH_CLOSED UINT64_C(1) /* for good; only the daemon sets it */
#define ATTACH_SHIFT  1

/* protocol.md tells of it, for clients in other languages. */
struct attach_memory {
        uint32_t version; /* neither of these two changes */
        uint32_t n_words;
        alignas(64) _Atomic uint32_t armed;
        alignas(64) _Atomic uint64_t summary[ATTACH_GROUPS];
        alignas(64) _Atomic uint64_t words[];
};

_Static_assert(offsetof(struct attach_memory, armed) == 64 &&
                       offsetof(struct attach_memory, summary) == 128 &&
                       offsetof(struct attach_memory, words) == 256,
               "as protocol.md has it");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2,
               "between processes there are no locks");

/* Bytes of it for so many words. */
static inline size_t attach_size(size_t n_words) {
        return sizeof(struct attach_memory) + n_words * sizeof(uint64_t);
}

enum attach_sent {
        ATTACH_SENT,
        ATTACH_RING,    /* sent, and the caller has to ring */
        ATTACH_REFUSED, /* the handle is closed */
};

/* W1 to W3. Counts n sends. Any thread of any process, async-signal-safe. */
static inline enum attach_sent attach_send(struct attach_memory *memory, size_t i, uint64_t n) {
        /* Release: who takes this count sees what the sender wrote before, through however many
         * other sends of the same word. */
        uint64_t word = atomic_fetch_add_explicit(&memory->words[i], n << ATTACH_SHIFT,
                                                  memory_order_release);

        if (word & ATTACH_CLOSED)
                return ATTACH_REFUSED; /* nobody takes counts of it any more */
        if (word)
                return ATTACH_SENT;
        /* Seq_cst, with L1, L2 and W3 for the proof; it also releases W1 to T1. */
        atomic_fetch_or_explicit(&memory->summary[i / ATTACH_GROUP],
                                 UINT64_C(1) << (i % ATTACH_GROUP), memory_order_seq_cst);
        /* The load keeps senders from fighting over the cache line of a token that is not there;
         * the exchange lets one of them take it. */
        if (atomic_load_explicit(&memory->armed, memory_order_seq_cst) == 0 ||
            atomic_exchange_explicit(&memory->armed, 0, memory_order_seq_cst) == 0)
                return ATTACH_SENT;
        return ATTACH_RING;
}

/* T1: the bits of a group. */
static inline uint64_t attach_take_group(struct attach_memory *memory, size_t group) {
        /* The load spares an empty group the write; it may be late by a bit, which L2 finds.
         * Acquire: T2 sees what was counted before the bits were set. */
        if (atomic_load_explicit(&memory->summary[group], memory_order_relaxed) == 0)
                return 0;
        return atomic_exchange_explicit(&memory->summary[group], 0, memory_order_acquire);
}

/* T2: the sends of a word that is not closed. */
static inline uint64_t attach_take_word(struct attach_memory *memory, size_t i) {
        /* Acquire: the wake sees what the senders wrote before. */
        return atomic_exchange_explicit(&memory->words[i], 0, memory_order_acquire) >> ATTACH_SHIFT;
}

/* C: the last sends of a word that is not closed. Those that come after this are refused. */
static inline uint64_t attach_close_word(struct attach_memory *memory, size_t i) {
        /* Acquire: as T2. */
        return atomic_exchange_explicit(&memory->words[i], ATTACH_CLOSED, memory_order_acquire) >>
               ATTACH_SHIFT;
}

/* L1. */
static inline void attach_arm(struct attach_memory *memory) {
        atomic_store_explicit(&memory->armed, 1, memory_order_seq_cst);
}

/* Spares senders a ring while the daemon is at it. It arms again before it sleeps. */
static inline void attach_disarm(struct attach_memory *memory) {
        /* Relaxed: a sender that finds the token yet only rings for nothing. */
        atomic_store_explicit(&memory->armed, 0, memory_order_relaxed);
}

/* L2. */
static inline bool attach_is_pending(struct attach_memory *memory, size_t n_groups) {
        for (size_t group = 0; group < n_groups; group++)
                if (atomic_load_explicit(&memory->summary[group], memory_order_seq_cst))
                        return true;
        return false;
}
