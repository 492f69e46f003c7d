/*
 * The configuration of `run`. How its values are read stands in run-value.c and run-rlimits.c; here
 * is what keys there are and when two configurations are the same. Names of users were made numbers
 * when the file was read, so that nothing asks the user database while the daemon serves.
 */

#include "daemon/run-conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/action-run.h"
#include "daemon/conf-node.h"
#include "daemon/conf-pool.h"
#include "daemon/conf-schema.h"
#include "daemon/run-value.h"
#include "daemon/strv-pack.h"
#include "lib/cleanup.h"
#include "lib/clock.h"

#define DEFAULT_KILL_AFTER_NS (10 * NS_PER_S)

/* What is read, with memory of its own. */
struct draft {
        struct action_conf base;
        char **argv;
        char **env;
        struct run_options options; /* but for env */
};

const struct conf_key run_conf_keys[] = {
        {"timeout", conf_timespan, offsetof(struct draft, options.timeout_ns)},
        {"kill_after", conf_timespan, offsetof(struct draft, options.kill_after_ns)},
        {"success_exit", run_value_statuses, offsetof(struct draft, options.success)},
        {"env", run_value_env, offsetof(struct draft, env)},
        {"cwd", conf_path, offsetof(struct draft, options.cwd)},
        {"user", run_value_user, offsetof(struct draft, options.user)},
        {"umask", run_value_umask, offsetof(struct draft, options.umask)},
        {"nice", run_value_nice, offsetof(struct draft, options.nice)},
        {"rlimits", run_rlimits_read, offsetof(struct draft, options.rlimits)},
        {"stdout", run_value_output, offsetof(struct draft, options.stdout_to)},
        {"stderr", run_value_output, offsetof(struct draft, options.stderr_to)},
        {0},
};

void run_conf_free(struct action_conf *action) {
        struct draft *draft = (struct draft *)action;

        conf_strv_free(draft->argv);
        conf_strv_free(draft->env);
        free(draft->options.cwd);
        free(draft->options.user.groups);
        free(draft->options.rlimits.items);
        free(draft->options.stdout_to.path);
        free(draft->options.stderr_to.path);
        free(draft);
}

int run_conf_parse(struct conf_errors *errors, const struct conf_node *node,
                   struct action_conf **ret) {
        struct draft *draft = calloc(1, sizeof(*draft));
        int r;

        if (!draft)
                return -ENOMEM;
        draft->base = (struct action_conf){.kind = &action_kind_run};
        draft->options.kill_after_ns = DEFAULT_KILL_AFTER_NS;
        draft->options.success[0] = 1;
        draft->options.umask = EXEC_KEEP_UMASK;
        draft->options.nice = EXEC_KEEP_NICE;
        r = conf_argv(errors, node, &draft->argv);
        if (r < 0) {
                run_conf_free(&draft->base);
                return r;
        }
        *ret = &draft->base;
        return 0;
}

/* Each of these keeps one thing, or NULL for NULL; false: out of memory. */

static bool keep_strv(struct conf_pool *pool, char *const *strv, const char **ret) {
        _cleanup_free_ char *packed = NULL;
        size_t n;

        if (!strv)
                return true;
        n = strv_packed_size(strv);
        packed = malloc(n);
        if (!packed)
                return false;
        strv_pack(strv, packed);
        *ret = conf_pool_keep_text(pool, packed, n);
        return *ret;
}

static bool keep_text(struct conf_pool *pool, char **text) {
        return !*text || (*text = (char *)conf_pool_keep_text(pool, *text, strlen(*text)));
}

static bool keep_groups(struct conf_pool *pool, struct run_user *user) {
        return !user->groups ||
               (user->groups = (gid_t *)conf_pool_keep(pool, user->groups,
                                                       user->n_groups * sizeof(*user->groups)));
}

static bool keep_rlimits(struct conf_pool *pool, struct run_rlimits *rlimits) {
        return !rlimits->items ||
               (rlimits->items = (struct exec_rlimit *)conf_pool_keep(
                        pool, rlimits->items, rlimits->n * sizeof(*rlimits->items)));
}

static int keep_conf(struct conf_pool *pool, char *const *argv, const struct run_options *options,
                     const struct action_conf **ret) {
        size_t n = sizeof(struct run_conf) + strv_packed_size(argv);
        _cleanup_free_ struct run_conf *conf = malloc(n);
        const struct run_conf *kept;

        if (!conf)
                return -ENOMEM;
        *conf = (struct run_conf){.base = {.kind = &action_kind_run}, .options = options};
        strv_pack(argv, conf->argv);
        kept = conf_pool_keep(pool, conf, n);
        if (!kept)
                return -ENOMEM;
        *ret = &kept->base;
        return 0;
}

int run_conf_keep(struct conf_pool *pool, const struct action_conf *action,
                  const struct action_conf **ret) {
        const struct draft *draft = (const struct draft *)action;
        struct run_options options = draft->options;
        const struct run_options *kept;

        if (!keep_strv(pool, draft->env, &options.env) || !keep_text(pool, &options.cwd) ||
            !keep_groups(pool, &options.user) || !keep_rlimits(pool, &options.rlimits) ||
            !keep_text(pool, &options.stdout_to.path) || !keep_text(pool, &options.stderr_to.path))
                return -ENOMEM;
        kept = conf_pool_keep(pool, &options, sizeof(options));
        return kept ? keep_conf(pool, draft->argv, kept, ret) : -ENOMEM;
}

static bool user_equal(const struct run_user *a, const struct run_user *b) {
        return a->is_set == b->is_set && a->uid == b->uid && a->gid == b->gid &&
               a->n_groups == b->n_groups &&
               (a->n_groups == 0 ||
                memcmp(a->groups, b->groups, a->n_groups * sizeof(*a->groups)) == 0);
}

static bool rlimits_equal(const struct run_rlimits *a, const struct run_rlimits *b) {
        if (a->n != b->n)
                return false;
        for (size_t i = 0; i < a->n; i++)
                if (a->items[i].resource != b->items[i].resource ||
                    a->items[i].limit.rlim_cur != b->items[i].limit.rlim_cur ||
                    a->items[i].limit.rlim_max != b->items[i].limit.rlim_max)
                        return false;
        return true;
}

static bool output_equal(const struct run_output *a, const struct run_output *b) {
        return a->is_null == b->is_null && conf_str_equal(a->path, b->path);
}

static bool options_equal(const struct run_options *a, const struct run_options *b) {
        return a->timeout_ns == b->timeout_ns && a->kill_after_ns == b->kill_after_ns &&
               memcmp(a->success, b->success, sizeof(a->success)) == 0 &&
               strv_packed_equal(a->env, b->env) && conf_str_equal(a->cwd, b->cwd) &&
               user_equal(&a->user, &b->user) && a->umask == b->umask && a->nice == b->nice &&
               rlimits_equal(&a->rlimits, &b->rlimits) &&
               output_equal(&a->stdout_to, &b->stdout_to) &&
               output_equal(&a->stderr_to, &b->stderr_to);
}

bool run_conf_equal(const struct action_conf *a, const struct action_conf *b) {
        const struct run_conf *x = run_conf(a), *y = run_conf(b);

        return strv_packed_equal(x->argv, y->argv) && options_equal(x->options, y->options);
}
