/*
 * A command is a process group (see exec.c). It ends by itself, or by its timeout, or because it is
 * told to: TERM, and after kill_after KILL, to the group and to those of its processes that have
 * left it (see orphans.c). When a command that had to be ended is gone, what is left of it is
 * killed, too. What a command leaves behind that ended by itself lives on, and is reported once: a
 * command may have been there to start it. What it writes still goes to the log (see tails.c).
 */

#include "daemon/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "daemon/command-env.h"
#include "daemon/deadline.h"
#include "daemon/exec.h"
#include "daemon/handle-tools.h"
#include "daemon/limits.h"
#include "daemon/line-reader.h"
#include "daemon/log.h"
#include "daemon/reaper.h"
#include "daemon/run-conf.h"
#include "daemon/run.h"
#include "daemon/strv-pack.h"
#include "daemon/tails.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/list.h"

#define ORPHANS_SHOWN 16U

struct command {
        struct run *run;
        struct exec *exec;
        struct deadline deadline;
        uint64_t run_id;
        bool is_ending; /* TERM was sent */
        bool timed_out;
};

static struct reaper *reaper_of(const struct command *command) {
        return command->run->tools->reaper;
}

static void on_output(void *arg, bool is_stderr, const char *line, size_t n_line) {
        struct command *command = arg;

        log_output(command->run->handle_name, line, n_line);
        if (is_stderr)
                run_keep_complaint(command->run, line, n_line);
}

static void report(const struct command *command, enum run_outcome outcome, int status) {
        const struct run *run = command->run;
        const struct run_conf *conf = run_conf(run->action);
        const char *program = strv_packed_first(conf->argv);

        if (outcome == RUN_TIMED_OUT)
                log_warning("%s: %s did not end in time and was ended", run->handle_name, program);
        else if (outcome == RUN_SIGNALED)
                log_warning("%s: %s was killed by signal %d (%s)", run->handle_name, program,
                            status, sigabbrev_np(status) ?: "?");
        else if (!run_conf_is_success(conf, status))
                log_warning("%s: %s failed with exit status %d", run->handle_name, program, status);
}

static void report_orphans(const struct command *command) {
        char text[ORPHANS_SHOWN * 12] = "";
        pid_t pids[ORPHANS_SHOWN];
        size_t n, n_text = 0;

        n = reaper_list_orphans(reaper_of(command), command->run_id, pids, ORPHANS_SHOWN);
        if (n == 0)
                return;
        for (size_t i = 0; i < n && i < ORPHANS_SHOWN; i++)
                n_text += (size_t)snprintf(text + n_text, sizeof(text) - n_text, " %d", pids[i]);
        log_notice("%s: left %zu %s behind:%s%s", command->run->handle_name, n,
                   n == 1 ? "process" : "processes", text, n > ORPHANS_SHOWN ? " …" : "");
}

static void look_after_orphans(const struct command *command) {
        struct reaper *reaper = reaper_of(command);

        if (!reaper_has_orphans(reaper, command->run_id))
                return;
        if (command->is_ending)
                reaper_signal_orphans(reaper, command->run_id, 0, SIGKILL);
        else
                report_orphans(command);
}

static void on_left_open(void *arg, struct line_reader *reader) {
        const struct command *command = arg;
        struct tails *tails = command->run->tools->tails;

        if (tails)
                tails_take(tails, command->run->handle_name, reader);
        else
                line_reader_close(reader);
}

static void on_exited(void *arg, int code, int status, bool left_untaken) {
        struct command *command = arg;
        struct run *run = command->run;
        enum run_outcome outcome = code == CLD_EXITED ? RUN_EXITED : RUN_SIGNALED;

        if (command->timed_out)
                outcome = RUN_TIMED_OUT;
        deadline_clear(run->tools->deadlines, &command->deadline);
        report(command, outcome, status);
        look_after_orphans(command);
        free(command);
        run->left_untaken = left_untaken;
        run_finish(run, outcome, status,
                   outcome == RUN_EXITED && run_conf_is_success(run_conf(run->action), status));
}

static const struct exec_ops exec_ops = {
        .output = on_output,
        .left_open = on_left_open,
        .exited = on_exited,
};

/* The end. */

static void end(struct command *command, bool kill);

static void on_deadline(struct deadline *deadline, uint64_t now_ns) {
        struct command *command = container_of(deadline, struct command, deadline);

        (void)now_ns;
        if (!command->is_ending)
                command->timed_out = true;
        end(command, command->is_ending);
}

static void signal_all(struct command *command, int signal) {
        pid_t pid = exec_pid(command->exec);

        (void)exec_signal_group(command->exec, signal);
        reaper_signal_orphans(reaper_of(command), command->run_id, pid, signal);
}

static void end(struct command *command, bool kill) {
        struct deadline_queue *deadlines = command->run->tools->deadlines;
        uint64_t kill_after_ns = run_conf(command->run->action)->options->kill_after_ns;
        bool was_ending = command->is_ending;

        command->is_ending = true;
        exec_kill_rest(command->exec);
        signal_all(command, kill ? SIGKILL : SIGTERM);
        if (kill || was_ending)
                return;
        if (deadline_set(deadlines, &command->deadline,
                         clock_add(deadline_now(deadlines), kill_after_ns), on_deadline) < 0)
                signal_all(command, SIGKILL); /* cannot be done later */
}

void command_stop(struct run *run, bool kill) {
        end(run->impl, kill);
}

int command_tell(struct run *run, int signal) {
        struct command *command = run->impl;

        return exec_signal(command->exec, signal);
}

/* The beginning. */

/* A file for the command to append to. Without O_NONBLOCK the loop would wait for the reader of a
 * fifo; the command must not find the flag set. -1: /dev/null. */
static int open_output(const struct run_output *output, int *ret_fd) {
        _cleanup_close_ int fd = -1;

        if (!output->path) {
                *ret_fd = -1;
                return 0;
        }
        fd = open(output->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                  0640);
        if (fd < 0 || fcntl(fd, F_SETFL, O_APPEND) < 0)
                return -errno;
        *ret_fd = steal_fd(&fd);
        return 0;
}

static bool goes_to_log(const struct run_output *output) {
        return !output->is_null && !output->path;
}

/* What was done last, for the case that it failed. */
struct step {
        const char *name;
        const char *path; /* which it was done with; or NULL */
};

/* Opens what the command gets. */
static int execute(struct command *command, const struct run_options *options, char *const *argv,
                   char *const *env, struct step *reterr_step) {
        _cleanup_close_ int stdin_fd = -1, stdout_fd = -1, stderr_fd = -1;
        struct exec_spec spec;
        int r;

        *reterr_step = (struct step){.name = "keys"};
        r = command_open_keys(command->run->keys, &stdin_fd);
        if (r < 0)
                return r;
        *reterr_step = (struct step){"stdout", options->stdout_to.path};
        r = open_output(&options->stdout_to, &stdout_fd);
        if (r < 0)
                return r;
        *reterr_step = (struct step){"stderr", options->stderr_to.path};
        r = open_output(&options->stderr_to, &stderr_fd);
        if (r < 0)
                return r;
        spec = (struct exec_spec){
                .argv = argv,
                .env = env,
                .cwd = options->cwd,
                .stdin_fd = stdin_fd,
                .log_stdout = goes_to_log(&options->stdout_to),
                .log_stderr = goes_to_log(&options->stderr_to),
                .stdout_fd = stdout_fd,
                .stderr_fd = stderr_fd,
                .rlimits = options->rlimits.items,
                .n_rlimits = options->rlimits.n,
                .nice = options->nice,
                .umask = options->umask,
                .set_ids = options->user.is_set,
                .uid = options->user.uid,
                .gid = options->user.gid,
                .groups = options->user.groups,
                .n_groups = options->user.n_groups,
        };
        r = exec_start(command->run->tools->reaper, &spec, &exec_ops, command, &reterr_step->name,
                       &command->exec);
        if (r < 0)
                reterr_step->path = strcmp(reterr_step->name, "chdir") == 0 ? spec.cwd : NULL;
        return r;
}

static void complain(struct run *run, const char *program, const struct step *step, int error) {
        run_complain(run, "cannot run %s: %s%s%s: %s", program, step->name, step->path ? " " : "",
                     step->path ?: "", strerror(-error));
}

int command_start(struct run *run, const struct action_conf *action) {
        const struct run_conf *conf = run_conf(action);
        const struct run_options *options = conf->options;
        const struct handle_tools *tools = run->tools;
        _cleanup_free_ char **argv = strv_unpack(conf->argv), **added = strv_unpack(options->env);
        _cleanup_(command_env_deinit) struct command_env env = {0};
        _cleanup_free_ struct command *command = NULL;
        struct step step;
        int r;

        command = calloc(1, sizeof(*command));
        if (!command || !argv || !added)
                return -ENOMEM;
        command->run = run;
        command->run_id = reaper_new_run_id(tools->reaper);
        r = command_env_init(&env, run, command->run_id, tools->env, added);
        if (r < 0)
                return r;
        if (options->timeout_ns) {
                r = deadline_set(tools->deadlines, &command->deadline,
                                 clock_add(deadline_now(tools->deadlines), options->timeout_ns),
                                 on_deadline);
                if (r < 0)
                        return r;
        }
        r = execute(command, options, argv, env.variables, &step);
        if (r < 0) {
                deadline_clear(tools->deadlines, &command->deadline);
                complain(run, argv[0], &step, r);
                return r;
        }
        run->pid = exec_pid(command->exec);
        run->impl = steal_ptr(command);
        return 0;
}
