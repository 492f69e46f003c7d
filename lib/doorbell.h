/* How senders wake a loop that sleeps, and do not disturb one that is awake. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct doorbell {
        _Atomic uint32_t armed; /* 1: the loop may sleep, and who clears this has to ring */
        int fd;                 /* an eventfd; never changes */
        /* Loop thread. */
        bool is_armed;  /* whether the loop left it armed; a sender may have cleared it since */
        uint64_t n_due; /* rings that senders took on and the loop has not read yet */
};

/* Opens the eventfd, armed. 0, or negative errno. */
int rouse__doorbell_open(struct doorbell *bell);
/* Disarmed, and with no ring due: nobody touches the descriptor any more. */
void rouse__doorbell_close(struct doorbell *bell);

/* Any thread, async-signal-safe: after something was pushed for the loop. */
void rouse__doorbell_ring(struct doorbell *bell);

/* Loop thread. */
void rouse__doorbell_arm(struct doorbell *bell);
void rouse__doorbell_disarm(struct doorbell *bell);
/* Reads the rings that have arrived. */
void rouse__doorbell_answer(struct doorbell *bell);
