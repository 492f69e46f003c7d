/*
 * The keys are read one by one; then conf_policy_check() looks how they fit together, and whether
 * the handle's action can have them at all. A key that could not be read has its default by then,
 * which contradicts nothing, so what is reported twice was wrong twice.
 *
 * Zero is refused everywhere: it would say the same as leaving the key out, or, as a back-off, that
 * there is to be no retry at all.
 */
#include "daemon/conf-policy.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "daemon/action.h"
#include "daemon/conf-error.h"
#include "daemon/conf-node.h"
#include "daemon/limits.h"
#include "lib/clock.h"
#include "lib/suggest.h"
#include "lib/timespan.h"

#define DEFAULT_ATTEMPTS       5U
#define DEFAULT_BACKOFF_NS     NS_PER_S
#define DEFAULT_MAX_BACKOFF_NS (60 * NS_PER_S)

static int must_not_be_zero(struct conf_errors *errors, const struct conf_node *node) {
        return conf_error(errors, node, "this must be more than nothing");
}

/* uint64_t: a time span that is not zero. */
static int read_span(struct conf_errors *errors, const struct conf_node *node, void *field) {
        uint64_t ns;
        int r;

        r = conf_timespan(errors, node, &ns);
        if (r < 0)
                return r;
        if (ns == 0)
                return must_not_be_zero(errors, node);
        *(uint64_t *)field = ns;
        return 0;
}

/* uint64_t: the same, or 0 for "infinity". */
static int read_cap(struct conf_errors *errors, const struct conf_node *node, void *field) {
        uint64_t ns;
        int r;

        r = conf_timespan_or_infinity(errors, node, &ns);
        if (r < 0)
                return r;
        if (ns == 0)
                return must_not_be_zero(errors, node);
        *(uint64_t *)field = ns == TIMESPAN_INFINITY ? 0 : ns;
        return 0;
}

/* uint32_t: a number of attempts, or 0 for "infinity". */
static int read_attempts(struct conf_errors *errors, const struct conf_node *node, void *field) {
        uint32_t n;
        int r;

        if (node->type == CONF_SCALAR && strcmp(node->text, "infinity") == 0) {
                *(uint32_t *)field = 0;
                return 0;
        }
        r = conf_u32(errors, node, &n);
        if (r < 0)
                return r;
        if (n == 0)
                return conf_error(errors, node,
                                  "there is at least 1 attempt; 'infinity' is without end");
        *(uint32_t *)field = n;
        return 0;
}

static const struct conf_key retry_keys[] = {
        {"attempts", read_attempts, offsetof(struct runner_policy, attempts)},
        {"backoff", read_span, offsetof(struct runner_policy, backoff_ns)},
        {"max_backoff", read_cap, offsetof(struct runner_policy, max_backoff_ns)},
        {NULL},
};

/* struct runner_policy. */
static int read_retry(struct conf_errors *errors, const struct conf_node *node, void *field) {
        const struct conf_key *table = retry_keys;
        struct runner_policy retry = *(struct runner_policy *)field;
        void *target = &retry;
        int r;

        retry.attempts = DEFAULT_ATTEMPTS;
        retry.backoff_ns = DEFAULT_BACKOFF_NS;
        retry.max_backoff_ns = DEFAULT_MAX_BACKOFF_NS;
        r = conf_map(errors, node, &table, &target, 1);
        if (r < 0)
                return r;
        if (!conf_node_find(node, "max_backoff") && retry.max_backoff_ns < retry.backoff_ns)
                retry.max_backoff_ns = retry.backoff_ns;
        if (retry.max_backoff_ns && retry.backoff_ns > retry.max_backoff_ns)
                return conf_error(errors, conf_node_find(node, "max_backoff")->value,
                                  "'max_backoff' is shorter than 'backoff'");
        *(struct runner_policy *)field = retry;
        return 0;
}

/* Both are read into a policy as a whole. */

static int set_busy_signal(struct conf_errors *errors, const struct conf_node *node,
                           struct policy_conf *policy) {
        int signal, r;

        r = conf_signal(errors, node, &signal);
        if (r < 0)
                return r;
        if (signal == SIGKILL || signal == SIGSTOP)
                return conf_error(errors, node,
                                  "no program can catch this signal; to end it and run it again, "
                                  "there is 'restart'");
        policy->busy_signal = signal;
        policy->runner.on_busy = ON_BUSY_SIGNAL;
        return 0;
}

static int read_busy_mapping(struct conf_errors *errors, const struct conf_node *node,
                             struct policy_conf *policy) {
        static const struct conf_key table[] = {
                {"signal", conf_any, 0, .required = true},
                {NULL},
        };
        const struct conf_key *tables = table;
        const struct conf_node *signal;
        void *target = &signal;
        int r;

        r = conf_map(errors, node, &tables, &target, 1);
        return r < 0 ? r : set_busy_signal(errors, signal, policy);
}

static int unknown_busy(struct conf_errors *errors, const struct conf_node *node) {
        struct suggest suggest;

        if (node->type == CONF_SCALAR && node->n > 0) {
                suggest_init(&suggest, node->text);
                suggest_offer(&suggest, "rerun");
                suggest_offer(&suggest, "restart");
                if (suggest.best)
                        return conf_error(errors, node, "unknown word '%s', did you mean '%s'?",
                                          node->text, suggest.best);
        }
        return conf_error_expected(errors, node, "rerun, restart, or signal and its name");
}

/* "signal", blanks, and its name. */
static int read_busy_signal(struct conf_errors *errors, const struct conf_node *node,
                            struct policy_conf *policy) {
        size_t n = strlen("signal") + strspn(node->text + strlen("signal"), " ");
        struct conf_node signal = *node;

        if (n == node->n)
                return conf_error(errors, node, "which signal? As in 'signal USR1'");
        signal.text += n;
        signal.n -= (uint32_t)n;
        signal.column = (uint16_t)(signal.column + n + node->quoted);
        return set_busy_signal(errors, &signal, policy);
}

static int read_on_busy(struct conf_errors *errors, const struct conf_node *node, void *field) {
        struct policy_conf *policy = field;

        if (node->type == CONF_MAPPING)
                return read_busy_mapping(errors, node, policy);
        if (node->type != CONF_SCALAR)
                return unknown_busy(errors, node);
        if (strcmp(node->text, "signal") == 0 ||
            strncmp(node->text, "signal ", strlen("signal ")) == 0)
                return read_busy_signal(errors, node, policy);
        if (strcmp(node->text, "rerun") == 0)
                policy->runner.on_busy = ON_BUSY_RERUN;
        else if (strcmp(node->text, "restart") == 0)
                policy->runner.on_busy = ON_BUSY_RESTART;
        else
                return unknown_busy(errors, node);
        return 0;
}

static int at_most(struct conf_errors *errors, const struct conf_node *node, uint32_t value,
                   uint32_t limit) {
        if (value == 0)
                return conf_error(errors, node,
                                  "this must be more than nothing; 'keys: false' keeps none");
        if (value > limit)
                return conf_error(errors, node, "this is more than %" PRIu32, limit);
        return 0;
}

/* uint32_t. */
static int read_max_keys(struct conf_errors *errors, const struct conf_node *node, void *field) {
        uint32_t n;
        int r;

        r = conf_u32(errors, node, &n);
        if (r == 0)
                r = at_most(errors, node, n, LIMIT_KEYS);
        if (r == 0)
                *(uint32_t *)field = n;
        return r;
}

static int read_max_bytes(struct conf_errors *errors, const struct conf_node *node, void *field) {
        uint32_t n;
        int r;

        r = conf_bytes(errors, node, &n);
        if (r == 0)
                r = at_most(errors, node, n, LIMIT_KEYS_BYTES);
        if (r == 0)
                *(uint32_t *)field = n;
        return r;
}

static const struct conf_key keys_keys[] = {
        {"max", read_max_keys, offsetof(struct keyset_limits, max)},
        {"max_bytes", read_max_bytes, offsetof(struct keyset_limits, max_bytes)},
        {NULL},
};

/* struct keyset_limits. */
static int read_keys(struct conf_errors *errors, const struct conf_node *node, void *field) {
        const struct conf_key *table = keys_keys;
        bool are_kept;

        if (node->type == CONF_MAPPING)
                return conf_map(errors, node, &table, &field, 1);
        if (node->type != CONF_SCALAR || node->quoted ||
            (strcmp(node->text, "false") != 0 && strcmp(node->text, "true") != 0))
                return conf_error_expected(errors, node, "false, or a mapping such as {max: 1000}");
        are_kept = strcmp(node->text, "true") == 0;
        *(struct keyset_limits *)field = are_kept ? policy_none.keys : (struct keyset_limits){0};
        return 0;
}

const struct conf_key conf_policy_keys[] = {
        {"quiet", read_span, offsetof(struct conf_policy, policy.gate.quiet_ns)},
        {"max_wait", read_span, offsetof(struct conf_policy, policy.gate.max_wait_ns)},
        {"leading", conf_bool, offsetof(struct conf_policy, policy.gate.leading)},
        {"min_interval", read_span, offsetof(struct conf_policy, policy.gate.min_interval_ns)},
        {"jitter", read_span, offsetof(struct conf_policy, policy.gate.jitter_ns)},
        {"on_busy", read_on_busy, offsetof(struct conf_policy, policy)},
        {"retry", read_retry, offsetof(struct conf_policy, policy.runner)},
        {"group", conf_any, offsetof(struct conf_policy, group)},
        {"keys", read_keys, offsetof(struct conf_policy, policy.keys)},
        {NULL},
};

void conf_policy_init(struct conf_policy *policy) {
        *policy = (struct conf_policy){.policy = policy_none};
}

bool conf_policy_occurs(const struct conf_node *handle) {
        for (const struct conf_key *key = conf_policy_keys; key->name; key++)
                if (conf_node_find(handle, key->name))
                        return true;
        return false;
}

static int check_group(struct conf_errors *errors, const struct conf_node *group) {
        if (group->type != CONF_SCALAR || conf_node_is_null(group))
                return conf_error_expected(errors, group, "the name of a group");
        return conf_check_name(errors, group);
}

static void check_max_wait(struct conf_errors *errors, const struct conf_node *handle,
                           const struct gate_policy *gate) {
        const struct conf_pair *max_wait = conf_node_find(handle, "max_wait");

        if (max_wait && gate->max_wait_ns && gate->max_wait_ns < gate->quiet_ns)
                conf_error(errors, max_wait->value,
                           "'max_wait' is shorter than 'quiet', which could never pass");
}

/* What each key needs beside it. */
static const struct {
        const char *key, *needed; /* needed NULL: any action; "run": one whose runs take time */
} needs[] = {
        {"max_wait", "quiet"}, {"leading", "quiet"}, {"on_busy", "run"},
        {"retry", NULL},       {"group", "run"},     {"keys", "run"},
};

static bool has_needed(const struct conf_node *handle, const struct action_kind *kind,
                       const char *needed) {
        if (!needed)
                return kind;
        if (strcmp(needed, "run") == 0)
                return kind && kind->stop;
        return conf_node_find(handle, needed);
}

void conf_policy_check(struct conf_errors *errors, const struct conf_node *handle,
                       struct conf_policy *policy, const struct action_kind *kind) {
        for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
                const struct conf_pair *pair = conf_node_find(handle, needs[i].key);
                const char *needed = needs[i].needed;

                if (!pair || has_needed(handle, kind, needed))
                        continue;
                if (needed)
                        conf_error(errors, pair->key,
                                   "'%s' means something only together with '%s'", needs[i].key,
                                   needed);
                else
                        conf_error(errors, pair->key,
                                   "'%s' means something only together with an action",
                                   needs[i].key);
        }
        check_max_wait(errors, handle, &policy->policy.gate);
        if (policy->group && check_group(errors, policy->group) < 0)
                policy->group = NULL;
}
