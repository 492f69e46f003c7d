/* The daemon as a person meets it: start, runs, reload, stop. */

#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs `roused ARGS` through the shell; its output and its exit status. */
static char *run_roused(const char *args, int *ret_status) {
        char command[8192], output[8192];
        FILE *pipe;
        size_t n;

        snprintf(command, sizeof(command), "%s 2>&1 %s", built_program("daemon/roused"), args);
        pipe = popen(command, "re");
        ck_assert_ptr_nonnull(pipe);
        n = fread(output, 1, sizeof(output) - 1, pipe);
        output[n] = '\0';
        *ret_status = WEXITSTATUS(pclose(pipe));
        return strdup(output);
}

static void expect_output(const char *args, int status, const char *text) {
        int got;
        char *output = run_roused(args, &got);

        ck_assert_msg(strstr(output, text) != NULL, "roused %s: %s", args, output);
        ck_assert_int_eq(got, status);
        free(output);
}

static void options_are_explained(void) {
        char args[4096];

        expect_output("--version", 0, "roused ");
        expect_output("--help", 0, "usage: roused");
        expect_output("--version >/dev/full", 1, "cannot write to standard output: No space");
        expect_output("--nonsense", 2, "usage: roused");
        expect_output("surplus", 2, "unexpected argument 'surplus'");
        expect_output("--config ''", 2, "roused: --config needs a file, not ''");
        expect_output("--dir ''", 2, "roused: --dir needs a directory, not ''");
        expect_output("--check ''", 2, "roused: --check needs a file, not ''");
        snprintf(args, sizeof(args), "--config %s", test_path("none.yaml"));
        expect_output(args, 1, "none.yaml");
}

static void check_prints_every_error_with_its_place(void) {
        const char *file = test_path("bad.yaml");
        char args[4096];

        test_write_file(file, "handles:\n  a:\n    rum: [x]\n    started: 7\n");
        snprintf(args, sizeof(args), "--check %s", file);
        expect_output(args, 1, "bad.yaml:3:5: unknown key 'rum', did you mean 'run'?");
        expect_output(args, 1, "bad.yaml:4:14: ");
        test_write_file(file, "handles:\n  a:\n    run: [x]\n");
        expect_output(args, 0, "");
}

static void a_second_one_is_refused(void) {
        struct roused roused;
        char args[4096];

        roused_start(&roused, "d", "handles: {a: {}}\n");
        snprintf(args, sizeof(args), "--config %s --dir %s", roused.config, roused.dir);
        expect_output(args, 1, roused.dir);
        ck_assert_uint_eq(roused_send(&roused, "a"), 1);
        roused_stop(&roused);
}

static void sockets_left_by_a_killed_one_are_replaced(void) {
        struct roused roused;

        roused_start(&roused, "d", "handles: {a: {}}\n");
        roused_kill(&roused);
        ck_assert(test_exists(test_path("d/poke.sock")));
        roused_restart(&roused);
        ck_assert_uint_ge(roused_send(&roused, "a"), 1);
        roused_stop(&roused);
}

static void what_a_run_writes_is_logged_by_line(void) {
        struct roused roused;

        roused_start(
                &roused, "d",
                "handles:\n  talk:\n    run: [sh, -c, 'echo one; echo two >&2; printf \"\\033[1mthree\"']\n");
        roused_send(&roused, "talk");
        roused_expect_log(&roused, "[talk] one\n");
        roused_expect_log(&roused, "[talk] two\n");
        roused_expect_log(&roused, "[talk] ?[1mthree\n");
        roused_stop(&roused);
}

static void a_verbose_one_logs_wakes_and_runs(void) {
        struct roused roused;
        char *log;

        roused_start(&roused, "d", "handles: {plain: {}, fails: {run: [sh, -c, 'exit 3']}}\n");
        roused_send(&roused, "plain");
        roused_stop(&roused);
        log = test_read_file(roused.log);
        ck_assert_ptr_null(strstr(log, "wake"));
        free(log);
        roused.option = "--verbose";
        roused_restart(&roused);
        free(roused_poke(&roused, "plain\nplain\nfails\n"));
        roused_expect_log(&roused, "debug: plain: wake 2, sends: 2\n");
        roused_expect_log(&roused, "debug: fails: runs for wake 1, sends: 1\n");
        roused_expect_log(&roused, "debug: fails: the run for wake 1 exited with 3 after ");
        roused_stop(&roused);
}

static void a_command_that_is_not_there_is_said(void) {
        struct roused roused;

        roused_start(&roused, "d", "handles:\n  a: {run: [/no/such/thing]}\n");
        roused_send(&roused, "a");
        roused_expect_log(&roused, "a: cannot run /no/such/thing: exec: No such file or directory");
        roused_send(&roused, "a"); /* and the handle goes on */
        roused_stop(&roused);
}

/* Gone, or a zombie whose new parent has not looked yet. */
static bool is_dead(void *arg) {
        char path[64], state = 'Z';
        FILE *file;

        snprintf(path, sizeof(path), "/proc/%d/stat", atoi(arg));
        file = fopen(path, "re");
        if (!file)
                return true;
        if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
                state = 'Z';
        fclose(file);
        return state == 'Z' || state == 'X';
}

static void a_run_that_takes_too_long_is_ended_with_its_children(void) {
        struct roused roused;
        char *lines;

        roused_start(
                &roused, "d",
                "handles:\n"
                "  a:\n"
                "    run: [sh, -c, 'sh -c \"echo \\$\\$ >>$ROUSE_DIR/pid; exec sleep 1000\" & wait']\n"
                "    timeout: 300ms\n");
        roused_send(&roused, "a");
        lines = roused_expect_lines(&roused, "pid", 1);
        roused_expect_log(&roused, "did not end in time");
        ck_assert_msg(test_until(is_dead, lines, test_slow_ms(5000)), "the child lives on");
        free(lines);
        roused_stop(&roused);
}

static void one_that_ignores_term_is_killed(void) {
        struct roused roused;

        roused_start(&roused, "d",
                     "handles:\n"
                     "  a:\n"
                     "    run: [sh, -c, 'trap \"\" TERM; while :; do sleep 0.1; done']\n"
                     "    timeout: 100ms\n"
                     "    kill_after: 200ms\n");
        roused_send(&roused, "a");
        roused_expect_log(&roused, "did not end in time");
        roused_stop(&roused);
}

static char *config_of_many(void) {
        enum { N = 30000 };
        char *text = malloc(N * 16 + 16), *at = text;

        ck_assert_ptr_nonnull(text);
        at += sprintf(at, "handles:\n");
        for (int i = 0; i < N; i++)
                at += sprintf(at, "  h%05d: {}\n", i);
        return text;
}

/* The daemon has got so far. Before it was executed all signals may have been blocked for a moment,
 * by what makes processes. */
static bool blocks_its_signals(void *arg) {
        const struct roused *roused = arg;
        char path[64], line[256];
        unsigned long long blocked = 0;
        FILE *file;

        snprintf(path, sizeof(path), "/proc/%d/status", roused->pid);
        file = fopen(path, "re");
        while (file && fgets(line, sizeof(line), file) &&
               sscanf(line, "SigBlk: %llx", &blocked) < 1)
                ;
        if (file)
                fclose(file);
        return (blocked & 1ULL << (SIGTERM - 1)) && !(blocked & 1ULL << (SIGUSR1 - 1));
}

static void signals_that_come_during_the_start_wait(void) {
        char *config = config_of_many();
        struct roused roused;

        roused_prepare(&roused, 0, "d", config);
        roused_spawn(&roused);
        ck_assert(test_until(blocks_its_signals, &roused, test_slow_ms(10000)));
        ck_assert_int_eq(kill(roused.pid, SIGHUP), 0);
        roused_stop(&roused);
        free(config);
}

static void sends_fan_out_in_order(void) {
        struct roused roused;
        char *lines;

        roused_start(&roused, "d",
                     "handles:\n"
                     "  top: {send: [middle, y]}\n"
                     "  middle: {send: [x]}\n"
                     "  x: {run: [sh, -c, 'echo x >>$ROUSE_DIR/out']}\n"
                     "  y: {run: [sh, -c, 'echo y >>$ROUSE_DIR/out']}\n");
        roused_send(&roused, "top");
        lines = roused_expect_lines(&roused, "out", 2);
        ck_assert(strcmp(lines, "y\nx\n") == 0 || strcmp(lines, "x\ny\n") == 0);
        free(lines);
        roused_stop(&roused);
}

static void a_process_is_signalled_by_its_pidfile(void) {
        char config[4096], pid_text[32];
        struct roused roused;
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                for (;;)
                        pause();
        }
        snprintf(pid_text, sizeof(pid_text), "%d\n", pid);
        snprintf(config, sizeof(config), "handles:\n  a: {signal: {pidfile: %s, signal: USR2}}\n",
                 test_path("pid"));
        roused_start(&roused, "d", config);
        roused_send(&roused, "a");
        roused_expect_log(&roused, "No such file or directory");
        test_write_file(test_path("pid"), "many\n");
        roused_send(&roused, "a");
        roused_expect_log(&roused, "there is no process number in it");
        test_write_file(test_path("pid"), pid_text);
        roused_send(&roused, "a");
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR2);
        roused_send(&roused, "a");
        roused_expect_log(&roused, "the process is not running");
        roused_stop(&roused);
}

static void lost_numbers_are_told(void) {
        struct roused roused;

        roused_start(&roused, "d", "handles: {a: {}}\n");
        ck_assert_uint_eq(roused_send(&roused, "a"), 1);
        roused_stop(&roused);
        test_write_file(test_path("d/seq"), "");
        roused_restart(&roused);
        roused_expect_log(&roused, "d/seq, is empty; they begin at the time of day instead");
        roused_stop(&roused);
        test_write_file(test_path("d/seq"), "this is no file of numbers");
        roused_restart(&roused);
        roused_expect_log(&roused, "d/seq are damaged and were set aside as ");
        roused_expect_log(&roused, "d/seq.bad; they begin at the time of day instead");
        ck_assert_uint_gt(roused_send(&roused, "a"), 1000000000000ULL);
        roused_stop(&roused);
}

static void reload(struct roused *roused, const char *config, const char *expected) {
        roused_write_config(roused, config);
        ck_assert_int_eq(kill(roused->pid, SIGHUP), 0);
        roused_expect_log(roused, expected);
}

/* A run that lasts until the file "go" is there. */
#define HELD "echo began >>$ROUSE_DIR/out; while ! test -e $ROUSE_DIR/go; do sleep 0.01; done"

/* "slow" runs. */
static void start_with_a_run(struct roused *roused, const char *config) {
        roused_start(roused, "d", config);
        roused_send(roused, "slow");
        free(roused_expect_lines(roused, "out", 1));
}

static void a_reload_takes_the_new_and_keeps_the_old_going(void) {
        struct roused roused;
        char *answer, *lines;

        start_with_a_run(&roused,
                         "handles:\n"
                         "  slow: {run: [sh, -c, '" HELD "; echo ended >>$ROUSE_DIR/out']}\n"
                         "  gone: {}\n");
        roused_send(&roused, "slow"); /* behind the run that goes on */
        reload(&roused,
               "handles:\n"
               "  slow: {run: [sh, -c, 'echo new $ROUSE_SEQ $ROUSE_SENDS >>$ROUSE_DIR/out']}\n"
               "  fresh: {}\n",
               "1 handles added, 1 changed, 1 removed");
        answer = roused_poke(&roused, "gone\nfresh\n");
        ck_assert_str_eq(answer, "error no_such_handle\nok 1\n");
        free(answer);
        test_write_file(test_path("d/go"), "");
        lines = roused_expect_lines(&roused, "out", 3);
        ck_assert_str_eq(lines, "began\nended\nnew 2 1\n");
        free(lines);
        roused_stop(&roused);
}

static void a_removed_handle_delivers_its_last_wake(void) {
        struct roused roused;

        start_with_a_run(&roused, "handles: {slow: {run: [sh, -c, '" HELD "']}}\n");
        roused_send(&roused, "slow");
        reload(&roused, "handles: {}\n", "1 removed");
        roused_expect_state(&roused, "slow", "behind_run");
        test_write_file(test_path("d/go"), "");
        free(roused_expect_lines(&roused, "out", 2));
        roused_expect_status(&roused, "slow", "no_such_handle");
        roused_stop(&roused);
}

/* The source does not know the new one before the next reload, and the old one is gone. */
static void a_source_of_a_handle_made_anew_harms_nobody(void) {
        static const char config[] = "handles: {a: {}}\nworkers: {w: [{watch: %s, send: a}]}\n";
        const char *file = test_path("watched");
        struct roused roused;
        char text[4352];

        snprintf(text, sizeof(text), config, file);
        roused_start(&roused, "d", text);
        roused_do(&roused, "close", "[\"a\"]");
        roused_do(&roused, "create", "[\"a\"]");
        test_write_file(file, "1");
        roused_expect_log(&roused, "a send to a came after it was closed");
        reload(&roused, text, "reloaded");
        ck_assert_uint_eq(roused_send(&roused, "a"), 1);
        roused_stop(&roused);
}

static void a_fifo_cannot_fill_the_log(void) {
        struct roused roused;
        char *log, *text;
        unsigned int n_lines;
        FILE *fifo;

        ck_assert_int_ge(asprintf(&text,
                                  "handles: {last: {run: [echo, was the last]}}\n"
                                  "workers: {w: [{fifo: \"%s\"}]}\n",
                                  test_path("in")),
                         0);
        roused_start(&roused, "d", text);
        free(text);
        fifo = fopen(test_path("in"), "w");
        ck_assert_ptr_nonnull(fifo);
        for (int i = 0; i < 10000; i++)
                fputs("nobody\nno!name\n", fifo);
        fputs("last\n", fifo);
        ck_assert_int_eq(fclose(fifo), 0);
        roused_expect_log(&roused, "was the last");
        roused_expect_log(&roused, "a send to nobody, which is no handle, came from a fifo (1 ");
        roused_expect_log(&roused, "a line that does not begin with a name (1 bad ");
        log = test_read_file(roused.log);
        n_lines = count_lines(log);
        free(log);
        ck_assert_uint_lt(n_lines, 100); /* or one each for every ten seconds that it took */
        roused_stop(&roused);
}

static void a_bad_file_changes_nothing(void) {
        struct roused roused;

        roused_start(&roused, "d", "handles: {a: {}}\n");
        reload(&roused, "handles: {b: {}, c: {rum: [x]}}\n", "unknown key 'rum'");
        roused_expect_log(&roused, "stays in force");
        ck_assert_uint_eq(roused_send(&roused, "a"), 1);
        roused_stop(&roused);
}

static void a_stop_delivers_what_is_pending_and_lets_runs_end(void) {
        struct roused roused;
        char *lines;
        int status;

        roused_start(&roused, "d",
                     "handles:\n"
                     "  slow: {run: [sh, -c, 'echo began >>$ROUSE_DIR/out; sleep 0.3; "
                     "echo ended >>$ROUSE_DIR/out']}\n"
                     "  last: {run: [sh, -c, 'echo last >>$ROUSE_DIR/out2']}\n"
                     "  fan: {send: [last]}\n");
        roused_send(&roused, "slow");
        free(roused_expect_lines(&roused, "out", 1));
        roused_send(&roused, "slow");
        /* It stands in the socket's queue when the signal comes. */
        roused_freeze(&roused);
        roused_poke_quietly(&roused, "fan");
        kill(roused.pid, SIGTERM);
        roused_thaw(&roused);
        /* Not roused_stop(): a second TERM would end the runs. */
        ck_assert_int_eq(waitpid(roused.pid, &status, 0), roused.pid);
        ck_assert_int_eq(status, 0);
        lines = test_read_file(test_path("d/out"));
        ck_assert_str_eq(lines, "began\nended\nbegan\nended\n");
        free(lines);
        lines = test_read_file(test_path("d/out2"));
        ck_assert_str_eq(lines, "last\n");
        free(lines);
}

static void a_second_and_third_signal_hurry_the_stop(void) {
        struct roused roused;

        roused_start(
                &roused, "d",
                "handles:\n  a: {run: [sh, -c, 'trap \"\" TERM; echo up >>$ROUSE_DIR/out; while :; do sleep "
                "0.1; done']}\n");
        roused_send(&roused, "a");
        free(roused_expect_lines(&roused, "out", 1));
        kill(roused.pid, SIGTERM);
        roused_expect_log(&roused, "stopping");
        kill(roused.pid, SIGTERM);
        roused_expect_log(&roused, "told to end");
        roused_stop(&roused);
        roused_expect_log(&roused, "are killed");
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(options_are_explained),
                TEST(check_prints_every_error_with_its_place),
                TEST(a_second_one_is_refused),
                TEST(sockets_left_by_a_killed_one_are_replaced),
                TEST(what_a_run_writes_is_logged_by_line),
                TEST(a_verbose_one_logs_wakes_and_runs),
                TEST(a_command_that_is_not_there_is_said),
                TEST(a_run_that_takes_too_long_is_ended_with_its_children),
                TEST(one_that_ignores_term_is_killed),
                TEST(signals_that_come_during_the_start_wait),
                TEST(sends_fan_out_in_order),
                TEST(a_process_is_signalled_by_its_pidfile),
                TEST(lost_numbers_are_told),
                TEST(a_reload_takes_the_new_and_keeps_the_old_going),
                TEST(a_removed_handle_delivers_its_last_wake),
                TEST(a_source_of_a_handle_made_anew_harms_nobody),
                TEST(a_fifo_cannot_fill_the_log),
                TEST(a_bad_file_changes_nothing),
                TEST(a_stop_delivers_what_is_pending_and_lets_runs_end),
                TEST(a_second_and_third_signal_hurry_the_stop),
                {0},
        };

        return test_main("roused", tests, argc, argv);
}
