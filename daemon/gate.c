/*
 * The due time is a function of what happened and of the policy, and no state of its own; so a
 * reload that changes the policy has nothing to convert, and an early or late call changes nothing.
 *
 *     due = max(end of the quiet time, last wake + min_interval) + jitter
 *     end of the quiet time = min(last send + quiet, first send + max_wait), or the first send if
 *                             the sends began after a quiet time and `leading` is set
 *
 * Nothing here drops a send: n_sends becomes 0 in gate_wake() alone.
 */

#include "daemon/gate.h"

#include <stddef.h>

#include "daemon/policy.h"

static uint64_t max(uint64_t a, uint64_t b) {
        return a > b ? a : b;
}

static uint64_t min(uint64_t a, uint64_t b) {
        return a < b ? a : b;
}

void gate_send(struct gate *gate, const struct gate_policy *policy, uint64_t now_ns, uint64_t n,
               uint64_t chance) {
        if (gate->n_sends == 0) {
                gate->first_ns = now_ns;
                gate->prompt =
                        !gate->has_sent || now_ns >= clock_add(gate->last_ns, policy->quiet_ns);
                gate->extra_ns = policy->jitter_ns ? chance % (policy->jitter_ns + 1) : 0;
        }
        if (__builtin_add_overflow(gate->n_sends, n, &gate->n_sends))
                gate->n_sends = UINT64_MAX; /* full, it must not begin at 0 again */
        gate->last_ns = now_ns;
        gate->has_sent = true;
}

static uint64_t quiet_end(const struct gate *gate, const struct gate_policy *policy) {
        uint64_t end;

        if (!policy->quiet_ns || (policy->leading && gate->prompt))
                return gate->first_ns;
        end = clock_add(gate->last_ns, policy->quiet_ns);
        return policy->max_wait_ns ? min(end, clock_add(gate->first_ns, policy->max_wait_ns)) : end;
}

static uint64_t interval_end(const struct gate *gate, const struct gate_policy *policy) {
        return gate->has_woken ? clock_add(gate->wake_ns, policy->min_interval_ns) : 0;
}

uint64_t gate_due_ns(const struct gate *gate, const struct gate_policy *policy) {
        if (gate->n_sends == 0 || gate->paused)
                return GATE_NEVER;
        return clock_add(max(quiet_end(gate, policy), interval_end(gate, policy)),
                         min(gate->extra_ns, policy->jitter_ns));
}

enum gate_wait gate_why(const struct gate *gate, const struct gate_policy *policy, uint64_t now_ns,
                        uint64_t *ret_until_ns) {
        uint64_t quiet_ns, interval_ns, due_ns;

        *ret_until_ns = GATE_NEVER;
        if (gate->paused)
                return GATE_PAUSED;
        if (gate->n_sends == 0)
                return GATE_IDLE;
        due_ns = gate_due_ns(gate, policy);
        *ret_until_ns = due_ns;
        if (due_ns <= now_ns)
                return GATE_DUE;
        quiet_ns = quiet_end(gate, policy);
        interval_ns = interval_end(gate, policy);
        if (max(quiet_ns, interval_ns) <= now_ns)
                return GATE_JITTER;
        return quiet_ns >= interval_ns ? GATE_QUIET : GATE_INTERVAL;
}

uint64_t gate_wake(struct gate *gate, uint64_t now_ns) {
        uint64_t n_sends = gate->n_sends;

        gate->n_sends = 0;
        gate->wake_ns = now_ns;
        gate->has_woken = true;
        return n_sends;
}
