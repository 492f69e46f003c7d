/* The clocks: the monotonic one, in nanoseconds, and the time of day. Async-signal-safe. */
#pragma once

#include <stdint.h>
#include <time.h>

#define NS_PER_MS 1000000ULL
#define NS_PER_S  1000000000ULL

static inline uint64_t clock_now_ns(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* Milliseconds since 1970. */
static inline int64_t clock_realtime_ms(void) {
        struct timespec ts;

        clock_gettime(CLOCK_REALTIME, &ts);
        return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

#define CLOCK_NEVER UINT64_MAX

/* A time that is so much later. Beyond the end of time it is the last one there is, which is not
 * yet never. */
static inline uint64_t clock_add(uint64_t at_ns, uint64_t span_ns) {
        uint64_t sum_ns;

        return __builtin_add_overflow(at_ns, span_ns, &sum_ns) || sum_ns == CLOCK_NEVER
                       ? CLOCK_NEVER - 1
                       : sum_ns;
}
