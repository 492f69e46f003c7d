/*
 * The names are those of setrlimit(2) in lower case, as service managers write them too. Sizes may
 * have a suffix, K to E, of powers of 1024.
 */

#include "daemon/run-rlimits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf-node.h"
#include "daemon/conf-value.h"
#include "lib/cleanup.h"
#include "lib/suggest.h"

#define STEP "rlimit "

struct row {
        const char *step; /* STEP and the name */
        int resource;
        bool is_size;
};

static const struct row rows[] = {
        {STEP "as", RLIMIT_AS, true},
        {STEP "core", RLIMIT_CORE, true},
        {STEP "cpu", RLIMIT_CPU, false},
        {STEP "data", RLIMIT_DATA, true},
        {STEP "fsize", RLIMIT_FSIZE, true},
        {STEP "locks", RLIMIT_LOCKS, false},
        {STEP "memlock", RLIMIT_MEMLOCK, true},
        {STEP "msgqueue", RLIMIT_MSGQUEUE, true},
        {STEP "nice", RLIMIT_NICE, false},
        {STEP "nofile", RLIMIT_NOFILE, false},
        {STEP "nproc", RLIMIT_NPROC, false},
        {STEP "rss", RLIMIT_RSS, true},
        {STEP "rtprio", RLIMIT_RTPRIO, false},
        {STEP "rttime", RLIMIT_RTTIME, false},
        {STEP "sigpending", RLIMIT_SIGPENDING, false},
        {STEP "stack", RLIMIT_STACK, true},
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static const char *name_of(const struct row *row) {
        return row->step + sizeof(STEP) - 1;
}

static const struct row *find_row(const char *name) {
        for (size_t i = 0; i < N_ROWS; i++)
                if (strcmp(name_of(&rows[i]), name) == 0)
                        return &rows[i];
        return NULL;
}

/* Reads up to a character that ends it; 0, or -EINVAL. */
static int read_limit(const char **text, bool is_size, rlim_t *ret) {
        static const char suffixes[] = "KMGTPE", infinity[] = "infinity";
        const char *p = *text, *suffix;
        uint64_t value = 0;

        if (strncmp(p, infinity, sizeof(infinity) - 1) == 0) {
                *text = p + sizeof(infinity) - 1;
                *ret = RLIM_INFINITY;
                return 0;
        }
        for (; *p >= '0' && *p <= '9'; p++)
                if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
                    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
                        return -EINVAL;
        if (p == *text)
                return -EINVAL;
        suffix = *p && is_size ? strchr(suffixes, *p) : NULL;
        if (suffix) {
                if (__builtin_mul_overflow(value, UINT64_C(1) << 10 * (suffix - suffixes + 1),
                                           &value))
                        return -EINVAL;
                p++;
        }
        if (value >= RLIM_INFINITY)
                return -EINVAL;
        *text = p;
        *ret = value;
        return 0;
}

/* "both", or "soft:hard". */
static int read_limits(const char *text, bool is_size, struct rlimit *ret) {
        struct rlimit limit;

        if (read_limit(&text, is_size, &limit.rlim_cur) < 0)
                return -EINVAL;
        limit.rlim_max = limit.rlim_cur;
        if (*text == ':') {
                text++;
                if (read_limit(&text, is_size, &limit.rlim_max) < 0)
                        return -EINVAL;
        }
        if (*text)
                return -EINVAL;
        *ret = limit;
        return 0;
}

static int unknown(struct conf_errors *errors, const struct conf_node *key) {
        struct suggest suggest;

        suggest_init(&suggest, key->text);
        for (size_t i = 0; i < N_ROWS; i++)
                suggest_offer(&suggest, name_of(&rows[i]));
        if (suggest.best)
                return conf_error(errors, key, "unknown limit '%s', did you mean '%s'?", key->text,
                                  suggest.best);
        return conf_error(errors, key, "unknown limit '%s'", key->text);
}

static int read_pair(struct conf_errors *errors, const struct conf_node *node,
                     const struct conf_pair *pair, struct exec_rlimit *ret) {
        const struct conf_node *first = conf_node_find(node, pair->key->text)->key;
        const struct row *row = find_row(pair->key->text);
        struct rlimit limit;

        if (!row)
                return unknown(errors, pair->key);
        if (first != pair->key)
                return conf_error(errors, pair->key,
                                  "key '%s' is repeated; it stands first at %u:%u", name_of(row),
                                  first->line, first->column);
        if (pair->value->type != CONF_SCALAR ||
            read_limits(pair->value->text, row->is_size, &limit) < 0)
                return conf_error_expected(errors, pair->value,
                                           row->is_size
                                                   ? "a size such as 512M, infinity or soft:hard"
                                                   : "a number, infinity or soft:hard");
        if (limit.rlim_cur > limit.rlim_max)
                return conf_error(errors, pair->value, "the soft limit is above the hard one");
        *ret = (struct exec_rlimit){.resource = row->resource, .step = row->step, .limit = limit};
        return 0;
}

int run_rlimits_read(struct conf_errors *errors, const struct conf_node *node, void *field) {
        struct run_rlimits *rlimits = field;
        _cleanup_free_ struct exec_rlimit *items = NULL;
        int result = 0;

        if (node->type != CONF_MAPPING)
                return conf_error_expected(errors, node, "a mapping such as {nofile: 1024}");
        items = calloc(node->n ?: 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        for (uint32_t i = 0; i < node->n; i++)
                if (conf_errors_note(errors, read_pair(errors, node, &node->pairs[i], &items[i])) <
                    0)
                        result = -EINVAL;
        if (result < 0)
                return result;
        free(rlimits->items);
        *rlimits = (struct run_rlimits){.items = steal_ptr(items), .n = node->n};
        return 0;
}
