/*
 * The lines of a set only grow, so a sum of them, read one after the other, lies between what they
 * were at the beginning and at the end of the reading. What was taken of them is one more counter
 * that only grows: nothing is ever put back to 0 under a sender's hand.
 *
 * A thread may be moved between asking for its processor and writing to the line. It then shares a
 * line for one send, which costs time and nothing else.
 */

#include "lib/stripes.h"

#include <sched.h>
#include <stdalign.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(__has_include)
#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#define HAVE_RSEQ 1
#endif
#endif

#define CACHE_LINE 64
#define MAX_LINES  16U

struct stripe {
        alignas(CACHE_LINE) _Atomic uint64_t n_sends;
};

struct stripe_set {
        /* Written by the loop thread, or by who frees the handle when nobody else has it. */
        alignas(CACHE_LINE) _Atomic uint64_t n_taken;
        atomic_bool is_lent;
        struct stripe lines[];
};

void rouse__stripes_deinit(struct stripe_rack *rack) {
        for (size_t i = 0; i < N_STRIPE_SETS; i++)
                free(rack->sets[i]);
}

static unsigned int count_lines(void) {
        long n_cpus = sysconf(_SC_NPROCESSORS_CONF);
        unsigned int n = 2;

        while (n < MAX_LINES && (long)n < n_cpus)
                n *= 2;
        return n;
}

static struct stripe_set *set_new(unsigned int n) {
        struct stripe_set *set;
        void *memory;

        if (posix_memalign(&memory, CACHE_LINE, sizeof(*set) + n * sizeof(set->lines[0])) != 0)
                return NULL;
        set = memory;
        *set = (struct stripe_set){0};
        for (unsigned int i = 0; i < n; i++)
                atomic_init(&set->lines[i].n_sends, 0);
        return set;
}

static uint64_t sum(const struct stripe_rack *rack, const struct stripe_set *set) {
        uint64_t n = 0;

        /* Seq_cst: the loop's look after it cleared the word; see send_striped(). It acquires what
         * the senders wrote, too. */
        for (unsigned int i = 0; i <= rack->mask; i++)
                n += atomic_load_explicit(&set->lines[i].n_sends, memory_order_seq_cst);
        return n;
}

uint8_t rouse__stripes_lend(struct stripe_rack *rack) {
        if (rack->mask == 0)
                rack->mask = count_lines() - 1;
        for (uint8_t i = 0; i < N_STRIPE_SETS; i++) {
                struct stripe_set *set = rack->sets[i];

                if (!set)
                        set = rack->sets[i] = set_new(rack->mask + 1);
                if (!set)
                        return 0;
                /* Acquire: all that was done with it comes before. */
                if (atomic_load_explicit(&set->is_lent, memory_order_acquire))
                        continue;
                atomic_store_explicit(&set->is_lent, true, memory_order_relaxed);
                /* Relaxed: published with the number. */
                atomic_store_explicit(&set->n_taken, sum(rack, set), memory_order_relaxed);
                return i + 1;
        }
        return 0;
}

void rouse__stripes_return(struct stripe_rack *rack, uint8_t number) {
        atomic_store_explicit(&rack->sets[number - 1]->is_lent, false, memory_order_release);
}

static unsigned int this_cpu(void) {
#if HAVE_RSEQ
        /* The kernel keeps the number in the thread's own memory, if the C library asked for it. */
        if (__rseq_size > 0) {
                const volatile struct rseq *rseq =
                        (const void *)((const char *)__builtin_thread_pointer() + __rseq_offset);

                return rseq->cpu_id_start;
        }
#endif
        return (unsigned int)sched_getcpu();
}

_Atomic uint64_t *rouse__stripes_line(struct stripe_rack *rack, uint8_t number) {
        return &rack->sets[number - 1]->lines[this_cpu() & rack->mask].n_sends;
}

uint64_t rouse__stripes_pending(const struct stripe_rack *rack, uint8_t number) {
        const struct stripe_set *set = rack->sets[number - 1];
        /* First, as it never passes the sum; acquire, for rouse_async_stats(). */
        uint64_t n_taken = atomic_load_explicit(&set->n_taken, memory_order_acquire);

        return sum(rack, set) - n_taken;
}

uint64_t rouse__stripes_take(struct stripe_rack *rack, uint8_t number) {
        struct stripe_set *set = rack->sets[number - 1];
        uint64_t n_sends = sum(rack, set);
        /* Relaxed: only this thread writes it. */
        uint64_t n_taken = atomic_load_explicit(&set->n_taken, memory_order_relaxed);

        /* Release: who sees this sees that a wake is being counted. */
        atomic_store_explicit(&set->n_taken, n_sends, memory_order_release);
        return n_sends - n_taken;
}
