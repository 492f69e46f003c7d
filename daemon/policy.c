#include "daemon/policy.h"

#include <stddef.h>
#include <string.h>

const struct policy_conf policy_none = {
        .keys = {.max = POLICY_KEYS_MAX, .max_bytes = POLICY_KEYS_MAX_BYTES},
};

static bool gate_policy_equal(const struct gate_policy *a, const struct gate_policy *b) {
        return a->quiet_ns == b->quiet_ns && a->max_wait_ns == b->max_wait_ns &&
               a->min_interval_ns == b->min_interval_ns && a->jitter_ns == b->jitter_ns &&
               a->leading == b->leading;
}

static bool runner_policy_equal(const struct runner_policy *a, const struct runner_policy *b) {
        return a->on_busy == b->on_busy && a->attempts == b->attempts &&
               a->backoff_ns == b->backoff_ns && a->max_backoff_ns == b->max_backoff_ns;
}

static bool group_equal(const char *a, const char *b) {
        return a && b ? strcmp(a, b) == 0 : a == b;
}

bool policy_conf_equal(const struct policy_conf *a, const struct policy_conf *b) {
        a = a ?: &policy_none;
        b = b ?: &policy_none;
        return gate_policy_equal(&a->gate, &b->gate) &&
               runner_policy_equal(&a->runner, &b->runner) && a->busy_signal == b->busy_signal &&
               a->keys.max == b->keys.max && a->keys.max_bytes == b->keys.max_bytes &&
               group_equal(a->group, b->group);
}
