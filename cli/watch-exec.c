/*
 * One command at a time. Wakes that come while it runs are kept, those of a handle put together as
 * the daemon does it: the latest number, the sum of the sends. So a command that is slower than the
 * wakes is run less often, sees the latest, and what is kept is bounded by the number of handles.
 * Handles take turns, in the order in which their wakes began to wait.
 *
 * SIGCHLD, SIGINT and SIGTERM are blocked and come through a signalfd, so that one poll() waits for
 * everything. The command has those blocked that rouse found so.
 */

#include "cli/watch-exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/exit-code.h"
#include "cli/message.h"
#include "cli/session.h"
#include "lib/cleanup.h"
#include "lib/list.h"

struct pending {
        struct list link;
        uint64_t seq, n_sends, n_missed;
        char name[];
};

struct watcher {
        struct session *session;
        char **command;
        struct list pending;
        sigset_t signals, old_signals;
        int signal_fd;
        pid_t pid;      /* of the command; 0: none runs */
        char name[256]; /* the handle that it runs for */
        bool is_ending; /* nothing is to be begun any more */
};

static int keep(struct watcher *watcher, const rouse_client_wake_t *wake) {
        struct pending *pending;
        size_t n = strlen(wake->name) + 1;

        list_for_each (link, &watcher->pending) {
                pending = container_of(link, struct pending, link);
                if (strcmp(pending->name, wake->name) != 0)
                        continue;
                pending->seq = wake->seq;
                pending->n_sends += wake->n_sends;
                pending->n_missed += wake->n_missed + 1;
                return 0;
        }
        pending = malloc(sizeof(*pending) + n);
        if (!pending) {
                message("out of memory");
                return EXIT_FAILED;
        }
        *pending = (struct pending){
                .seq = wake->seq, .n_sends = wake->n_sends, .n_missed = wake->n_missed};
        memcpy(pending->name, wake->name, n);
        list_append(&watcher->pending, &pending->link);
        return 0;
}

static int set_environment(const struct pending *pending) {
        const struct {
                const char *name;
                uint64_t value;
        } rows[] = {
                {"ROUSE_SEQ", pending->seq},
                {"ROUSE_SENDS", pending->n_sends},
                {"ROUSE_MISSED", pending->n_missed},
        };
        char digits[24];

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                snprintf(digits, sizeof(digits), "%llu", (unsigned long long)rows[i].value);
                if (setenv(rows[i].name, digits, 1) < 0)
                        return -errno;
        }
        return setenv("ROUSE_HANDLE", pending->name, 1) < 0 ? -errno : 0;
}

static int spawn(const struct watcher *watcher, pid_t *ret_pid) {
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        sigset_t defaults;
        pid_t pid;
        int r;

        r = -posix_spawn_file_actions_init(&actions);
        if (r < 0)
                return r;
        r = -posix_spawnattr_init(&attributes);
        if (r < 0) {
                posix_spawn_file_actions_destroy(&actions);
                return r;
        }
        sigemptyset(&defaults);
        sigaddset(&defaults, SIGPIPE);
        posix_spawnattr_setsigdefault(&attributes, &defaults);
        posix_spawnattr_setsigmask(&attributes, &watcher->old_signals);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        r = -posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (r == 0)
                r = -posix_spawnp(&pid, watcher->command[0], &actions, &attributes,
                                  watcher->command, environ);
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
        if (r < 0)
                return r;
        *ret_pid = pid;
        return 0;
}

/* Begins the next command, if none runs and there is something to do. */
static int begin(struct watcher *watcher) {
        _cleanup_free_ struct pending *pending = NULL;
        struct list *first = list_first(&watcher->pending);
        int r;

        if (watcher->pid || !first || watcher->is_ending)
                return 0;
        list_remove(first);
        pending = container_of(first, struct pending, link);
        r = set_environment(pending);
        if (r == 0)
                r = spawn(watcher, &watcher->pid);
        if (r < 0) {
                message("cannot run %s: %s", watcher->command[0], strerror(-r));
                return EXIT_FAILED;
        }
        snprintf(watcher->name, sizeof(watcher->name), "%s", pending->name);
        return 0;
}

/* The command may have ended; its failure is told, and the next wake begins it again. */
static void reap(struct watcher *watcher) {
        int status;

        if (!watcher->pid || waitpid(watcher->pid, &status, WNOHANG) != watcher->pid)
                return;
        watcher->pid = 0;
        if (WIFSIGNALED(status))
                message("%s: %s was ended by signal SIG%s", watcher->name, watcher->command[0],
                        sigabbrev_np(WTERMSIG(status)) ?: "?");
        else if (WEXITSTATUS(status) != 0)
                message("%s: %s ended with exit code %d", watcher->name, watcher->command[0],
                        WEXITSTATUS(status));
}

/* A TERM is passed on; an INT of the terminal reaches the command without that. */
static void take_signals(struct watcher *watcher) {
        struct signalfd_siginfo info;

        while (read(watcher->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
                if (info.ssi_signo == SIGCHLD)
                        continue;
                watcher->is_ending = true;
                if (info.ssi_signo == SIGTERM && watcher->pid)
                        (void)kill(watcher->pid, SIGTERM);
        }
        reap(watcher);
}

/* Takes all wakes that are there. 0; -ECONNRESET and others: there are no more. */
static int take_wakes(struct watcher *watcher, int *ret_code) {
        rouse_client_wake_t wake;
        int r;

        while ((r = rouse_client_next(watcher->session->client, 0, &wake)) == 0) {
                *ret_code = keep(watcher, &wake);
                if (*ret_code)
                        return -ENOMEM;
        }
        if (r == -ETIMEDOUT)
                return 0;
        *ret_code = session_failed(watcher->session);
        return r;
}

/* What came before the connection broke is still done. */
static int watch(struct watcher *watcher) {
        bool is_connected = true;
        int code = 0, begin_code;

        for (;;) {
                struct pollfd fds[] = {
                        {.fd = watcher->signal_fd, .events = POLLIN},
                        {.fd = is_connected ? rouse_client_fd(watcher->session->client) : -1,
                         .events = POLLIN},
                };

                if (is_connected && !watcher->is_ending)
                        is_connected = take_wakes(watcher, &code) == 0;
                begin_code = begin(watcher);
                if (begin_code)
                        return begin_code;
                if (!watcher->pid && (watcher->is_ending || !is_connected))
                        return code;
                if (!is_connected || watcher->is_ending)
                        fds[1].fd = -1;
                if (poll(fds, 2, -1) > 0 && fds[0].revents)
                        take_signals(watcher);
        }
}

int watch_exec(struct session *session, char **command) {
        struct watcher watcher = {.session = session, .command = command, .signal_fd = -1};
        struct list *first;
        int code;

        list_init(&watcher.pending);
        /* Where it is ignored, and whoever started us may have left it so, the kernel tells nobody
         * of a child's end. */
        (void)signal(SIGCHLD, SIG_DFL);
        sigemptyset(&watcher.signals);
        sigaddset(&watcher.signals, SIGCHLD);
        sigaddset(&watcher.signals, SIGINT);
        sigaddset(&watcher.signals, SIGTERM);
        sigprocmask(SIG_BLOCK, &watcher.signals, &watcher.old_signals);
        watcher.signal_fd = signalfd(-1, &watcher.signals, SFD_NONBLOCK | SFD_CLOEXEC);
        if (watcher.signal_fd < 0) {
                message("cannot take signals: %s", strerror(errno));
                return EXIT_FAILED;
        }
        code = watch(&watcher);
        while ((first = list_first(&watcher.pending))) {
                list_remove(first);
                free(container_of(first, struct pending, link));
        }
        watcher.signal_fd = close_fd(watcher.signal_fd);
        return code;
}
