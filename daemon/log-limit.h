/* How often a message is repeated that whoever sends can cause at will. */
#pragma once

#include <stdint.h>

#include "lib/clock.h"

#define LOG_LIMIT_NS (10 * NS_PER_S) /* between two of them */

/* Zeroed: none was written. One thread. */
struct log_limit {
        uint64_t next_ns; /* not before */
        unsigned int n;   /* that there was reason for since the last one */
};

/* There is reason for one. Returns for how many it stands if it is time for it, else 0. */
static inline unsigned int log_limit_count(struct log_limit *limit, uint64_t now_ns) {
        unsigned int n = ++limit->n;

        if (now_ns < limit->next_ns)
                return 0;
        *limit = (struct log_limit){.next_ns = now_ns + LOG_LIMIT_NS};
        return n;
}
