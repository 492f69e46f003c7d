/* What the configuration says about the commands of a handle: `run` and the keys beside it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/action.h"
#include "daemon/conf-schema.h"
#include "daemon/exec.h"
#include "daemon/run-rlimits.h"

/* Where a stream of the command goes. */
struct run_output {
        bool is_null;
        char *path; /* a file that is appended to; NULL: the log, unless is_null */
};

/* As whom the command runs. Resolved when the configuration is read. */
struct run_user {
        bool is_set;
        uid_t uid;
        gid_t gid;
        gid_t *groups;
        size_t n_groups;
};

/* All but the command itself: few of many handles differ in it, so equal ones are one. */
struct run_options {
        uint64_t timeout_ns;    /* 0: none */
        uint64_t kill_after_ns; /* between TERM and KILL */
        uint64_t success[4];    /* a bit for each exit status that is no failure */
        const char *env;        /* "NAME=value", packed; or NULL */
        char *cwd;              /* or NULL */
        struct run_user user;
        mode_t umask; /* or EXEC_KEEP_UMASK */
        int nice;     /* or EXEC_KEEP_NICE */
        struct run_rlimits rlimits;
        struct run_output stdout_to, stderr_to;
};

struct run_conf {
        struct action_conf base;
        const struct run_options *options;
        char argv[]; /* packed: see strv-pack.h */
};

struct conf_pool;

/* The kind's table and calls; see action.h. What parse makes and free takes is a draft. */
extern const struct conf_key run_conf_keys[];
int run_conf_parse(struct conf_errors *errors, const struct conf_node *node,
                   struct action_conf **ret);
int run_conf_keep(struct conf_pool *pool, const struct action_conf *draft,
                  const struct action_conf **ret);
bool run_conf_equal(const struct action_conf *a, const struct action_conf *b);
void run_conf_free(struct action_conf *conf);

static inline const struct run_conf *run_conf(const struct action_conf *conf) {
        return (const struct run_conf *)conf;
}
static inline bool run_conf_is_success(const struct run_conf *conf, int status) {
        return status >= 0 && status <= 255 &&
               conf->options->success[status / 64] >> status % 64 & 1;
}
