/*
 * A line has one writer, the thread that owns it, so it is written without a locked instruction. It
 * only grows: a sum of the lines, read one after the other, lies between what they were at the
 * beginning and at the end of the reading. What was taken of them is one more counter that only
 * grows: nothing is ever put back to 0 under a sender's hand.
 *
 * A sender has to know that the loop will see its count, if it finds the handle pending: a store
 * and then a load, which processors like to turn round. A fence in between would cost as much as
 * the locked instruction. So the loop takes what it sees, and checks later, before it sleeps and
 * from time to time, whether it has seen everything; for that it has the kernel interrupt the
 * threads that run: membarrier(2). Without it there are no stripes.
 *
 * Threads are told apart by an address of their own. Once a thread has ended another one may come
 * by the same address, and goes on with its line.
 */

#include "lib/stripes.h"

#include <linux/membarrier.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

void rouse__stripes_deinit(struct stripe_rack *rack) {
        for (size_t i = 0; i < N_STRIPE_SETS; i++)
                free(rack->sets[i]);
}

static bool barrier(int command) {
        return syscall(SYS_membarrier, command, 0, 0) == 0;
}

static struct stripe_set *set_new(void) {
        struct stripe_set *set;
        void *memory;

        if (posix_memalign(&memory, alignof(struct stripe_set), sizeof(*set)) != 0)
                return NULL;
        set = memory;
        *set = (struct stripe_set){0};
        return set;
}

static uint64_t sum(const struct stripe_set *set) {
        uint64_t n = 0;

        /* Acquire: what the senders wrote before they counted. */
        for (unsigned int i = 0; i < N_STRIPES; i++)
                n += atomic_load_explicit(&set->lines[i].n_sends, memory_order_acquire);
        return n;
}

/* Nobody sends to it yet. */
static void set_reset(struct stripe_set *set, struct rouse_async *async) {
        set->async = async;
        /* Relaxed, all of it: published with the set's number. */
        for (unsigned int i = 0; i < N_STRIPES; i++)
                atomic_store_explicit(&set->owners[i], NULL, memory_order_relaxed);
        atomic_store_explicit(&set->n_taken, sum(set), memory_order_relaxed);
        atomic_store_explicit(&set->is_lent, true, memory_order_relaxed);
}

uint8_t rouse__stripes_lend(struct stripe_rack *rack, struct rouse_async *async) {
        if (!rack->has_barrier)
                rack->has_barrier = barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) &&
                                    barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
        if (!rack->has_barrier)
                return 0;
        for (uint8_t i = 0; i < N_STRIPE_SETS; i++) {
                struct stripe_set *set = rack->sets[i];

                if (!set)
                        set = rack->sets[i] = set_new();
                if (!set)
                        return 0;
                /* Acquire: all that was done with it comes before. */
                if (atomic_load_explicit(&set->is_lent, memory_order_acquire))
                        continue;
                set_reset(set, async);
                return i + 1;
        }
        return 0;
}

void rouse__stripes_forget(struct stripe_rack *rack, uint8_t number) {
        rack->sets[number - 1]->async = NULL;
}

void rouse__stripes_return(struct stripe_rack *rack, uint8_t number) {
        atomic_store_explicit(&rack->sets[number - 1]->is_lent, false, memory_order_release);
}

struct stripe *rouse__stripes_search(struct stripe_set *set, unsigned int first,
                                     const void *thread) {
        for (unsigned int i = 0; i < N_STRIPES; i++) {
                unsigned int k = (first + i) % N_STRIPES;
                /* Relaxed: an owner's own address is there since it wrote it. */
                const void *owner = atomic_load_explicit(&set->owners[k], memory_order_relaxed);

                if (owner == thread)
                        return &set->lines[k];
                /* Acquire and release: one writer after the other. A signal handler may take it
                 * for its own thread in between. */
                if (!owner && (atomic_compare_exchange_strong_explicit(&set->owners[k], &owner,
                                                                       thread, memory_order_acq_rel,
                                                                       memory_order_relaxed) ||
                               owner == thread))
                        return &set->lines[k];
        }
        return NULL;
}

uint64_t rouse__stripes_pending(const struct stripe_rack *rack, uint8_t number) {
        const struct stripe_set *set = rack->sets[number - 1];
        /* First, as it never passes the sum; acquire, for rouse_async_stats(). */
        uint64_t n_taken = atomic_load_explicit(&set->n_taken, memory_order_acquire);

        return sum(set) - n_taken;
}

uint64_t rouse__stripes_take(struct stripe_rack *rack, uint8_t number) {
        struct stripe_set *set = rack->sets[number - 1];
        /* Relaxed: only this thread writes it. */
        uint64_t n_taken = atomic_load_explicit(&set->n_taken, memory_order_relaxed);
        uint64_t n_sends = sum(set);

        rack->unchecked |= UINT64_C(1) << (number - 1);
        /* Release: who sees this sees that a wake is being counted. */
        atomic_store_explicit(&set->n_taken, n_sends, memory_order_release);
        return n_sends - n_taken;
}

void rouse__stripes_check(struct stripe_rack *rack, void (*found)(struct rouse_async *async)) {
        uint64_t bits = rack->unchecked;

        rack->unchecked = 0;
        /* It cannot fail once it is registered. */
        (void)barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
        for (; bits; bits &= bits - 1) {
                uint8_t number = (uint8_t)(__builtin_ctzll(bits) + 1);
                struct rouse_async *async = rack->sets[number - 1]->async;

                if (async && rouse__stripes_pending(rack, number) > 0)
                        found(async);
        }
}
