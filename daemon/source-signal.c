/*
 * signal: sends when the daemon gets a signal.
 *
 * The signal arrives in the main thread, the only one that does not block it, and libuv's handler
 * hands it to the loop of each worker that asked for it. libuv restores the default disposition
 * when the last of them closes; for most signals that would be the end of the daemon, should one
 * more arrive. So a do-nothing handler follows in its place. It is no SIG_IGN, because that would
 * discard a signal which is blocked while a worker is replaced by another. The main thread blocks
 * all signals while it has a worker open or close its sources (carry_out() in worker.c).
 */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "daemon/conf-node.h"
#include "daemon/conf-schema.h"
#include "daemon/outlet.h"
#include "daemon/source-kinds.h"
#include "daemon/source.h"
#include "lib/list.h"

struct signal_conf {
        struct source_conf conf;
        int signal;
};

struct signal_source {
        struct source source;
        struct outlet *outlet;
        uv_signal_t watcher;
};

static const struct {
        int signal;
        const char *reason;
} refused[] = {
        {SIGTERM, "it ends roused"},
        {SIGINT, "it ends roused"},
        {SIGHUP, "it makes roused read its configuration again"},
        {SIGCHLD, "it tells roused of the end of runs"},
        {SIGPIPE, "roused ignores it"},
        {SIGKILL, "no program can catch it"},
        {SIGSTOP, "no program can catch it"},
        {SIGSEGV, "it reports a fault of the program"},
        {SIGBUS, "it reports a fault of the program"},
        {SIGFPE, "it reports a fault of the program"},
        {SIGILL, "it reports a fault of the program"},
        {SIGABRT, "it reports a fault of the program"},
        {SIGTRAP, "it reports a fault of the program"},
        {SIGSYS, "it reports a fault of the program"},
};

static int conf_source_signal(struct conf_errors *errors, const struct conf_node *node,
                              void *field) {
        int signal, r;

        r = conf_signal(errors, node, &signal);
        if (r < 0)
                return r;
        for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
                if (signal == refused[i].signal)
                        return conf_error(errors, node,
                                          "signal %s cannot be a source: %s (USR1, USR2 and "
                                          "RTMIN to RTMAX are free)",
                                          node->text, refused[i].reason);
        if (signal > SIGSYS && signal < SIGRTMIN)
                return conf_error(errors, node, "signal %s belongs to the C library", node->text);
        *(int *)field = signal;
        return 0;
}

static const struct conf_key signal_keys[] = {
        {"signal", conf_source_signal, offsetof(struct signal_conf, signal), .required = true},
        {0},
};

static bool signal_equal(const struct source_conf *a, const struct source_conf *b) {
        return container_of(a, const struct signal_conf, conf)->signal ==
               container_of(b, const struct signal_conf, conf)->signal;
}

static void signal_on_signal(uv_signal_t *watcher, int signal) {
        struct signal_source *self = watcher->data;

        (void)signal;
        outlet_send(self->outlet);
}

static void nothing(int signal) {
        (void)signal;
}

static void keep_alive(int signal) {
        struct sigaction action;

        if (sigaction(signal, NULL, &action) < 0 || action.sa_handler != SIG_DFL)
                return;
        action = (struct sigaction){.sa_handler = nothing, .sa_flags = SA_RESTART};
        (void)sigaction(signal, &action, NULL);
}

static void signal_on_close(uv_handle_t *handle) {
        free(handle->data);
}

static int signal_open(uv_loop_t *loop, const struct source_conf *conf, struct outlet *outlet,
                       struct source **ret) {
        struct signal_source *self = malloc(sizeof(*self));
        int r;

        if (!self)
                return -ENOMEM;
        *self = (struct signal_source){.outlet = outlet};
        r = uv_signal_init(loop, &self->watcher);
        if (r < 0) {
                free(self);
                return r;
        }
        self->watcher.data = self;
        r = uv_signal_start(&self->watcher, signal_on_signal,
                            container_of(conf, const struct signal_conf, conf)->signal);
        if (r < 0) {
                uv_close((uv_handle_t *)&self->watcher, signal_on_close);
                return r;
        }
        *ret = &self->source;
        return 0;
}

static void signal_close(struct source *source) {
        struct signal_source *self = container_of(source, struct signal_source, source);
        int signal = self->watcher.signum;

        uv_close((uv_handle_t *)&self->watcher, signal_on_close);
        keep_alive(signal);
}

const struct source_kind source_signal = {
        .key = "signal",
        .conf_size = sizeof(struct signal_conf),
        .has_target = true,
        .keys = signal_keys,
        .equal = signal_equal,
        .open = signal_open,
        .close = signal_close,
};
