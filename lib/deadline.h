/* Points in time at which waiting ends. */
#pragma once

#include <poll.h>
#include <stdint.h>

#include "lib/clock.h"

#define DEADLINE_NEVER UINT64_MAX

/* Monotonic; never for a negative number of milliseconds. */
static inline uint64_t deadline_in_ms(int64_t ms) {
        uint64_t now_ns;

        if (ms < 0)
                return DEADLINE_NEVER;
        now_ns = clock_now_ns();
        if ((uint64_t)ms > (DEADLINE_NEVER - now_ns) / NS_PER_MS)
                return DEADLINE_NEVER;
        return now_ns + (uint64_t)ms * NS_PER_MS;
}

/* Waits for events on a descriptor, but not beyond the deadline nor longer than `most_ms`
 * (negative: no such limit). 1: there are some; 0: the time is over; negative errno. */
int rouse__deadline_poll(uint64_t deadline_ns, int fd, short events, int most_ms);
