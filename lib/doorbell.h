/* How senders wake a loop that sleeps, and do not disturb one that is awake. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct doorbell {
        _Atomic uint32_t armed; /* 1: the loop may sleep, and who clears this has to ring */
        int fd;                 /* an eventfd; never changes */
        /* Loop thread. */
        bool is_armed;   /* whether the loop left it armed; a sender may have cleared it since */
        bool is_ringing; /* the descriptor was readable, and was not read since */
        uint64_t n_due;  /* rings that senders took on and the loop has not read yet */
};

/* Opens the eventfd, armed. 0, or negative errno. */
int rouse__doorbell_open(struct doorbell *bell);
/* Disarmed, and with no ring due: nobody touches the descriptor any more. */
void rouse__doorbell_close(struct doorbell *bell);

/* Takes the token, if it is still there, and rings. */
void rouse__doorbell_take_and_ring(struct doorbell *bell);

/* Any thread, async-signal-safe: after something was pushed for the loop. */
static inline void rouse__doorbell_ring(struct doorbell *bell) {
        /* S2 of the proof in doorbell.c: seq_cst as that wants it. The look keeps senders from
         * fighting over the cache line of a token that is not there. */
        if (atomic_load_explicit(&bell->armed, memory_order_seq_cst) != 0)
                rouse__doorbell_take_and_ring(bell);
}

/* Loop thread. */
void rouse__doorbell_arm(struct doorbell *bell);
void rouse__doorbell_disarm(struct doorbell *bell);
/* Reads the rings that have arrived. Disarmed. */
void rouse__doorbell_answer(struct doorbell *bell);
