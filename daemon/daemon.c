/*
 * What the daemon is made of, in the order in which it is put together: the core, which has loop
 * and handles; mailbox and workers; sockets. Taking apart goes the other way:
 *
 *     RUNNING -> DELIVERING   no new sends: workers are joined, what stands in the sockets' queues
 * is taken, waiting clients are answered; what is pending becomes wakes and runs, without regard to
 * limits
 *             -> ENDING       runs that have not ended by STOP_PATIENCE_NS get TERM, then KILL, as
 * do those that begin then
 *             -> CLOSING      nothing runs: everything closes, the loop runs dry
 *
 * Each TERM or INT after the first goes on to the next stage.
 */

#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "daemon/configuration.h"
#include "daemon/conf-node.h"
#include "daemon/control.h"
#include "daemon/core.h"
#include "daemon/daemon-setup.h"
#include "daemon/deadline.h"
#include "daemon/handle.h"
#include "daemon/limits.h"
#include "daemon/log-limit.h"
#include "daemon/log.h"
#include "daemon/mailbox.h"
#include "daemon/notify.h"
#include "daemon/poke.h"
#include "daemon/registry-setup.h"
#include "daemon/registry.h"
#include "daemon/sockets.h"
#include "daemon/surplus.h"
#include "daemon/workforce.h"
#include "lib/cleanup.h"
#include "lib/list.h"

DEFINE_CLEANUP(struct configuration *, configuration_unref)

#define LATE " came after it was closed"

enum stage {
        STARTING,
        RUNNING,
        DELIVERING,
        ENDING,
        KILLING,
        CLOSING,
};

struct daemon {
        struct core core;
        const struct daemon_setup *setup;
        enum stage stage;
        struct mailbox *mailbox;
        struct log_limit lost_letters, late_letters;
        struct workforce *workforce;
        struct poke *poke;
        struct control *control;
        struct notify_watchdog *watchdog;
        struct deadline stop_deadline;
        uv_poll_t signals; /* of signal_fd */
        int signal_fd;     /* -1: not open */
};

const struct poke *daemon_poke(const struct daemon *daemon) {
        return daemon->poke;
}

static bool is_stopping(const struct daemon *daemon) {
        return daemon->stage >= DELIVERING;
}

/* Who writes to a fifo can name what is no handle as often as he likes. */
static void complain(struct log_limit *limit, const char *name, const char *what) {
        unsigned int n = log_limit_count(limit, clock_now_ns());

        if (n)
                log_warning("a send to %s%s (%u such %s since the last message)", name, what, n,
                            n == 1 ? "send" : "sends");
}

/* A letter of a worker: a send by name. */
static void on_letter(void *arg, rouse_async_t *async, const char *name, const char *key,
                      size_t n_key) {
        struct daemon *daemon = arg;
        struct handle *handle;

        if (async && !rouse_async_is_active(async)) {
                /* Its source knows the old one until the next reload; it may be no more. */
                complain(&daemon->late_letters, rouse_async_name(async), LATE);
                return;
        }
        handle =
                async ? rouse_async_data(async) : registry_find_target(daemon->core.registry, name);
        if (!handle)
                complain(&daemon->lost_letters, name, ", which is no handle, came from a fifo");
        else if (handle_send(handle, key, n_key, NULL) < 0)
                complain(&daemon->late_letters, handle_name(handle), LATE);
}

/* The reload. */

void reload_result_deinit(struct reload_result *result) {
        registry_changes_deinit(&result->changes);
}

static void log_conf_errors(const struct conf_errors *errors) {
        for (size_t i = 0; i < errors->n_items; i++) {
                _cleanup_free_ char *text = conf_error_format(&errors->items[i]);

                if (text)
                        log_error("%s", text);
        }
        if (errors->n_left_out)
                log_error("and %zu more", errors->n_left_out);
}

/* The first counts; 0: nothing was short. */
static void note_shortage(struct reload_result *result, int error, const char *what) {
        if (error == 0 || result->error < 0)
                return;
        result->error = error;
        snprintf(result->complaint, sizeof(result->complaint),
                 "%s: %s; the next reload tries again", what, strerror(-error));
}

static void apply_handles(struct daemon *daemon, struct configuration *configuration,
                          struct reload_result *result) {
        int r = registry_apply(daemon->core.registry, configuration, &result->changes);
        size_t n = result->changes.n_missing;
        char what[64] = "not all of it could be applied";

        if (n > 0)
                snprintf(what, sizeof(what), "%zu handle%s could not be made", n,
                         n == 1 ? "" : "s");
        note_shortage(result, r, what);
}

/* What `systemctl status` shows. */
static void tell_status(const struct daemon *daemon, const char *but) {
        size_t n = registry_n_handles(daemon->core.registry);

        notify_status("Serving %zu handle%s in %s%s", n, n == 1 ? "" : "s", daemon->setup->dir,
                      but);
}

int daemon_reload(struct daemon *daemon, struct conf_errors *errors, struct reload_result *ret) {
        _cleanup_(configuration_unrefp) struct configuration *configuration = NULL;
        struct reload_result result = {.changes = {.wants_names = true}};
        int r;

        if (is_stopping(daemon))
                return -ESHUTDOWN;
        r = configuration_load(daemon->setup->config_file, errors, &configuration);
        if (r < 0) {
                log_conf_errors(errors);
                tell_status(daemon,
                            "; the configuration is older than its files, which were refused");
                if (r == -EINVAL)
                        log_error("not reloaded; the configuration from before stays in force");
                else
                        log_error("not reloaded: %s; the configuration from before stays in force",
                                  strerror(-r));
                return r;
        }
        /* What was sent before counts, also for handles that are there no more; and names are
         * looked up before they change their meaning. */
        control_take_attached(daemon->control, configuration);
        poke_ask_who(daemon->poke);
        mailbox_deliver(daemon->mailbox);
        apply_handles(daemon, configuration, &result);
        r = workforce_apply(daemon->workforce, configuration);
        note_shortage(&result, r, "a worker could not be started or changed");
        configuration_unref(daemon->core.configuration);
        daemon->core.configuration = configuration_ref(configuration);
        surplus_give_back(); /* an old configuration is worth as much as the new one */
        poke_configured(daemon->poke);
        control_check_attached(daemon->control);
        log_notice("reloaded %s: %zu handles added, %zu changed, %zu removed",
                   daemon->setup->config_file, result.changes.n_added, result.changes.n_changed,
                   result.changes.n_removed);
        if (result.error < 0)
                log_error("the configuration is in force, but %s", result.complaint);
        tell_status(daemon,
                    result.error < 0 ? "; not all of the configuration could be applied" : "");
        *ret = result;
        return 0;
}

static void reload_by_signal(struct daemon *daemon) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct reload_result result;

        notify_reloading();
        if (daemon_reload(daemon, &errors, &result) == 0)
                reload_result_deinit(&result);
        conf_errors_deinit(&errors);
        notify_ready();
}

/* The stop. */

static void go_on_stopping(struct daemon *daemon);

static void on_stop_deadline(struct deadline *deadline, uint64_t now_ns) {
        (void)now_ns;
        go_on_stopping(container_of(deadline, struct daemon, stop_deadline));
}

static void set_stop_deadline(struct daemon *daemon, uint64_t patience_ns) {
        (void)deadline_set(daemon->core.deadlines, &daemon->stop_deadline,
                           deadline_now(daemon->core.deadlines) + patience_ns, on_stop_deadline);
}

/* Nothing runs: what is left only needs the loop to be gone. */
static void on_idle(void *arg) {
        struct daemon *daemon = arg;

        daemon->stage = CLOSING;
        uv_stop(&daemon->core.loop);
}

void daemon_shutdown(struct daemon *daemon) {
        if (is_stopping(daemon))
                return;
        log_notice("stopping");
        notify_status("Delivering what is pending");
        notify_stopping();
        daemon->stage = DELIVERING;
        daemon->workforce = workforce_free(daemon->workforce);
        mailbox_deliver(daemon->mailbox);
        sockets_retire(daemon->setup->sockets);
        poke_shut_down(daemon->poke);
        control_shut_down(daemon->control);
        set_stop_deadline(daemon, STOP_PATIENCE_NS);
        if (registry_shut_down(daemon->core.registry, on_idle, daemon) < 0)
                on_idle(daemon);
}

static void go_on_stopping(struct daemon *daemon) {
        switch (daemon->stage) {
        case STARTING:
        case RUNNING:
                daemon_shutdown(daemon);
                break;
        case DELIVERING:
                daemon->stage = ENDING;
                log_warning("runs that go on are told to end");
                set_stop_deadline(daemon, STOP_KILL_AFTER_NS);
                registry_stop_runs(daemon->core.registry, false);
                break;
        case ENDING:
                daemon->stage = KILLING;
                log_warning("runs that go on are killed");
                set_stop_deadline(daemon, STOP_KILL_AFTER_NS);
                registry_stop_runs(daemon->core.registry, true);
                break;
        case KILLING:
                log_error("a process cannot be killed; leaving it behind");
                on_idle(daemon);
                break;
        case CLOSING:
                break;
        }
}

static void on_signals(uv_poll_t *poll, int status, int events) {
        struct daemon *daemon = poll->data;
        struct signalfd_siginfo info;

        (void)status;
        (void)events;
        while (read(daemon->signal_fd, &info, sizeof(info)) == sizeof(info)) {
                if (info.ssi_signo != SIGHUP)
                        go_on_stopping(daemon);
                else if (!is_stopping(daemon))
                        reload_by_signal(daemon);
        }
}

/* Putting together. */

static void own_signals(sigset_t *ret) {
        sigemptyset(ret);
        sigaddset(ret, SIGTERM);
        sigaddset(ret, SIGINT);
        sigaddset(ret, SIGHUP);
}

void daemon_block_signals(void) {
        sigset_t signals;

        own_signals(&signals);
        pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

/* A descriptor instead of handlers: nothing runs in between, and a signal that comes early waits.
 * All threads have these signals blocked, runs do not. */
static int open_signals(struct daemon *daemon) {
        sigset_t signals;
        int r;

        own_signals(&signals);
        daemon->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
        if (daemon->signal_fd < 0)
                return -errno;
        r = uv_poll_init(&daemon->core.loop, &daemon->signals, daemon->signal_fd);
        if (r < 0) {
                daemon->signal_fd = close_fd(daemon->signal_fd);
                return r;
        }
        daemon->signals.data = daemon;
        return uv_poll_start(&daemon->signals, UV_READABLE, on_signals);
}

static void close_signals(struct daemon *daemon) {
        if (daemon->signal_fd < 0)
                return;
        uv_close((uv_handle_t *)&daemon->signals, NULL);
        daemon->signal_fd = close_fd(daemon->signal_fd);
}

static int open_all(struct daemon *daemon) {
        struct sockets *sockets = daemon->setup->sockets;
        int r;

        r = open_signals(daemon);
        if (r < 0)
                return r;
        r = core_open(&daemon->core, daemon->setup->dir, daemon->setup->seq_file);
        if (r < 0)
                return r;
        r = mailbox_new(daemon->core.hub, on_letter, daemon, &daemon->mailbox);
        if (r < 0)
                return r;
        r = workforce_new(daemon->core.hub, daemon->mailbox, &daemon->workforce);
        if (r < 0)
                return r;
        r = workforce_apply(daemon->workforce, daemon->core.configuration);
        if (r < 0)
                return r;
        r = poke_new_consume_fd(&daemon->core, steal_fd(&sockets->poke_fd), &daemon->poke);
        if (r < 0)
                return r;
        r = control_new_consume_fd(&daemon->core, daemon, steal_fd(&sockets->control_fd),
                                   &daemon->control);
        if (r < 0)
                return r;
        return notify_watchdog_new(&daemon->core.loop, &daemon->watchdog);
}

/* Closes what there is, however far open_all() came. True: nothing is left on the loop. */
static bool close_all(struct daemon *daemon) {
        daemon->stage = CLOSING;
        deadline_clear(daemon->core.deadlines, &daemon->stop_deadline);
        daemon->watchdog = notify_watchdog_free(daemon->watchdog);
        close_signals(daemon);
        daemon->workforce = workforce_free(daemon->workforce);
        daemon->control = control_close(daemon->control);
        daemon->poke = poke_close(daemon->poke);
        daemon->mailbox = mailbox_free(daemon->mailbox);
        return core_close(&daemon->core) == 0;
}

int daemon_run(const struct daemon_setup *setup) {
        struct daemon daemon = {.setup = setup, .signal_fd = -1};
        bool is_clean;
        int r;

        r = core_init(&daemon.core, setup->configuration);
        if (r < 0) {
                log_error("cannot make an event loop: %s", uv_strerror(r));
                return r;
        }
        r = open_all(&daemon);
        if (r < 0) {
                log_error("cannot start: %s", uv_strerror(r));
                (void)close_all(&daemon);
                return r;
        }
        surplus_give_back(); /* what reading the configuration needed */
        daemon.stage = RUNNING;
        log_notice("serving %zu handles in %s", registry_n_handles(daemon.core.registry),
                   setup->dir);
        tell_status(&daemon, "");
        notify_ready();
        (void)uv_run(&daemon.core.loop, UV_RUN_DEFAULT);
        is_clean = close_all(&daemon);
        if (!is_clean)
                log_error("something was still open at the end");
        log_notice("stopped");
        return is_clean ? 0 : -EBUSY;
}
