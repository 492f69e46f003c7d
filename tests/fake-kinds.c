/*
 * Kinds of actions and sources with the keys of the real ones and nothing behind them, so that the
 * configuration can be tested without a loop, threads or processes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/action.h"
#include "daemon/conf-node.h"
#include "daemon/conf-schema.h"
#include "daemon/source.h"
#include "lib/cleanup.h"

DEFINE_CLEANUP(struct action_conf *, action_conf_free)

/* One struct for all actions. */
struct fake_action {
        struct action_conf conf;
        char **strings; /* argv, or targets */
        char *pidfile;
        int signal;
        uint64_t timeout_ns, kill_after_ns;
};

static struct fake_action *fake_action(const struct action_conf *conf) {
        return (struct fake_action *)(void *)conf;
}

static struct action_conf *fake_action_new(const struct action_kind *kind) {
        struct fake_action *action = calloc(1, sizeof(*action));

        if (!action)
                return NULL;
        action->conf.kind = kind;
        return &action->conf;
}

static bool fake_action_equal(const struct action_conf *a, const struct action_conf *b) {
        const struct fake_action *x = fake_action(a), *y = fake_action(b);

        return conf_strv_equal(x->strings, y->strings) && conf_str_equal(x->pidfile, y->pidfile) &&
               x->signal == y->signal && x->timeout_ns == y->timeout_ns &&
               x->kill_after_ns == y->kill_after_ns;
}

static void fake_action_free(struct action_conf *conf) {
        struct fake_action *action = fake_action(conf);

        conf_strv_free(action->strings);
        free(action->pidfile);
        free(action);
}

static const struct conf_key run_keys[] = {
        {"timeout", conf_timespan, offsetof(struct fake_action, timeout_ns)},
        {"kill_after", conf_timespan, offsetof(struct fake_action, kill_after_ns)},
        {NULL},
};

static const struct conf_key signal_keys[] = {
        {"pidfile", conf_path, offsetof(struct fake_action, pidfile), .required = true},
        {"signal", conf_signal, offsetof(struct fake_action, signal), .required = true},
        {NULL},
};

static int run_parse(struct conf_errors *errors, const struct conf_node *node,
                     struct action_conf **ret);
static int signal_parse(struct conf_errors *errors, const struct conf_node *node,
                        struct action_conf **ret);
static int send_parse(struct conf_errors *errors, const struct conf_node *node,
                      struct action_conf **ret);

static int run_check(struct conf_errors *errors, const struct conf_node *node,
                     const struct action_conf *conf) {
        struct fake_action *action = fake_action(conf);

        if (action->kill_after_ns > 0 && action->timeout_ns == 0)
                return conf_error(errors, node, "'kill_after' needs a 'timeout'");
        return 0;
}

static const char *const *send_targets(const struct action_conf *conf) {
        return (const char *const *)fake_action(conf)->strings;
}

/* Configurations are only read here: what matters is that there is one. */
static void run_stop(struct run *run, bool kill) {
        (void)run;
        (void)kill;
}

static const struct action_kind run_kind = {
        .key = "run",
        .parse = run_parse,
        .keys = run_keys,
        .check = run_check,
        .stop = run_stop,
        .equal = fake_action_equal,
        .free = fake_action_free,
};

static const struct action_kind signal_kind = {
        .key = "signal",
        .parse = signal_parse,
        .equal = fake_action_equal,
        .free = fake_action_free,
};

static const struct action_kind send_kind = {
        .key = "send",
        .parse = send_parse,
        .targets = send_targets,
        .equal = fake_action_equal,
        .free = fake_action_free,
};

static int run_parse(struct conf_errors *errors, const struct conf_node *node,
                     struct action_conf **ret) {
        _cleanup_(action_conf_freep) struct action_conf *action = fake_action_new(&run_kind);
        int r;

        if (!action)
                return -ENOMEM;
        r = conf_argv(errors, node, &fake_action(action)->strings);
        if (r == 0)
                *ret = steal_ptr(action);
        return r;
}

static int signal_parse(struct conf_errors *errors, const struct conf_node *node,
                        struct action_conf **ret) {
        _cleanup_(action_conf_freep) struct action_conf *action = fake_action_new(&signal_kind);
        const struct conf_key *table = signal_keys;
        void *target = action;
        int r;

        if (!action)
                return -ENOMEM;
        r = conf_map(errors, node, &table, &target, 1);
        if (r == 0)
                *ret = steal_ptr(action);
        return r;
}

static int send_parse(struct conf_errors *errors, const struct conf_node *node,
                      struct action_conf **ret) {
        _cleanup_(action_conf_freep) struct action_conf *action = fake_action_new(&send_kind);
        int r;

        if (!action)
                return -ENOMEM;
        r = conf_strings(errors, node, &fake_action(action)->strings);
        if (r == 0)
                *ret = steal_ptr(action);
        return r;
}

const struct action_kind *const action_kinds[] = {&run_kind, &signal_kind, &send_kind, NULL};

struct action_conf *action_conf_free(struct action_conf *conf) {
        if (conf)
                conf->kind->free(conf);
        return NULL;
}

bool action_conf_equal(const struct action_conf *a, const struct action_conf *b) {
        if (!a || !b)
                return a == b;
        return a->kind == b->kind && a->kind->equal(a, b);
}

/* One struct for all sources. */
struct fake_source {
        struct source_conf conf;
        uint64_t every_ns;
        char *path;
        int signal;
        mode_t mode;
};

static struct fake_source *fake_source(const struct source_conf *conf) {
        return (struct fake_source *)(void *)conf;
}

static void fake_source_init(struct source_conf *conf) {
        fake_source(conf)->mode = 0660;
}

static bool fake_source_equal(const struct source_conf *a, const struct source_conf *b) {
        const struct fake_source *x = fake_source(a), *y = fake_source(b);

        return x->every_ns == y->every_ns && conf_str_equal(x->path, y->path) &&
               x->signal == y->signal && x->mode == y->mode;
}

static void fake_source_deinit(struct source_conf *conf) {
        free(fake_source(conf)->path);
}

static int every_check(struct conf_errors *errors, const struct conf_node *node,
                       struct source_conf *conf) {
        if (fake_source(conf)->every_ns == 0)
                return conf_error(errors, conf_node_find(node, "every")->value,
                                  "'every' must be longer than nothing");
        return 0;
}

static const struct conf_key every_keys[] = {
        {"every", conf_timespan, offsetof(struct fake_source, every_ns), .required = true},
        {NULL},
};

static const struct conf_key watch_keys[] = {
        {"watch", conf_path, offsetof(struct fake_source, path), .required = true},
        {NULL},
};

static const struct conf_key source_signal_keys[] = {
        {"signal", conf_signal, offsetof(struct fake_source, signal), .required = true},
        {NULL},
};

static const struct conf_key fifo_keys[] = {
        {"fifo", conf_path, offsetof(struct fake_source, path), .required = true},
        {"mode", conf_mode, offsetof(struct fake_source, mode)},
        {NULL},
};

#define FAKE_SOURCE                                                        \
        .conf_size = sizeof(struct fake_source), .init = fake_source_init, \
        .equal = fake_source_equal, .deinit = fake_source_deinit

const struct source_kind *const source_kinds[] = {
        &(const struct source_kind){
                .key = "every",
                .has_target = true,
                .keys = every_keys,
                .check = every_check,
                FAKE_SOURCE,
        },
        &(const struct source_kind){
                .key = "watch",
                .has_target = true,
                .keys = watch_keys,
                FAKE_SOURCE,
        },
        &(const struct source_kind){
                .key = "signal",
                .has_target = true,
                .keys = source_signal_keys,
                FAKE_SOURCE,
        },
        &(const struct source_kind){
                .key = "fifo",
                .keys = fifo_keys,
                FAKE_SOURCE,
        },
        NULL,
};

struct source_conf *source_conf_unref(struct source_conf *conf) {
        if (!conf || --conf->n_refs > 0)
                return NULL;
        conf->kind->deinit(conf);
        free(conf->target);
        free(conf->place);
        free(conf);
        return NULL;
}

bool source_conf_equal(const struct source_conf *a, const struct source_conf *b) {
        return a->kind == b->kind && conf_str_equal(a->target, b->target) && a->kind->equal(a, b);
}
