/*
 * The process is found by the number in its pidfile at every wake, because a service that restarts
 * has a new one. It is signalled through a pidfd, which is opened before the file is read for the
 * second time: if the number still stands there, the descriptor is of the process that the file
 * means, and the signal cannot hit one that got the number in between.
 */

#include "daemon/action-signal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/action.h"
#include "daemon/conf-node.h"
#include "daemon/conf-schema.h"
#include "daemon/log.h"
#include "daemon/run.h"
#include "lib/cleanup.h"

struct signal_conf {
        struct action_conf base;
        char *pidfile;
        int signal;
};

static const struct conf_key keys[] = {
        {"pidfile", conf_path, offsetof(struct signal_conf, pidfile), true},
        {"signal", conf_signal, offsetof(struct signal_conf, signal), true},
        {0},
};

static const struct signal_conf *signal_conf(const struct action_conf *conf) {
        return (const struct signal_conf *)conf;
}

static void free_conf(struct action_conf *conf) {
        free(((struct signal_conf *)conf)->pidfile);
        free(conf);
}

static int parse(struct conf_errors *errors, const struct conf_node *node,
                 struct action_conf **ret) {
        struct signal_conf *conf = calloc(1, sizeof(*conf));
        int r;

        if (!conf)
                return -ENOMEM;
        conf->base = (struct action_conf){.kind = &action_kind_signal};
        r = conf_map(errors, node, (const struct conf_key *const[]){keys}, (void *const[]){conf},
                     1);
        if (r < 0) {
                free_conf(&conf->base);
                return r;
        }
        *ret = &conf->base;
        return 0;
}

static bool equal(const struct action_conf *a, const struct action_conf *b) {
        return conf_str_equal(signal_conf(a)->pidfile, signal_conf(b)->pidfile) &&
               signal_conf(a)->signal == signal_conf(b)->signal;
}

/* The number in the file, or negative errno; -EINVAL: there is none. */
static long read_pid(const char *path) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        char text[32], *end;
        ssize_t n;
        long pid;

        if (fd < 0)
                return -errno;
        n = read(fd, text, sizeof(text) - 1);
        if (n < 0)
                return -errno;
        text[n] = '\0';
        errno = 0;
        pid = strtol(text, &end, 10);
        end += strspn(end, " \t\r\n");
        return errno || end == text || *end || pid <= 1 || pid > INT_MAX ? -EINVAL : pid;
}

static int signal_process(const struct signal_conf *conf, pid_t *ret_pid) {
        _cleanup_close_ int pidfd = -1;
        long pid = read_pid(conf->pidfile);

        if (pid < 0)
                return (int)pid;
        pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
        if (pidfd < 0)
                return -errno;
        if (read_pid(conf->pidfile) != pid)
                return -EAGAIN; /* it is being replaced right now */
        if (syscall(SYS_pidfd_send_signal, pidfd, conf->signal, NULL, 0) < 0)
                return -errno;
        *ret_pid = (pid_t)pid;
        return 0;
}

static int start(struct run *run, const struct action_conf *action) {
        const struct signal_conf *conf = signal_conf(action);
        const char *why = NULL;
        pid_t pid = 0;
        int r;

        r = signal_process(conf, &pid);
        if (r == -EAGAIN)
                return r; /* is tried again */
        if (r == -EINVAL)
                why = "there is no process number in it";
        else if (r == -ESRCH)
                why = "the process is not running";
        else if (r < 0)
                why = strerror(-r);
        if (why)
                run_complain(run, "cannot send signal %d (%s) to the process of %s: %s",
                             conf->signal, sigabbrev_np(conf->signal) ?: "?", conf->pidfile, why);
        else
                log_info("%s: sent signal %d (%s) to process %d", run->handle_name, conf->signal,
                         sigabbrev_np(conf->signal) ?: "?", pid);
        run_finish(run, RUN_EXITED, r < 0 ? 1 : 0, r == 0);
        return 0;
}

const struct action_kind action_kind_signal = {
        .key = "signal",
        .parse = parse,
        .equal = equal,
        .free = free_conf,
        .start = start,
};
