/*
 * A command is a process group (see exec.c). It ends by itself, or by its timeout, or because the
 * daemon stops: TERM to the group, and after kill_after KILL. When a command that had to be ended
 * is gone, what is left of its group is killed, too.
 *
 * The environment is the daemon's own without what was meant for the daemon alone, and with the
 * words of the contract between roused and commands: ROUSE_HANDLE, ROUSE_SEQ, ROUSE_SENDS,
 * ROUSE_KEYS_OVERFLOW, and ROUSE_DIR, by which the command's own `rouse` finds this daemon.
 */

#include "daemon/action-run.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "daemon/action.h"
#include "daemon/conf-node.h"
#include "daemon/conf-schema.h"
#include "daemon/deadline.h"
#include "daemon/exec.h"
#include "daemon/log.h"
#include "daemon/registry-private.h"
#include "daemon/run.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/list.h"

#define DEFAULT_KILL_AFTER_NS (10 * NS_PER_S)
#define N_WORDS               4
#define N_WORD                320

struct run_conf {
        struct action_conf base;
        char **argv;
        uint64_t timeout_ns;    /* 0: none */
        uint64_t kill_after_ns; /* between TERM and KILL */
};

struct command {
        struct run *run;
        struct exec *exec;
        struct deadline deadline;
        uint64_t kill_after_ns;
        bool is_ending; /* TERM was sent */
        bool timed_out;
};

static const struct conf_key keys[] = {
        {"timeout", conf_timespan, offsetof(struct run_conf, timeout_ns)},
        {"kill_after", conf_timespan, offsetof(struct run_conf, kill_after_ns)},
        {0},
};

static const struct run_conf *run_conf(const struct action_conf *conf) {
        return (const struct run_conf *)conf;
}

static void free_conf(struct action_conf *conf) {
        conf_strv_free(((struct run_conf *)conf)->argv);
        free(conf);
}

static int parse(struct conf_errors *errors, const struct conf_node *node,
                 struct action_conf **ret) {
        struct run_conf *conf = calloc(1, sizeof(*conf));
        int r;

        if (!conf)
                return -ENOMEM;
        *conf = (struct run_conf){
                .base = {.kind = &action_kind_run, .node = node},
                .kill_after_ns = DEFAULT_KILL_AFTER_NS,
        };
        r = conf_argv(errors, node, &conf->argv);
        if (r < 0) {
                free_conf(&conf->base);
                return r;
        }
        *ret = &conf->base;
        return 0;
}

static bool equal(const struct action_conf *a, const struct action_conf *b) {
        return conf_strv_equal(run_conf(a)->argv, run_conf(b)->argv) &&
               run_conf(a)->timeout_ns == run_conf(b)->timeout_ns &&
               run_conf(a)->kill_after_ns == run_conf(b)->kill_after_ns;
}

/* The list of pointers is the caller's to free; the first N_WORDS stand in `words`. */
static char **make_env(const struct run *run, char *const *inherited, char words[N_WORDS][N_WORD]) {
        size_t n_inherited = 0;
        char **env;

        while (inherited[n_inherited])
                n_inherited++;
        env = malloc((n_inherited + N_WORDS + 1) * sizeof(*env));
        if (!env)
                return NULL;
        snprintf(words[0], N_WORD, "ROUSE_HANDLE=%s", run_handle_name(run));
        snprintf(words[1], N_WORD, "ROUSE_SEQ=%llu", (unsigned long long)run->result.seq);
        snprintf(words[2], N_WORD, "ROUSE_SENDS=%llu", (unsigned long long)run->result.n_sends);
        snprintf(words[3], N_WORD, "ROUSE_KEYS_OVERFLOW=0");
        for (size_t i = 0; i < N_WORDS; i++)
                env[i] = words[i];
        memcpy(env + N_WORDS, inherited, (n_inherited + 1) * sizeof(*env));
        return env;
}

static void on_output(void *arg, bool is_stderr, const char *line, size_t n_line) {
        struct command *command = arg;

        (void)is_stderr;
        log_output(run_handle_name(command->run), line, n_line);
}

static void report(const struct command *command, enum run_outcome outcome, int status) {
        const struct run *run = command->run;
        const struct run_conf *conf = run_conf(run->action);

        if (outcome == RUN_TIMED_OUT)
                log_warning("%s: %s did not end in time and was ended", run_handle_name(run),
                            conf->argv[0]);
        else if (outcome == RUN_SIGNALED)
                log_warning("%s: %s was killed by signal %d (%s)", run_handle_name(run),
                            conf->argv[0], status, sigabbrev_np(status) ?: "?");
        else if (status != 0)
                log_warning("%s: %s failed with exit status %d", run_handle_name(run),
                            conf->argv[0], status);
}

static void on_exited(void *arg, int code, int status) {
        struct command *command = arg;
        struct run *run = command->run;
        enum run_outcome outcome = code == CLD_EXITED ? RUN_EXITED : RUN_SIGNALED;

        if (command->timed_out)
                outcome = RUN_TIMED_OUT;
        deadline_clear(run_registry(run)->deadlines, &command->deadline);
        report(command, outcome, status);
        free(command);
        run_finish(run, outcome, status, outcome == RUN_EXITED && status == 0);
}

static const struct exec_ops exec_ops = {
        .output = on_output,
        .exited = on_exited,
};

static void end(struct command *command, bool kill);

static void on_deadline(struct deadline *deadline, uint64_t now_ns) {
        struct command *command = container_of(deadline, struct command, deadline);

        (void)now_ns;
        if (!command->is_ending)
                command->timed_out = true;
        end(command, command->is_ending);
}

static void end(struct command *command, bool kill) {
        struct deadline_queue *deadlines = run_registry(command->run)->deadlines;

        exec_kill_rest(command->exec);
        (void)exec_signal_group(command->exec, kill ? SIGKILL : SIGTERM);
        if (kill || command->is_ending)
                return;
        command->is_ending = true;
        if (deadline_set(deadlines, &command->deadline,
                         deadline_now(deadlines) + command->kill_after_ns, on_deadline) < 0)
                (void)exec_signal_group(command->exec, SIGKILL); /* cannot be done later */
}

static void stop(struct run *run, bool kill) {
        end(run->impl, kill);
}

static int tell(struct run *run, int signal) {
        struct command *command = run->impl;

        return exec_signal(command->exec, signal);
}

static int start(struct run *run, const struct action_conf *action) {
        const struct run_conf *conf = run_conf(action);
        struct registry *registry = run_registry(run);
        char words[N_WORDS][N_WORD];
        _cleanup_free_ char **env = NULL;
        _cleanup_free_ struct command *command = NULL;
        struct exec_spec spec;
        const char *step;
        int r;

        command = calloc(1, sizeof(*command));
        env = make_env(run, registry->env, words);
        if (!command || !env)
                return -ENOMEM;
        *command = (struct command){.run = run, .kill_after_ns = conf->kill_after_ns};
        if (conf->timeout_ns) {
                r = deadline_set(registry->deadlines, &command->deadline,
                                 deadline_now(registry->deadlines) + conf->timeout_ns, on_deadline);
                if (r < 0)
                        return r;
        }
        spec = (struct exec_spec){
                .argv = conf->argv,
                .env = env,
                .stdin_fd = -1,
                .stdout_fd = -1,
                .stderr_fd = -1,
                .log_stdout = true,
                .log_stderr = true,
        };
        r = exec_start(registry->loop, &spec, &exec_ops, command, &step, &command->exec);
        if (r < 0) {
                deadline_clear(registry->deadlines, &command->deadline);
                log_warning("%s: cannot run %s: %s: %s", run_handle_name(run), conf->argv[0], step,
                            strerror(-r));
                return r;
        }
        run->pid = exec_pid(command->exec);
        run->impl = steal_ptr(command);
        return 0;
}

const struct action_kind action_kind_run = {
        .key = "run",
        .parse = parse,
        .keys = keys,
        .equal = equal,
        .free = free_conf,
        .start = start,
        .stop = stop,
        .tell = tell,
};
