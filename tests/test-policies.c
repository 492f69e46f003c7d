/*
 * Each policy of a handle, held against the real daemon. Runs write a line when they begin, with
 * their number, the sends they cover and the time since boot; some then wait at a named pipe until
 * the test lets one of them go on. Delays that have to end by something else than time are hours
 * long, so that a limit which does not hold is seen by its absence. The daemon's stop delivers what
 * is pending: the lines that are there after it are all that ever will be.
 */

#include "tests/run-notes.h"
#include "tests/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FAILS  "run: [sh, -c, '" NOTE "; exit 1']"
#define STEP_S 0.02

static double now_s(void) {
        char *text = test_read_file("/proc/uptime");
        double time_s = strtod(text, NULL);

        free(text);
        return time_s;
}

static void quiet_time_makes_one_run_of_many_sends(void) {
        struct roused roused;
        struct line line;
        double before_s;

        roused_start(&roused, "d", "handles: {a: {" RUN ", quiet: 300ms}}\n");
        before_s = now_s();
        free(roused_poke(&roused, "a\na\na\n"));
        line = line_of(&roused, "a", 0);
        ck_assert_uint_eq(line.n_sends, 3);
        ck_assert_uint_eq(line.seq, 1);
        ck_assert(line.time_s >= before_s + 0.3 - STEP_S);
        stop_after(&roused, "a", 1);
}

static void max_wait_bounds_the_quiet_time(void) {
        struct roused roused;
        double before_s;

        roused_start(&roused, "d",
                     "handles: {a: {" RUN ", quiet: 1h, max_wait: 1h}, b: {" RUN
                     ", quiet: 300ms, max_wait: 300ms}}\n");
        free(roused_poke(&roused, "a\nb\n"));
        line_of(&roused, "b", 0);
        roused_expect_state(&roused, "a", "quiet");
        before_s = now_s();
        roused_reload(&roused, "handles: {a: {" RUN ", quiet: 1h, max_wait: 1h}, b: {" RUN
                               ", quiet: 1s, max_wait: 1s}}\n");
        roused_send(&roused, "b");
        roused_send(&roused, "b");
        ck_assert(line_of(&roused, "b", 1).time_s >= before_s + 1 - STEP_S);
        stop_after(&roused, "a", 1);
}

static void the_first_send_runs_at_once_with_leading(void) {
        struct roused roused;

        roused_start(&roused, "d", "handles: {a: {" RUN ", quiet: 1h, leading: true}}\n");
        roused_send(&roused, "a");
        ck_assert_uint_eq(line_of(&roused, "a", 0).n_sends, 1);
        roused_send(&roused, "a");
        roused_send(&roused, "a");
        roused_expect_state(&roused, "a", "quiet");
        stop_after(&roused, "a", 2);
}

static void runs_keep_their_least_interval(void) {
        struct roused roused;
        struct line lines[3];

        roused_start(&roused, "d", "handles: {a: {" RUN ", min_interval: 400ms, jitter: 20ms}}\n");
        for (unsigned int i = 0; i < 3; i++) {
                roused_send(&roused, "a");
                lines[i] = line_of(&roused, "a", i);
        }
        /* From wake to wake; a run begins a little after its wake, at most the slower the machine.
         * Two intervals bound what one could lose by that. */
        ck_assert(lines[2].time_s >= lines[0].time_s + 0.4);
        stop_after(&roused, "a", 3);
}

static void a_wake_restarts_the_run(void) {
        struct roused roused;
        char *text;
        int gate_fd;

        roused_start(
                &roused, "d",
                "handles:\n  a:\n    on_busy: restart\n"
                "    run: [sh, -c, 'trap \"echo $ROUSE_SEQ term >>$ROUSE_DIR/ends; exit 1\" TERM; " NOTE
                "; cat $ROUSE_DIR/gate & wait; echo $ROUSE_SEQ end >>$ROUSE_DIR/ends']\n");
        gate_fd = open_gate(&roused);
        roused_send(&roused, "a");
        line_of(&roused, "a", 0);
        roused_send(&roused, "a");
        /* What the first was for is the second's, too. */
        ck_assert_uint_eq(line_of(&roused, "a", 1).n_sends, 2);
        free(roused_poke(&roused, "a\na\n"));
        ck_assert_uint_eq(line_of(&roused, "a", 2).n_sends, 4);
        text = roused_expect_lines(&roused, "ends", 2);
        ck_assert_str_eq(text, "1 term\n2 term\n");
        free(text);
        roused_reload(&roused, "handles: {a: {on_busy: restart, " RUN "}}\n");
        roused_send(&roused, "a");
        stop_after(&roused, "a", 4);
        close(gate_fd);
}

static void a_wake_tells_the_run(void) {
        struct roused roused;
        char *text;
        int gate_fd;

        roused_start(&roused, "d",
                     "handles:\n  a:\n    on_busy: signal USR1\n"
                     "    run: [sh, -c, 'trap \"echo told >>$ROUSE_DIR/told\" USR1; " NOTE
                     "; (read x <$ROUSE_DIR/gate) & p=$!; "
                     "while kill -0 $p 2>/dev/null; do wait $p; done']\n");
        gate_fd = open_gate(&roused);
        roused_send(&roused, "a");
        line_of(&roused, "a", 0);
        roused_send(&roused, "a");
        free(roused_expect_lines(&roused, "told", 1));
        roused_expect_state(&roused, "a", "running");
        roused_send(&roused, "a");
        free(roused_expect_lines(&roused, "told", 2));
        /* By its answer it has told the run: one that ends before counts as not told. */
        roused_expect_state(&roused, "a", "running");
        let_go(gate_fd, 1);
        roused_expect_state(&roused, "a", "idle");
        roused_expect_status(&roused, "a", "\"sends\":3");
        stop_after(&roused, "a", 1);
        text = test_read_file(test_path("d/told"));
        ck_assert_uint_eq(count_lines(text), 2);
        free(text);
        close(gate_fd);
}

static void a_run_that_dies_of_being_told_runs_again(void) {
        struct roused roused;
        int gate_fd;

        roused_start(&roused, "d", "handles: {a: {" GATED ", on_busy: {signal: USR2}}}\n");
        gate_fd = open_gate(&roused);
        roused_send(&roused, "a");
        line_of(&roused, "a", 0);
        roused_send(&roused, "a");
        ck_assert_uint_eq(line_of(&roused, "a", 1).n_sends, 2);
        let_go(gate_fd, 1);
        roused_expect_state(&roused, "a", "idle");
        stop_after(&roused, "a", 2);
        close(gate_fd);
}

static void a_run_that_ends_without_having_listened_runs_again(void) {
        struct line second;
        struct roused roused;
        char *answer;
        int gate_fd;

        roused_start(&roused, "d",
                     "handles:\n  a:\n    on_busy: signal USR1\n"
                     "    run: [env, --block-signal=USR1, sh, -c, '" NOTE
                     "; read x <$ROUSE_DIR/gate']\n");
        gate_fd = open_gate(&roused);
        roused_send(&roused, "a");
        line_of(&roused, "a", 0);
        roused_send(&roused, "a");
        roused_expect_state(&roused, "a", "running");
        roused_send(&roused, "a");
        roused_expect_state(&roused, "a", "running");
        let_go(gate_fd, 1);
        second = line_of(&roused, "a", 1);
        ck_assert_uint_eq(second.seq, 3);
        ck_assert_uint_eq(second.n_sends, 2);
        let_go(gate_fd, 1);
        roused_expect_state(&roused, "a", "idle");
        answer = roused_call(&roused, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"runs\","
                                      "\"params\":[\"a\"]}\n");
        ck_assert_msg(strstr(answer, "\"seq\":1,\"sends\":1,") != NULL, "%s", answer);
        ck_assert_msg(strstr(answer, "\"seq\":3,\"sends\":2,") != NULL, "%s", answer);
        free(answer);
        stop_after(&roused, "a", 2);
        close(gate_fd);
}

static void what_fails_is_tried_again_with_growing_delays(void) {
        struct roused roused;
        struct line lines[3];

        roused_start(&roused, "d",
                     "handles:\n  a:\n    retry: {attempts: 3, backoff: 200ms}\n"
                     "    run: [sh, -c, '" NOTE "; test $(wc -l <$ROUSE_DIR/a) = 3']\n");
        roused_send(&roused, "a");
        for (unsigned int i = 0; i < 3; i++) {
                lines[i] = line_of(&roused, "a", i);
                ck_assert_uint_eq(lines[i].n_sends, 1);
                ck_assert_uint_eq(lines[i].seq, 1);
        }
        ck_assert(lines[1].time_s >= lines[0].time_s + 0.2 - STEP_S);
        ck_assert(lines[2].time_s >= lines[1].time_s + 0.4 - STEP_S);
        roused_expect_state(&roused, "a", "idle");
        stop_after(&roused, "a", 3);
}

static void after_the_last_attempt_the_next_send_begins_anew(void) {
        struct roused roused;

        roused_start(&roused, "d",
                     "handles: {a: {" FAILS ", retry: {attempts: 2, backoff: 10ms}}}\n");
        for (unsigned int n = 2; n <= 6; n += 2) {
                roused_send(&roused, "a");
                free(roused_expect_lines(&roused, "a", n));
                roused_expect_state(&roused, "a", "failed");
        }
        stop_after(&roused, "a", 6);
}

static void a_back_off_ends_with_the_policy_or_the_daemon(void) {
        static const char slow[] =
                "handles: {a: {" FAILS ", retry: {backoff: 1h, max_backoff: infinity}}}\n";
        struct roused roused;

        roused_start(&roused, "d", slow);
        roused_send(&roused, "a");
        line_of(&roused, "a", 0);
        roused_expect_state(&roused, "a", "backing_off");
        roused_send(&roused, "a");
        roused_expect_state(&roused, "a", "backing_off");
        roused_reload(&roused, slow); /* changes nothing */
        roused_expect_state(&roused, "a", "backing_off");
        roused_reload(&roused,
                      "handles: {a: {" FAILS ", retry: {backoff: 2h, max_backoff: 2h}}}\n");
        roused_expect_state(&roused, "a", "backing_off");
        roused_reload(&roused, "handles: {a: {" FAILS "}}\n");
        ck_assert_uint_eq(line_of(&roused, "a", 1).n_sends, 2);
        roused_expect_state(&roused, "a", "idle");
        roused_reload(&roused, slow);
        roused_send(&roused, "a");
        line_of(&roused, "a", 2);
        roused_expect_state(&roused, "a", "backing_off");
        stop_after(&roused, "a", 4);
}

static void a_pause_remembers_and_resume_makes_one_run(void) {
        struct roused roused;

        roused_start(&roused, "d", "handles: {a: {" RUN "}}\n");
        roused_do(&roused, "pause", "{\"name\":\"a\"}");
        for (int i = 0; i < 3; i++)
                roused_send(&roused, "a");
        roused_expect_state(&roused, "a", "paused");
        roused_reload(&roused, "handles: {a: {" RUN ", quiet: 10ms}}\n");
        roused_send(&roused, "a");
        roused_expect_state(&roused, "a", "paused");
        roused_do(&roused, "resume", "{\"name\":\"a\"}");
        ck_assert_uint_eq(line_of(&roused, "a", 0).n_sends, 4);
        stop_after(&roused, "a", 1);
}

static void a_reload_while_it_is_quiet(void) {
        struct roused roused;

        roused_start(&roused, "d", "handles: {a: {" RUN ", quiet: 1h}, b: {" RUN ", quiet: 1h}}\n");
        free(roused_poke(&roused, "a\na\nb\n"));
        roused_expect_state(&roused, "a", "quiet");
        roused_reload(&roused, "handles: {a: {" RUN ", quiet: 2h}, b: {" RUN ", quiet: 1h}}\n");
        roused_send(&roused, "a");
        roused_expect_state(&roused, "a", "quiet");
        roused_reload(&roused, "handles: {a: {" RUN ", min_interval: 1h}}\n");
        ck_assert_uint_eq(line_of(&roused, "a", 0).n_sends, 3);
        ck_assert_uint_eq(line_of(&roused, "b", 0).n_sends, 1); /* before it went */
        roused_send(&roused, "a");
        roused_expect_state(&roused, "a", "interval");
        roused_reload(&roused, "handles: {a: {" RUN ", min_interval: 2h}}\n");
        roused_expect_state(&roused, "a", "interval");
        roused_reload(&roused, "handles: {a: {" RUN ", min_interval: 1ms}}\n");
        ck_assert_uint_eq(line_of(&roused, "a", 1).n_sends, 1);
        stop_after(&roused, "a", 2);
}

static void a_reload_while_it_runs(void) {
        struct roused roused;
        int gate_fd;

        roused_start(&roused, "d", "handles: {a: {" GATED "}}\n");
        gate_fd = open_gate(&roused);
        roused_send(&roused, "a");
        line_of(&roused, "a", 0);
        roused_send(&roused, "a");
        roused_expect_state(&roused, "a", "behind_run");
        roused_reload(&roused, "groups: {g: }\nhandles: {a: {" GATED
                               ", on_busy: signal HUP, group: g, min_interval: 1ms, retry: }}\n");
        roused_expect_state(&roused, "a", "behind_run");
        let_go(gate_fd, 1);
        line_of(&roused, "a", 1);
        roused_reload(&roused, "handles: {a: {" GATED ", quiet: 1ms}}\n");
        let_go(gate_fd, 1);
        roused_expect_state(&roused, "a", "idle");
        stop_after(&roused, "a", 2);
        close(gate_fd);
}

static void an_action_that_went_during_a_run_comes_back(void) {
        struct roused roused;
        int gate_fd;

        roused_start(&roused, "d", "handles: {a: {" GATED ", retry: {backoff: 10ms}}}\n");
        gate_fd = open_gate(&roused);
        roused_send(&roused, "a");
        line_of(&roused, "a", 0);
        roused_send(&roused, "a");
        roused_expect_state(&roused, "a", "behind_run");
        roused_reload(&roused, "handles: {a: }\n");
        let_go(gate_fd, 1);
        roused_expect_state(&roused, "a", "idle");
        roused_reload(&roused, "handles: {a: {" RUN "}}\n");
        roused_send(&roused, "a");
        ck_assert_uint_eq(line_of(&roused, "a", 1).n_sends, 1);
        stop_after(&roused, "a", 2);
        close(gate_fd);
}

static bool is_gone(void *arg) {
        char *answer = roused_call(arg, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\","
                                        "\"params\":{\"name\":\"a\"}}");
        bool is_error = strstr(answer, "no_such_handle");

        free(answer);
        return is_error;
}

static void a_failed_handle_goes_with_its_configuration(void) {
        struct roused roused;

        roused_start(&roused, "d", "handles: {a: {" FAILS ", retry: {attempts: 1}}}\n");
        roused_send(&roused, "a");
        roused_expect_state(&roused, "a", "failed");
        roused_reload(&roused, "handles: {}\n");
        ck_assert(test_until(is_gone, &roused, test_slow_ms(20000)));
        stop_after(&roused, "a", 1);
}

/* When the wake of a handle comes, in ms; it waits. */
static long long due_ms(const struct roused *roused, const char *handle) {
        char request[200], *answer;
        const char *at;
        long long ms;

        snprintf(request, sizeof(request),
                 "{\"jsonrpc\":\"2.0\",\"method\":\"status\",\"params\":[\"%s\"],\"id\":1}",
                 handle);
        answer = roused_call(roused, request);
        at = strstr(answer, "\"until_ms\":");
        ck_assert_ptr_nonnull(at);
        ms = atoll(at + strlen("\"until_ms\":"));
        free(answer);
        return ms;
}

/* With an hour of it ten handles fall into its first minute once in 60^10 times. */
static void jitter_is_spread_over_all_of_its_time(void) {
        enum { N = 10 };
        long long now_ms = (long long)time(NULL) * 1000, last_ms[N] = {0};

        for (int round = 0; round < 2; round++) {
                bool is_late = false, differs = false;
                char name[16], handle[2] = "a";
                struct roused roused;

                snprintf(name, sizeof(name), "d%d", round);
                roused_start(&roused, name,
                             "handles:\n  a: {jitter: 1h}\n  b: {jitter: 1h}\n  c: {jitter: 1h}\n"
                             "  d: {jitter: 1h}\n  e: {jitter: 1h}\n  f: {jitter: 1h}\n"
                             "  g: {jitter: 1h}\n  h: {jitter: 1h}\n  i: {jitter: 1h}\n"
                             "  j: {jitter: 1h}\n");
                for (int i = 0; i < N; i++, handle[0]++) {
                        long long ms;

                        roused_send(&roused, handle);
                        ms = due_ms(&roused, handle);
                        ck_assert_int_lt(ms, now_ms + 3700000);
                        is_late = is_late || ms > now_ms + 60000;
                        differs = differs || llabs(ms - last_ms[i]) > 10000;
                        last_ms[i] = ms;
                }
                ck_assert(is_late);
                ck_assert(round == 0 || differs);
                roused_stop(&roused);
        }
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(jitter_is_spread_over_all_of_its_time),
                TEST(quiet_time_makes_one_run_of_many_sends),
                TEST(max_wait_bounds_the_quiet_time),
                TEST(the_first_send_runs_at_once_with_leading),
                TEST(runs_keep_their_least_interval),
                TEST(a_wake_restarts_the_run),
                TEST(a_wake_tells_the_run),
                TEST(a_run_that_dies_of_being_told_runs_again),
                TEST(a_run_that_ends_without_having_listened_runs_again),
                TEST(what_fails_is_tried_again_with_growing_delays),
                TEST(after_the_last_attempt_the_next_send_begins_anew),
                TEST(a_back_off_ends_with_the_policy_or_the_daemon),
                TEST(a_pause_remembers_and_resume_makes_one_run),
                TEST(a_reload_while_it_is_quiet),
                TEST(a_reload_while_it_runs),
                TEST(an_action_that_went_during_a_run_comes_back),
                TEST(a_failed_handle_goes_with_its_configuration),
                {0},
        };

        return test_main("policies", tests, argc, argv);
}
