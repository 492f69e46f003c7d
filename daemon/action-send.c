/*
 * The fan-out. Sends are made on the loop thread in a wake, so the targets wake in a later turn, in
 * the order of the list; the keys of the run go to each of them. Cycles were refused with the
 * configuration.
 */

#include "daemon/action-send.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/action.h"
#include "daemon/conf-node.h"
#include "daemon/conf-schema.h"
#include "daemon/handle.h"
#include "daemon/limits.h"
#include "daemon/run.h"

struct send_conf {
        struct action_conf base;
        char **targets;
};

static const struct send_conf *send_conf(const struct action_conf *conf) {
        return (const struct send_conf *)conf;
}

static void free_conf(struct action_conf *conf) {
        conf_strv_free(((struct send_conf *)conf)->targets);
        free(conf);
}

static int parse(struct conf_errors *errors, const struct conf_node *node,
                 struct action_conf **ret) {
        struct send_conf *conf = calloc(1, sizeof(*conf));
        int r;

        if (!conf)
                return -ENOMEM;
        conf->base = (struct action_conf){.kind = &action_kind_send};
        r = conf_strings(errors, node, &conf->targets);
        if (r < 0) {
                free_conf(&conf->base);
                return r;
        }
        for (size_t i = 0; conf->targets[i]; i++)
                if (i == LIMIT_FAN_OUT) {
                        free_conf(&conf->base);
                        return conf_error(errors, node, "more than %u handles to send to",
                                          LIMIT_FAN_OUT);
                }
        *ret = &conf->base;
        return 0;
}

static const char *const *targets(const struct action_conf *conf) {
        return (const char *const *)send_conf(conf)->targets;
}

static bool equal(const struct action_conf *a, const struct action_conf *b) {
        return conf_strv_equal(send_conf(a)->targets, send_conf(b)->targets);
}

static int start(struct run *run, const struct action_conf *conf) {
        unsigned int n_failed = 0;

        for (char **name = send_conf(conf)->targets; *name; name++) {
                /* Also one that was removed in the same reload and has yet to go: what we were sent
                 * before then is to come to it. */
                struct handle *target = handle_find(run->tools, *name);
                int r = target ? handle_send_keys(target, run->keys) : -ENOENT;

                if (r < 0) {
                        n_failed++;
                        run_complain(run, "cannot send to %s: it is closed", *name);
                }
        }
        run_finish(run, RUN_EXITED, n_failed ? 1 : 0, n_failed == 0);
        return 0;
}

const struct action_kind action_kind_send = {
        .key = "send",
        .parse = parse,
        .targets = targets,
        .equal = equal,
        .free = free_conf,
        .start = start,
};
