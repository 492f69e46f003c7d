/*
 * Processes that leave their run, in the real daemon.
 *
 * That a recycled number is never hit cannot be provoked in time; it holds by construction: a pidfd
 * is opened before the environment is read by number, and the signal goes through the pidfd. If it
 * reaches a process, that process had the number all the time, so the environment was its own.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/orphans.h"
#include "tests/harness.h"
#include "tests/support.h"

#define N_RUNS      2000U
#define PATIENCE_MS 20000U

/* Leaves by a double fork and setsid, writes its number, and waits for a fifo that nobody writes.
 */
#define ESCAPE(file) \
        "(setsid sh -c \"echo \\$\\$ >>$ROUSE_DIR/" file "; read x <$ROUSE_DIR/never\" &); "

static void start(struct roused *roused, const char *config) {
        roused_start(roused, "d", config);
        ck_assert_int_eq(mkfifo(test_path("d/never"), 0600), 0);
}

static bool is_gone(void *arg) {
        pid_t *pid = arg;

        return kill(*pid, 0) < 0 && errno == ESRCH;
}

static pid_t expect_pid(const struct roused *roused, const char *file) {
        char *text = roused_expect_lines(roused, file, 1);
        pid_t pid = atoi(text);

        free(text);
        ck_assert_int_gt(pid, 1);
        return pid;
}

static void expect_gone(const struct roused *roused, pid_t pid) {
        char *log;

        if (test_until(is_gone, &pid, test_slow_ms(PATIENCE_MS)))
                return;
        log = test_read_file(roused->log);
        kill(pid, SIGKILL);
        ck_abort_msg("%d is still there: %.1000s", pid, log);
}

/* The number of children of a process, dead ones among them. */
static size_t count_children(pid_t pid) {
        struct pid_list children = {0};
        size_t n;

        ck_assert_int_eq(orphans_add_children(&children, pid), 0);
        n = children.n;
        pid_list_deinit(&children);
        return n;
}

static bool has_no_children(void *arg) {
        return count_children(*(pid_t *)arg) == 0;
}

static size_t count_fds(pid_t pid) {
        char path[64];
        size_t n = 0;
        DIR *dir;

        snprintf(path, sizeof(path), "/proc/%d/fd", pid);
        dir = opendir(path);
        ck_assert_ptr_nonnull(dir);
        while (readdir(dir))
                n++;
        closedir(dir);
        return n;
}

static void what_left_its_group_is_killed_at_the_timeout(void) {
        struct roused roused;
        pid_t pid;

        start(&roused, "handles:\n  a:\n    timeout: 500ms\n    run: [sh, -c, '" ESCAPE(
                               "pid") "sleep 1000']\n");
        roused_send(&roused, "a");
        pid = expect_pid(&roused, "pid");
        roused_expect_log(&roused, "did not end in time");
        expect_gone(&roused, pid);
        /* What else the run had left is killed with it, and dies a moment later. */
        ck_assert(test_until(has_no_children, &roused.pid, test_slow_ms(PATIENCE_MS)));
        roused_stop(&roused);
}

static void also_when_it_does_not_listen_to_term(void) {
        struct roused roused;
        pid_t pid;

        start(&roused,
              "handles:\n  a:\n    timeout: 300ms\n    kill_after: 200ms\n"
              "    run: [sh, -c, 'trap : TERM; " ESCAPE("pid") "while :; do sleep 0.05; done']\n");
        roused_send(&roused, "a");
        pid = expect_pid(&roused, "pid");
        roused_expect_log(&roused, "did not end in time");
        expect_gone(&roused, pid);
        roused_stop(&roused);
}

static void what_a_run_leaves_behind_is_reported_once_and_lives(void) {
        struct roused roused;
        char text[64], *log, *first;
        pid_t pid;

        start(&roused, "handles:\n  a:\n    run: [sh, -c, '" ESCAPE(
                               "pid") "while ! test -s $ROUSE_DIR/pid; do sleep 0.01; done']\n"
                                      "  b: {run: [sh, -c, 'echo ran >>$ROUSE_DIR/b']}\n");
        roused_send(&roused, "a");
        pid = expect_pid(&roused, "pid");
        snprintf(text, sizeof(text), "a: left 1 process behind: %d", pid);
        roused_expect_log(&roused, text);
        roused_send(&roused, "b"); /* it is not b's, and not reported again */
        free(roused_expect_lines(&roused, "b", 1));
        ck_assert_uint_eq(count_children(roused.pid) >= 1, 1);
        roused_stop(&roused);
        ck_assert_int_eq(kill(pid, 0), 0);
        log = test_read_file(roused.log);
        first = strstr(log, "behind:");
        ck_assert_ptr_null(strstr(first + 1, "behind:"));
        free(log);
        kill(pid, SIGKILL);
}

static void one_run_s_end_does_not_touch_another_s(void) {
        struct roused roused;
        pid_t kept, killed;

        start(&roused, "handles:\n  keeps:\n    run: [sh, -c, '" ESCAPE(
                               "kept") "while ! test -s $ROUSE_DIR/kept; do sleep 0.01; done']\n"
                                       "  ends:\n    timeout: 300ms\n    run: [sh, -c, '" ESCAPE(
                                               "killed") "sleep 1000']\n");
        roused_send(&roused, "keeps");
        kept = expect_pid(&roused, "kept");
        roused_expect_log(&roused, "left 1 process behind");
        roused_send(&roused, "ends");
        killed = expect_pid(&roused, "killed");
        expect_gone(&roused, killed);
        ck_assert_int_eq(kill(kept, 0), 0);
        roused_stop(&roused);
        kill(kept, SIGKILL);
}

struct soak {
        struct roused roused;
        size_t n_fds;
};

static bool is_clean(void *arg) {
        struct soak *soak = arg;

        return count_children(soak->roused.pid) == 0 && count_fds(soak->roused.pid) <= soak->n_fds;
}

static bool has_one_child(void *arg) {
        return count_children(*(pid_t *)arg) == 1;
}

/* Also when the handle is there no more, and without the run's end waiting for it. */
static void what_a_run_leaves_behind_may_go_on_writing(void) {
        struct soak soak;
        struct roused *roused = &soak.roused;
        char *answer, *log;
        int fd;

        start(roused,
              "handles: {quiet: {run: ['true']}, a: {run: [sh, -c, '"
              "(read x <$ROUSE_DIR/never; echo late; echo error >&2; read x <$ROUSE_DIR/later; "
              "printf unfinished; echo alive >>$ROUSE_DIR/f) & printf early']}}\n");
        ck_assert_int_eq(mkfifo(test_path("d/later"), 0600), 0);
        roused_do(roused, "send", "{\"name\":\"quiet\",\"wait\":\"run\"}");
        soak.n_fds = count_fds(roused->pid);
        answer = roused_call(roused, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"send\","
                                     "\"params\":{\"name\":\"a\",\"wait\":\"run\"}}");
        ck_assert_msg(strstr(answer, "\"status\":0") != NULL, "%s", answer);
        free(answer);
        roused_expect_log(roused, "left 1 process behind");
        ck_assert(test_until(has_one_child, &roused->pid, test_slow_ms(PATIENCE_MS)));
        roused_reload(roused, "handles: {}\n");
        for (int i = 0; i < 2; i++) {
                fd = open(test_path(i == 0 ? "d/never" : "d/later"), O_WRONLY | O_CLOEXEC);
                ck_assert_int_ge(fd, 0);
                ck_assert_int_eq(write(fd, "\n", 1), 1);
                close(fd);
                if (i == 0)
                        roused_expect_log(roused, "[a] error");
        }
        free(roused_expect_lines(roused, "f", 1));
        roused_expect_log(roused, "[a] unfinished\n");
        log = test_read_file(roused->log);
        ck_assert_ptr_nonnull(strstr(log, "[a] early\n"));
        ck_assert_ptr_nonnull(strstr(log, "[a] late\n"));
        free(log);
        ck_assert(test_until(is_clean, &soak, test_slow_ms(PATIENCE_MS)));
        roused_stop(roused);
}

/* Each run leaves a child that ends later, so there are twice as many to reap. */
static void many_runs_leave_no_zombie_and_no_descriptor(void) {
        const char *wanted = getenv("ROUSE_TEST_RUNS");
        unsigned int n_runs = wanted ? (unsigned int)atoi(wanted) : N_RUNS;
        struct soak soak;
        struct roused *roused = &soak.roused;
        char *answer;

        roused_start(roused, "d", "handles: {a: {run: [sh, -c, ': &']}}\n");
        roused_send(roused, "a"); /* what is opened once, is open from now on */
        roused_expect_log(roused, "serving");
        soak.n_fds = count_fds(roused->pid);
        for (unsigned int i = 0; i < n_runs; i++) {
                char request[160];

                snprintf(request, sizeof(request),
                         "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"send\",\"params\":"
                         "{\"name\":\"a\",\"wait\":\"run\"}}");
                answer = roused_call(roused, request);
                ck_assert_msg(strstr(answer, "\"result\"") != NULL, "%s", answer);
                free(answer);
        }
        ck_assert_msg(test_until(is_clean, &soak, test_slow_ms(PATIENCE_MS)),
                      "%zu children, %zu descriptors, at first %zu", count_children(roused->pid),
                      count_fds(roused->pid), soak.n_fds);
        roused_stop(roused);
}

static void a_signal_goes_to_those_alone_that_belong_to_the_run(void) {
        pid_t pid = getpid();

        ck_assert_uint_eq(orphan_run_id(pid), 0);
        ck_assert(!orphan_signal(pid, 7, SIGKILL));
        ck_assert(!orphan_signal(1, 7, SIGKILL));
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(what_left_its_group_is_killed_at_the_timeout),
                TEST(also_when_it_does_not_listen_to_term),
                TEST(what_a_run_leaves_behind_is_reported_once_and_lives),
                TEST(what_a_run_leaves_behind_may_go_on_writing),
                TEST(one_run_s_end_does_not_touch_another_s),
                {.name = "many_runs_leave_no_zombie_and_no_descriptor",
                 .fn = many_runs_leave_no_zombie_and_no_descriptor,
                 .timeout_s = 600},
                TEST(a_signal_goes_to_those_alone_that_belong_to_the_run),
                {0},
        };

        return test_main("orphans", tests, argc, argv);
}
