/* The limits that a handle puts on its wakes and runs. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/keyset.h"

/* Delays of the wake. Zero: no such limit. */
struct gate_policy {
        uint64_t quiet_ns;        /* wait until no send came for so long … */
        uint64_t max_wait_ns;     /* … but no longer than this after the first */
        uint64_t min_interval_ns; /* from one wake to the next */
        uint64_t jitter_ns;       /* and up to this much more, by chance */
        bool leading;             /* the first send after a quiet time wakes at once */
};

enum on_busy {
        ON_BUSY_RERUN,
        ON_BUSY_RESTART,
        ON_BUSY_SIGNAL,
};

#define POLICY_KEYS_MAX       1000U
#define POLICY_KEYS_MAX_BYTES (256U << 10)

/* What becomes of wakes while a run goes on, and of runs that fail. */
struct runner_policy {
        enum on_busy on_busy;
        uint32_t attempts;       /* of a failing run, the first one counted; 0: for ever */
        uint64_t backoff_ns;     /* before the second attempt; doubles. 0: a failure is final */
        uint64_t max_backoff_ns; /* 0: no cap */
};

struct policy_conf {
        struct gate_policy gate;
        struct runner_policy runner;
        int busy_signal; /* with ON_BUSY_SIGNAL */
        struct keyset_limits keys;
        const char *group; /* of which only some run at once; or NULL */
};

/* What a handle without a policy has: no limits but that of keys. */
extern const struct policy_conf policy_none;

bool policy_conf_equal(const struct policy_conf *a,
                       const struct policy_conf *b); /* NULL: policy_none */
