/* One process of a command: started, watched, signalled. Loop thread. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct exec;
struct line_reader;
struct reaper;

/* A limit on what the process may use. */
struct exec_rlimit {
        int resource;
        const char *step; /* its name as a step that may fail */
        struct rlimit limit;
};
#define EXEC_KEEP_NICE  INT_MIN
#define EXEC_KEEP_UMASK ((mode_t)-1)

/* What to start. Everything is borrowed for the call. */
struct exec_spec {
        char *const *argv; /* argv[0] is tried in the PATH of env unless it has a slash */
        char *const *env;  /* the whole environment */
        const char *cwd;   /* NULL: the daemon's */
        int stdin_fd;      /* -1: /dev/null. Borrowed */
        bool log_stdout;   /* lines go to output(); else stdout_fd */
        bool log_stderr;
        int stdout_fd, stderr_fd; /* -1: /dev/null. Borrowed */
        const struct exec_rlimit *rlimits;
        size_t n_rlimits;
        int nice;     /* EXEC_KEEP_NICE: the daemon's */
        mode_t umask; /* EXEC_KEEP_UMASK: the daemon's */
        bool set_ids; /* take the three below */
        uid_t uid;
        gid_t gid;
        const gid_t *groups;
        size_t n_groups;
};

struct exec_ops {
        /* A line, without its newline; of standard output or standard error. */
        void (*output)(void *arg, bool is_stderr, const char *line, size_t n_line);
        /* The process is gone, and another that it has left behind may go on writing: takes the
         * reader. Called just before exited(). NULL: the pipe is closed, and SIGPIPE ends them. */
        void (*left_open)(void *arg, struct line_reader *reader);
        /* The process is gone and was reaped, and what it wrote was passed on: si_code and
         * si_status of waitid(2), and whether it may have left a signal of exec_signal() untaken.
         * The last call; the exec goes with it. */
        void (*exited)(void *arg, int code, int status, bool left_untaken);
};

/* A specification that leaves everything as it is: no input, and output to nowhere. */
#define EXEC_SPEC_INIT                                                            \
        .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1, .nice = EXEC_KEEP_NICE, \
        .umask = EXEC_KEEP_UMASK

/* Starts a process in a session and process group of its own, with no signal blocked or ignored.
 * Returns 0; or the negative errno with which a step failed, of which *ret_step says the name
 * ("fork", "chdir", "exec", "interpreter", …): then no process is left, and nothing will be called.
 */
int exec_start(struct reaper *reaper, const struct exec_spec *spec, const struct exec_ops *ops,
               void *arg, const char **ret_step, struct exec **ret);

pid_t exec_pid(const struct exec *exec);
/* To the process and all of its group. 0, or -ESRCH: it is gone. */
int exec_signal_group(struct exec *exec, int signal);
/* When the process has ended, kills what is left of its group. */
void exec_kill_rest(struct exec *exec);
/* To the process alone. 0, or -ESRCH: it has ended, seen by us or not. */
int exec_signal(struct exec *exec, int signal);
