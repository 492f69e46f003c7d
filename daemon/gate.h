/* When the sends of a handle become a wake: pure, without clock, loop or process. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/clock.h"

struct gate_policy;

/* The past of a handle as far as its next wake depends on it. All times are of one monotonic clock.
 */
struct gate {
        uint64_t n_sends;  /* that no wake has covered */
        uint64_t first_ns; /* the first of them; undefined without any */
        uint64_t last_ns;  /* the last send that was seen, covered or not */
        uint64_t wake_ns;  /* the last wake */
        uint64_t extra_ns; /* what chance adds to the next one */
        bool paused;
        bool has_sent;  /* last_ns is defined */
        bool has_woken; /* wake_ns is defined */
        bool prompt;    /* the sends began after a quiet time: leading applies */
};

#define GATE_INIT \
        { 0 }

#define GATE_NEVER CLOCK_NEVER

enum gate_wait {
        GATE_IDLE,     /* nothing was sent */
        GATE_DUE,      /* nothing holds the wake back */
        GATE_QUIET,    /* until the sends pause */
        GATE_INTERVAL, /* since the last wake, jitter included */
        GATE_JITTER,   /* nothing else any more */
        GATE_PAUSED,
};

/* n sends (at least one) were seen. `chance` is any number; the jitter is drawn with it. */
void gate_send(struct gate *gate, const struct gate_policy *policy, uint64_t now_ns, uint64_t n,
               uint64_t chance);
/* The time at which the wake has to start, which may be in the past; GATE_NEVER if there is nothing
 * to wait for. The policy may differ from call to call: it is applied to the past as it was. */
uint64_t gate_due_ns(const struct gate *gate, const struct gate_policy *policy);
/* What holds the wake back, and until when (GATE_NEVER: nobody knows). */
enum gate_wait gate_why(const struct gate *gate, const struct gate_policy *policy, uint64_t now_ns,
                        uint64_t *ret_until_ns);
/* The wake starts: takes the sends and returns how many there are. */
uint64_t gate_wake(struct gate *gate, uint64_t now_ns);
