#include "daemon/policy.h"

const struct policy_conf policy_none;

bool policy_conf_equal(const struct policy_conf *a, const struct policy_conf *b) {
        a = a ?: &policy_none;
        b = b ?: &policy_none;
        return a->gate.quiet_ns == b->gate.quiet_ns && a->gate.max_wait_ns == b->gate.max_wait_ns &&
               a->gate.min_interval_ns == b->gate.min_interval_ns &&
               a->gate.jitter_ns == b->gate.jitter_ns && a->gate.leading == b->gate.leading &&
               a->runner.on_busy == b->runner.on_busy && a->runner.attempts == b->runner.attempts &&
               a->runner.backoff_ns == b->runner.backoff_ns &&
               a->runner.max_backoff_ns == b->runner.max_backoff_ns &&
               a->busy_signal == b->busy_signal;
}
