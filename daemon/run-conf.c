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
#include "daemon/conf-schema.h"
#include "daemon/run-value.h"
#include "lib/clock.h"

#define DEFAULT_KILL_AFTER_NS (10 * NS_PER_S)

const struct conf_key run_conf_keys[] = {
        {"timeout", conf_timespan, offsetof(struct run_conf, timeout_ns)},
        {"kill_after", conf_timespan, offsetof(struct run_conf, kill_after_ns)},
        {"success_exit", run_value_statuses, offsetof(struct run_conf, success)},
        {"env", run_value_env, offsetof(struct run_conf, env)},
        {"cwd", conf_path, offsetof(struct run_conf, cwd)},
        {"user", run_value_user, offsetof(struct run_conf, user)},
        {"umask", run_value_umask, offsetof(struct run_conf, umask)},
        {"nice", run_value_nice, offsetof(struct run_conf, nice)},
        {"rlimits", run_rlimits_read, offsetof(struct run_conf, rlimits)},
        {"stdout", run_value_output, offsetof(struct run_conf, stdout_to)},
        {"stderr", run_value_output, offsetof(struct run_conf, stderr_to)},
        {0},
};

void run_conf_free(struct action_conf *action) {
        struct run_conf *conf = (struct run_conf *)action;

        conf_strv_free(conf->argv);
        conf_strv_free(conf->env);
        free(conf->cwd);
        free(conf->user.groups);
        free(conf->rlimits.items);
        free(conf->stdout_to.path);
        free(conf->stderr_to.path);
        free(conf);
}

int run_conf_parse(struct conf_errors *errors, const struct conf_node *node,
                   struct action_conf **ret) {
        struct run_conf *conf = calloc(1, sizeof(*conf));
        int r;

        if (!conf)
                return -ENOMEM;
        *conf = (struct run_conf){
                .base = {.kind = &action_kind_run, .node = node},
                .kill_after_ns = DEFAULT_KILL_AFTER_NS,
                .success = {1},
                .umask = EXEC_KEEP_UMASK,
                .nice = EXEC_KEEP_NICE,
        };
        r = conf_argv(errors, node, &conf->argv);
        if (r < 0) {
                run_conf_free(&conf->base);
                return r;
        }
        *ret = &conf->base;
        return 0;
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

bool run_conf_equal(const struct action_conf *a, const struct action_conf *b) {
        const struct run_conf *x = run_conf(a), *y = run_conf(b);

        return conf_strv_equal(x->argv, y->argv) && x->timeout_ns == y->timeout_ns &&
               x->kill_after_ns == y->kill_after_ns &&
               memcmp(x->success, y->success, sizeof(x->success)) == 0 &&
               conf_strv_equal(x->env, y->env) && conf_str_equal(x->cwd, y->cwd) &&
               user_equal(&x->user, &y->user) && x->umask == y->umask && x->nice == y->nice &&
               rlimits_equal(&x->rlimits, &y->rlimits) &&
               output_equal(&x->stdout_to, &y->stdout_to) &&
               output_equal(&x->stderr_to, &y->stderr_to);
}
