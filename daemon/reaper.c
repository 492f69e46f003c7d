/*
 * SIGCHLD comes through a signalfd, and waitid() is asked for any child until it knows of no more
 * that has ended; signals that fall together into one do no harm. It only looks at first (WNOWAIT),
 * so that a child's number is its own until everything that needs the number was done.
 *
 * A child that nobody registered is an orphan: the parent that made it has ended, and the kernel
 * gave it to us. It is reaped as soon as it ends. Orphans that live are remembered with the run
 * that they belong to, or 0, so that each is looked into once. A child's number cannot be given to
 * another process before we have reaped it, and then it is forgotten.
 */

#include "daemon/reaper.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/orphans.h"
#include "daemon/proc.h"
#include "lib/cleanup.h"

#define N_BUCKETS      256U /* of children by number */
#define REAPS_PER_TURN 256U
#define KILL_PASSES    4U /* for processes that are made while others are killed */

struct orphan {
        pid_t pid;
        uint64_t run_id;
};

struct reaper {
        uv_loop_t *loop;
        uv_poll_t poll;
        int signal_fd;
        size_t n_children;
        struct list children[N_BUCKETS]; /* struct reaper_child */
        struct orphan *orphans;
        size_t n_orphans, n_orphans_allocated;
        uint64_t last_run_id;
};

static struct reaper_child *find_child(struct reaper *reaper, pid_t pid) {
        list_for_each (it, &reaper->children[(unsigned int)pid % N_BUCKETS]) {
                struct reaper_child *child = container_of(it, struct reaper_child, link);

                if (child->pid == pid)
                        return child;
        }
        return NULL;
}

static void forget_orphan(struct reaper *reaper, pid_t pid) {
        for (size_t i = 0; i < reaper->n_orphans; i++)
                if (reaper->orphans[i].pid == pid) {
                        reaper->orphans[i] = reaper->orphans[--reaper->n_orphans];
                        return;
                }
}

static void forget_child(struct reaper *reaper, struct reaper_child *child) {
        list_remove(&child->link);
        if (--reaper->n_children == 0)
                uv_unref((uv_handle_t *)&reaper->poll);
}

static void reap(struct reaper *reaper, pid_t pid) {
        struct reaper_child *child = find_child(reaper, pid);
        siginfo_t info = {0};

        /* The number is its own until waitid(). */
        if (child && child->kills_group)
                kill(-pid, SIGKILL);
        if (child && child->told)
                child->left_untaken = proc_may_have_pending(pid, child->told);
        (void)waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG);
        if (!child) {
                forget_orphan(reaper, pid);
                return;
        }
        forget_child(reaper, child);
        child->ended(child, info.si_code, info.si_status);
}

static void on_sigchld(uv_poll_t *poll, int status, int events) {
        struct reaper *reaper = poll->data;
        struct signalfd_siginfo signals[4];

        (void)status;
        (void)events;
        while (read(reaper->signal_fd, signals, sizeof(signals)) > 0)
                ;
        for (unsigned int i = 0; i < REAPS_PER_TURN; i++) {
                siginfo_t info = {0};

                if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
                        return;
                reap(reaper, info.si_pid);
                if (uv_is_closing((uv_handle_t *)poll))
                        return;
        }
        kill(getpid(), SIGCHLD); /* there may be more, in another turn */
}

static int open_signal_fd(struct reaper *reaper) {
        sigset_t signals;
        int r;

        sigemptyset(&signals);
        sigaddset(&signals, SIGCHLD);
        r = pthread_sigmask(SIG_BLOCK, &signals, NULL);
        if (r != 0)
                return -r;
        /* Where it is ignored the kernel reaps children by itself, and tells nobody. */
        if (signal(SIGCHLD, SIG_DFL) == SIG_ERR || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
                return -errno;
        reaper->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
        return reaper->signal_fd < 0 ? -errno : 0;
}

int reaper_new(uv_loop_t *loop, struct reaper **ret) {
        _cleanup_free_ struct reaper *reaper = calloc(1, sizeof(*reaper));
        int r;

        if (!reaper)
                return -ENOMEM;
        reaper->loop = loop;
        for (unsigned int i = 0; i < N_BUCKETS; i++)
                list_init(&reaper->children[i]);
        if (getrandom(&reaper->last_run_id, sizeof(reaper->last_run_id), 0) < 0)
                return -errno;
        r = open_signal_fd(reaper);
        if (r < 0)
                return r;
        r = uv_poll_init(loop, &reaper->poll, reaper->signal_fd);
        if (r < 0) {
                close(reaper->signal_fd);
                return r;
        }
        reaper->poll.data = reaper;
        uv_unref((uv_handle_t *)&reaper->poll);
        (void)uv_poll_start(&reaper->poll, UV_READABLE, on_sigchld);
        kill(getpid(), SIGCHLD); /* for children that have ended before */
        *ret = steal_ptr(reaper);
        return 0;
}

static void on_closed(uv_handle_t *handle) {
        struct reaper *reaper = handle->data;

        close(reaper->signal_fd);
        free(reaper->orphans);
        free(reaper);
}

struct reaper *reaper_close(struct reaper *reaper) {
        if (!reaper)
                return NULL;
        for (unsigned int i = 0; i < N_BUCKETS; i++)
                list_for_each_safe (it, &reaper->children[i])
                        list_remove(it);
        uv_close((uv_handle_t *)&reaper->poll, on_closed);
        return NULL;
}

uv_loop_t *reaper_loop(struct reaper *reaper) {
        return reaper->loop;
}

void reaper_add(struct reaper *reaper, struct reaper_child *child) {
        list_append(&reaper->children[(unsigned int)child->pid % N_BUCKETS], &child->link);
        if (reaper->n_children++ == 0)
                uv_ref((uv_handle_t *)&reaper->poll);
}

uint64_t reaper_new_run_id(struct reaper *reaper) {
        if (++reaper->last_run_id == 0) /* means "none" */
                ++reaper->last_run_id;
        return reaper->last_run_id;
}

/* Orphans. */

static const struct orphan *find_orphan(const struct reaper *reaper, pid_t pid) {
        for (size_t i = 0; i < reaper->n_orphans; i++)
                if (reaper->orphans[i].pid == pid)
                        return &reaper->orphans[i];
        return NULL;
}

/* The first orphan of a run. */
static const struct orphan *find_orphan_of(const struct reaper *reaper, uint64_t run_id) {
        for (size_t i = 0; i < reaper->n_orphans; i++)
                if (reaper->orphans[i].run_id == run_id)
                        return &reaper->orphans[i];
        return NULL;
}

static bool note_orphan(struct reaper *reaper, pid_t pid, uint64_t run_id) {
        if (reaper->n_orphans == reaper->n_orphans_allocated) {
                size_t n = reaper->n_orphans_allocated ? reaper->n_orphans_allocated * 2 : 16;
                struct orphan *orphans = reallocarray(reaper->orphans, n, sizeof(*orphans));

                if (!orphans)
                        return false; /* it is looked into again the next time */
                reaper->orphans = orphans;
                reaper->n_orphans_allocated = n;
        }
        reaper->orphans[reaper->n_orphans++] = (struct orphan){.pid = pid, .run_id = run_id};
        return true;
}

/* Looks into the children that are new, and into those again that could not be told: while a
 * process executes a program its environment cannot be seen. */
static void look_for_orphans(struct reaper *reaper) {
        _cleanup_(pid_list_deinit) struct pid_list children = {0};

        (void)orphans_add_children(&children, getpid());
        for (size_t i = 0; i < children.n; i++) {
                pid_t pid = children.items[i];
                uint64_t run_id;

                if (find_child(reaper, pid) || find_orphan(reaper, pid))
                        continue;
                if (orphan_look(pid, &run_id))
                        (void)note_orphan(reaper, pid, run_id);
        }
}

bool reaper_has_orphans(struct reaper *reaper, uint64_t run_id) {
        siginfo_t info;

        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
                return false; /* ECHILD: none at all */
        look_for_orphans(reaper);
        return find_orphan_of(reaper, run_id) != NULL;
}

/* The processes that may belong to a run: what descends from its orphans, and from `pid` unless
 * that is 0. */
static void add_candidates(struct reaper *reaper, uint64_t run_id, pid_t pid,
                           struct pid_list *list) {
        look_for_orphans(reaper);
        for (size_t i = 0; i < reaper->n_orphans; i++)
                if (reaper->orphans[i].run_id == run_id)
                        (void)pid_list_add(list, reaper->orphans[i].pid);
        if (pid)
                (void)pid_list_add(list, pid);
        (void)orphans_add_descendants(list);
}

size_t reaper_list_orphans(struct reaper *reaper, uint64_t run_id, pid_t *pids, size_t room) {
        _cleanup_(pid_list_deinit) struct pid_list list = {0};
        size_t n = 0;

        add_candidates(reaper, run_id, 0, &list);
        for (size_t i = 0; i < list.n; i++) {
                if (orphan_run_id(list.items[i]) != run_id)
                        continue;
                if (n < room)
                        pids[n] = list.items[i];
                n++;
        }
        return n;
}

void reaper_signal_orphans(struct reaper *reaper, uint64_t run_id, pid_t group, int signal) {
        size_t n_signalled = 1;

        for (unsigned int i = 0; i < (signal == SIGKILL ? KILL_PASSES : 1) && n_signalled; i++) {
                _cleanup_(pid_list_deinit) struct pid_list list = {0};

                n_signalled = 0;
                add_candidates(reaper, run_id, group, &list);
                for (size_t k = 0; k < list.n; k++)
                        if (!group || getpgid(list.items[k]) != group)
                                n_signalled += orphan_signal(list.items[k], run_id, signal);
        }
}
