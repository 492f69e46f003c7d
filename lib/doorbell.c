/*
 * The doorbell of a hub.
 *
 * A system call for each send would cost more than all the rest, so senders ring only when the
 * loop may be asleep. `armed` is a token. The loop puts it up before it sleeps; a sender that has
 * pushed something takes it, if it is there, and whoever took it writes the eventfd, exactly once.
 * While the loop is awake it holds the token itself.
 *
 * No wake is lost. The loop, before it sleeps, does
 *
 *     L1: armed = 1        L2: look at the pending list; if it is not empty: do not sleep
 *
 * and a sender does
 *
 *     S1: push             S2: look at armed; if it is 1: take it and ring
 *
 * All four are sequentially consistent, so they stand in one order that everybody agrees on. If L2
 * does not see the push, then L2 comes before S1, thus L1 before S2, and the sender finds the token
 * (or another sender found it and rings). tests/test-doorbell-model.c goes through every
 * interleaving.
 *
 * A ring may come late: its sender may be stopped between taking the token and writing. The loop
 * can do the sender's work before that, and then the ring costs one wake for nothing. Each token
 * that a sender took is one ring due, and an eventfd adds up what is written to it, so the loop
 * knows at any time whether another ring will come. It closes the descriptor only when none is due:
 * no sender ever writes to a number that means something else by then.
 *
 * A child of fork() has a copy of the token and the same eventfd. A signal handler that it has
 * inherited may send there, and ring for nothing: so the loop reads whenever it rings, not only
 * what is due. It has disarmed before, so what is due is known by then.
 */

#include "lib/doorbell.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/cleanup.h"

int rouse__doorbell_open(struct doorbell *bell) {
        int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

        if (fd < 0)
                return -errno;
        *bell = (struct doorbell){.fd = fd, .is_armed = true};
        /* Relaxed: whoever hands out the hub's handles publishes this too. */
        atomic_store_explicit(&bell->armed, 1, memory_order_relaxed);
        return 0;
}

void rouse__doorbell_close(struct doorbell *bell) {
        bell->fd = close_fd(bell->fd);
}

void rouse__doorbell_take_and_ring(struct doorbell *bell) {
        const uint64_t one = 1;
        int saved_errno;

        /* S2 goes on: one sender takes it. */
        if (atomic_exchange_explicit(&bell->armed, 0, memory_order_seq_cst) == 0)
                return;
        saved_errno = errno;
        while (write(bell->fd, &one, sizeof(one)) < 0 && errno == EINTR)
                ; /* any other error is impossible: the counter has room for 2^64 - 2 rings */
        errno = saved_errno;
}

void rouse__doorbell_arm(struct doorbell *bell) {
        bell->is_armed = true;
        /* L1. */
        atomic_store_explicit(&bell->armed, 1, memory_order_seq_cst);
}

void rouse__doorbell_disarm(struct doorbell *bell) {
        if (!bell->is_armed)
                return;
        bell->is_armed = false;
        /* Relaxed: only who gets the token matters. What a sender pushed before it took the token
         * is read from the pending list, and ordered there. */
        if (atomic_exchange_explicit(&bell->armed, 0, memory_order_relaxed) == 0)
                bell->n_due++;
}

void rouse__doorbell_answer(struct doorbell *bell) {
        uint64_t n;

        if (bell->n_due == 0 && !bell->is_ringing)
                return;
        bell->is_ringing = false;
        if (read(bell->fd, &n, sizeof(n)) == sizeof(n))
                bell->n_due -= n < bell->n_due ? n : bell->n_due;
}
