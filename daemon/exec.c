/*
 * The child is made with CLONE_VM | CLONE_VFORK: it borrows this thread's memory on a stack of its
 * own until it executes the command, and this thread waits meanwhile. So the cost does not grow
 * with the daemon's size, a failing step is told through memory, and CLONE_PIDFD gives a descriptor
 * of the process that no later process can be mistaken for.
 *
 * Until then all signals are blocked, so that no handler of ours runs in the child. The child must
 * not call what keeps state in the C library: setuid() and friends would change all of *our*
 * threads, therefore the system calls are made by number. It tries what the search in PATH may
 * find, as execvp() does, because a file that is there need not be one that this user may execute;
 * the names to try are made before, as the child can allocate nothing.
 *
 * The process's group cannot be signalled through a pidfd. Its number stays taken as long as the
 * process was not reaped, so kill(-pid) before waitid() never hits a stranger, and it is not called
 * after: the reaper does both.
 *
 * The end is told by the reaper, which waits for all children. What is in the pipes then is read,
 * but the pipes' end is not waited for: a process that went into the background may keep them open
 * for ever. Such a pipe is handed over to whoever wants to read on.
 */

#include "daemon/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/line-reader.h"
#include "daemon/limits.h"
#include "daemon/proc.h"
#include "daemon/reaper.h"
#include "lib/cleanup.h"
#include "lib/list.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* The thread sanitizer keeps a thread's state where the child would use it, too: there the child
 * gets a copy of everything but its stack, which has room for its answer. */
#if defined(__SANITIZE_THREAD__)
#define IS_COPIED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define IS_COPIED 1
#endif
#endif
#ifdef IS_COPIED
#define BORROWING 0
#define STACK_MAP MAP_SHARED
#else
#define BORROWING CLONE_VM
#define STACK_MAP MAP_PRIVATE
#endif

#define STACK_BYTES (64U << 10)
#define FINAL_READ  (1U << 20) /* of a stream, after the end of the process */

struct exec {
        struct reaper_child child;
        uv_loop_t *loop;
        const struct exec_ops *ops;
        void *arg;
        int pidfd;
        bool is_reaped;
        struct line_reader *streams[2]; /* of standard output and standard error */
};

/* What the child has to say; it stands at the far end of its stack. */
struct answer {
        volatile int error;
        const char *volatile step;
};

/* What the child reads. */
struct birth {
        const struct exec_spec *spec;
        char *const *programs; /* to try, up to a NULL */
        bool is_search;        /* … in the directories of PATH */
        int fds[3];
        const char *step; /* that failed, if one did */
        struct answer *answer;
};

/* In the child nothing of the C library is called but syscall(): see above. */
#define BORROWED __attribute__((no_sanitize("thread"), no_sanitize("address")))

BORROWED static void fail(struct birth *birth, const char *step) {
        birth->answer->error = errno;
        birth->answer->step = step;
        for (;;)
                syscall(SYS_exit_group, 127);
}

/* Whether the search goes on in the next directory, or on the next file server. */
BORROWED static bool is_elsewhere(int error) {
        return error == ENOENT || error == ENOTDIR || error == EACCES || error == ESTALE ||
               error == ENODEV || error == ETIMEDOUT;
}

/* The kernel says ENOENT also of a file that is there, if what is to interpret it is not. */
BORROWED static bool lacks_interpreter(const char *program, int error) {
        return error == ENOENT && syscall(SYS_faccessat, AT_FDCWD, program, F_OK) == 0;
}

BORROWED static void execute(struct birth *birth) {
        const struct exec_spec *spec = birth->spec;
        const char *step = "exec";
        int error = ENOENT;

        for (char *const *program = birth->programs; *program; program++) {
                int failure;

                syscall(SYS_execve, *program, spec->argv, spec->env);
                failure = errno;
                if (lacks_interpreter(*program, failure))
                        step = "interpreter";
                if (!birth->is_search || !is_elsewhere(failure)) {
                        error = failure;
                        break;
                }
                if (failure == EACCES)
                        error = EACCES;
        }
        errno = error;
        fail(birth, error == ENOENT ? step : "exec");
}

/* Runs in the child, on borrowed memory. */
BORROWED static int child(void *arg) {
        struct birth *birth = arg;
        const struct exec_spec *spec = birth->spec;
        /* The kernel's struct sigaction: all zero is the default action. An ignored signal would be
         * inherited, the two that the C library keeps for itself among them. */
        static const unsigned long action[8], no_signals;

        for (int signal = 1; signal < NSIG; signal++)
                (void)syscall(SYS_rt_sigaction, signal, action, NULL, NSIG / 8);
        if (syscall(SYS_setsid) < 0)
                fail(birth, "setsid");
        /* The descriptors are above 2, see lift(), so none is overwritten before it was copied. */
        for (int i = 0; i < 3; i++)
                if (syscall(SYS_dup3, birth->fds[i], i, 0) < 0)
                        fail(birth, "dup");
        /* The rights to do these may go with the user. */
        for (size_t i = 0; i < spec->n_rlimits; i++)
                if (syscall(SYS_prlimit64, 0, spec->rlimits[i].resource, &spec->rlimits[i].limit,
                            NULL) < 0)
                        fail(birth, spec->rlimits[i].step);
        if (spec->nice != EXEC_KEEP_NICE &&
            syscall(SYS_setpriority, PRIO_PROCESS, 0, spec->nice) < 0)
                fail(birth, "nice");
        if (spec->umask != EXEC_KEEP_UMASK)
                (void)syscall(SYS_umask, spec->umask);
        if (spec->set_ids) {
                if (syscall(SYS_setgroups, spec->n_groups, spec->groups) < 0)
                        fail(birth, "setgroups");
                if (syscall(SYS_setresgid, spec->gid, spec->gid, spec->gid) < 0)
                        fail(birth, "setgid");
                if (syscall(SYS_setresuid, spec->uid, spec->uid, spec->uid) < 0)
                        fail(birth, "setuid");
        }
        if (spec->cwd && syscall(SYS_chdir, spec->cwd) < 0)
                fail(birth, "chdir");
        (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &no_signals, NULL, NSIG / 8);
        execute(birth);
        return 0;
}

/* A descriptor above 2 that is the same as fd. */
static int lift(int fd) {
        int lifted;

        if (fd > 2)
                return fd;
        lifted = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        close(fd);
        return lifted < 0 ? -errno : lifted;
}

static const char *env_get(char *const *env, const char *name) {
        size_t n = strlen(name);

        for (; env && *env; env++)
                if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
                        return *env + n + 1;
        return NULL;
}

/* The files to try, up to a NULL, in one piece of memory. */
static int list_programs(const struct exec_spec *spec, char ***ret, bool *ret_is_search) {
        const char *path =
                env_get(spec->env, "PATH")
                        ?: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        const char *name = spec->argv[0];
        bool is_search = *name && !strchr(name, '/');
        size_t n = 1, n_name = strlen(name) + 1;
        char **programs, *text;

        if (!is_search)
                path = "";
        for (const char *colon = path; (colon = strchr(colon, ':')); colon++)
                n++;
        programs = malloc((n + 1) * sizeof(*programs) + strlen(path) + n * (n_name + 1));
        if (!programs)
                return -ENOMEM;
        text = (char *)&programs[n + 1];
        for (size_t i = 0; i < n; i++) {
                size_t n_dir = strcspn(path, ":");

                programs[i] = text;
                text = mempcpy(text, path, n_dir);
                if (n_dir) /* else it is the working directory */
                        *text++ = '/';
                text = mempcpy(text, name, n_name);
                path += n_dir + 1;
        }
        programs[n] = NULL;
        *ret = programs;
        *ret_is_search = is_search;
        return 0;
}

static int spawn(struct birth *birth, pid_t *ret_pid, int *ret_pidfd) {
        struct answer answer;
        sigset_t all, before;
        void *stack;
        int pidfd = -1;
        pid_t pid;
        int error;

        stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                     STACK_MAP | MAP_ANONYMOUS | MAP_STACK, -1, 0);
        if (stack == MAP_FAILED)
                return -errno;
        birth->answer = stack;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        pid = clone(child, (char *)stack + STACK_BYTES,
                    BORROWING | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, birth, &pidfd);
        error = errno;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        answer = *birth->answer;
        munmap(stack, STACK_BYTES);
        if (pid < 0)
                return -error; /* the step is "fork" still */
        if (answer.error) {
                birth->step = answer.step;
                (void)waitid(P_PIDFD, (id_t)pidfd, &(siginfo_t){0}, WEXITED);
                close(pidfd);
                return -answer.error;
        }
        *ret_pid = pid;
        *ret_pidfd = pidfd;
        return 0;
}

static void on_line(void *arg, unsigned int stream, const char *line, size_t n_line) {
        struct exec *exec = arg;

        exec->ops->output(exec->arg, stream == 1, line, n_line);
}

static void on_ended(struct reaper_child *child, int code, int status) {
        struct exec *exec = container_of(child, struct exec, child);

        exec->is_reaped = true;
        for (unsigned int i = 0; i < 2; i++) {
                struct line_reader *reader = steal_ptr(exec->streams[i]);

                if (line_reader_drain(reader, FINAL_READ) || !exec->ops->left_open)
                        line_reader_close(reader);
                else
                        exec->ops->left_open(exec->arg, reader);
        }
        exec->ops->exited(exec->arg, code, status, child->left_untaken);
        close(exec->pidfd);
        free(exec);
}

/* A pipe whose end for the child stands in *child_fd. */
static int open_stream(struct exec *exec, unsigned int stream, int *child_fd) {
        int fds[2], r;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        r = line_reader_new_consume_fd(exec->loop, fds[0], LIMIT_OUTPUT_LINE, on_line, exec, stream,
                                       &exec->streams[stream]);
        if (r < 0) {
                close(fds[1]);
                return r;
        }
        *child_fd = fds[1];
        return 0;
}

static int dup_or_null(int fd, int flags) {
        int r = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : open("/dev/null", flags | O_CLOEXEC);

        return r < 0 ? -errno : r;
}

static int open_fds(struct exec *exec, struct birth *birth) {
        const struct exec_spec *spec = birth->spec;
        int r = 0;

        birth->fds[0] = r = dup_or_null(spec->stdin_fd, O_RDONLY);
        if (r < 0)
                return r;
        if (spec->log_stdout)
                r = open_stream(exec, 0, &birth->fds[1]);
        else
                r = birth->fds[1] = dup_or_null(spec->stdout_fd, O_WRONLY);
        if (r < 0)
                return r;
        if (spec->log_stderr)
                r = open_stream(exec, 1, &birth->fds[2]);
        else
                r = birth->fds[2] = dup_or_null(spec->stderr_fd, O_WRONLY);
        if (r < 0)
                return r;
        for (int i = 0; i < 3; i++) {
                birth->fds[i] = r = lift(birth->fds[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

int exec_start(struct reaper *reaper, const struct exec_spec *spec, const struct exec_ops *ops,
               void *arg, const char **ret_step, struct exec **ret) {
        struct birth birth = {.spec = spec, .fds = {-1, -1, -1}, .step = "fork"};
        _cleanup_free_ char **programs = NULL;
        struct exec *exec;
        int r;

        exec = calloc(1, sizeof(*exec));
        if (!exec) {
                *ret_step = birth.step;
                return -ENOMEM;
        }
        *exec = (struct exec){.loop = reaper_loop(reaper), .ops = ops, .arg = arg, .pidfd = -1};
        r = list_programs(spec, &programs, &birth.is_search);
        if (r < 0)
                goto end;
        birth.programs = programs;
        r = open_fds(exec, &birth);
        if (r < 0)
                goto end;
        r = spawn(&birth, &exec->child.pid, &exec->pidfd);
        if (r < 0)
                goto end;
        exec->child.ended = on_ended;
        reaper_add(reaper, &exec->child);
        *ret = steal_ptr(exec);
end:
        for (int i = 0; i < 3; i++)
                close_fd(birth.fds[i]);
        if (exec) {
                for (unsigned int i = 0; i < 2; i++)
                        line_reader_close(exec->streams[i]);
                close_fd(exec->pidfd);
                free(exec);
                *ret_step = birth.step;
        }
        return r;
}

pid_t exec_pid(const struct exec *exec) {
        return exec->child.pid;
}

int exec_signal_group(struct exec *exec, int signal) {
        if (exec->is_reaped)
                return -ESRCH;
        return kill(-exec->child.pid, signal) < 0 ? -errno : 0;
}

void exec_kill_rest(struct exec *exec) {
        exec->child.kills_group = true;
}

int exec_signal(struct exec *exec, int signal) {
        if (exec->is_reaped)
                return -ESRCH;
        if (syscall(SYS_pidfd_send_signal, exec->pidfd, signal, NULL, 0) < 0)
                return -errno;
        /* The kernel takes and forgets what is sent to a process that exits. Asked after sending:
         * one that is not exiting now has got it. Whether it takes it is seen at its end. */
        if (proc_may_be_exiting(exec->child.pid))
                return -ESRCH;
        exec->child.told |= proc_signal_bit(signal);
        return 0;
}
