/*
 * Runs that outlive what they began under: their handle is closed and made anew, or removed, or the
 * daemon stops. There is never a second run of a name beside them, and the stop reaches all.
 */

#include "tests/run-notes.h"
#include "tests/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* It ends by a signal only. */
#define SLEEPS "run: [sh, -c, '" NOTE "; exec sleep 1000']"

#define CONFIG  "handles: {a: {" GATED "}}\n"
#define NOTHING "handles: {}\n"

/* The second signal tells all runs to end; one that nobody knows of would keep the daemon. */
static void expect_stop(struct roused *roused) {
        kill(roused->pid, SIGTERM);
        roused_expect_log(roused, "stopping");
        roused_stop(roused);
        roused_expect_log(roused, "told to end");
}

static bool has_only_other(void *arg) {
        char *answer = roused_call(arg, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"list\"}");
        const char *name = strstr(answer, "\"name\":");
        bool is_only = name && !strstr(name + 1, "\"name\":") && strstr(name, "other");

        free(answer);
        return is_only;
}

/* The ways in which a handle that was closed is made anew. */

static void by_reload(struct roused *roused, const char *config) {
        roused_reload(roused, config);
}

static void by_create(struct roused *roused, const char *config) {
        roused_do(roused, "create", "[\"a\"]");
        roused_reload(roused, config);
}

static void after_it_was_removed(struct roused *roused, const char *config) {
        roused_reload(roused, NOTHING);
        roused_reload(roused, config);
}

static void twice(struct roused *roused, const char *config) {
        roused_reload(roused, config);
        roused_do(roused, "close", "[\"a\"]");
        roused_reload(roused, config);
}

static void (*const ways[])(struct roused *roused, const char *config) = {
        by_reload,
        by_create,
        after_it_was_removed,
        twice,
};

#define N_WAYS (sizeof(ways) / sizeof(*ways))

/* A run of `a` goes on, whose handle was closed and is made anew. Returns the gate. */
static int begin_and_make_anew(struct roused *roused, unsigned int way, const char *config) {
        char name[16];
        int gate_fd;

        snprintf(name, sizeof(name), "d%u", way);
        roused_start(roused, name, config);
        gate_fd = open_gate(roused);
        roused_send(roused, "a");
        line_of(roused, "a", 0);
        roused_do(roused, "close", "[\"a\"]");
        ways[way](roused, config);
        return gate_fd;
}

static unsigned int n_runs(const struct roused *roused) {
        char *text = roused_expect_lines(roused, "a", 1);
        unsigned int n = count_lines(text);

        free(text);
        return n;
}

static void a_handle_made_anew_waits_for_the_run_of_the_closed_one(void) {
        for (unsigned int i = 0; i < N_WAYS; i++) {
                struct roused roused;
                int gate_fd = begin_and_make_anew(&roused, i, CONFIG);

                roused_expect_state(&roused, "a", "running");
                ck_assert_uint_eq(roused_send(&roused, "a"), 2);
                roused_expect_state(&roused, "a", "behind_run");
                ck_assert_uint_eq(n_runs(&roused), 1);
                let_go(gate_fd, 1);
                ck_assert_uint_eq(line_of(&roused, "a", 1).n_sends, 1);
                let_go(gate_fd, 1);
                roused_expect_state(&roused, "a", "idle");
                close(gate_fd);
                roused_stop(&roused);
                ck_assert_uint_eq(n_runs(&roused), 2);
        }
}

static void its_place_in_the_group_goes_along(void) {
        static const char config[] =
                "groups: {one: {max: 1}}\n"
                "handles: {a: {" GATED ", group: one}, b: {" RUN ", group: one}}\n";
        struct roused roused;
        int gate_fd = begin_and_make_anew(&roused, 0, config);

        roused_send(&roused, "b");
        roused_send(&roused, "a");
        roused_expect_state(&roused, "b", "group_full");
        let_go(gate_fd, 1);
        line_of(&roused, "b", 0);
        line_of(&roused, "a", 1);
        let_go(gate_fd, 1);
        roused_expect_state(&roused, "a", "idle");
        close(gate_fd);
        roused_stop(&roused);
}

/* What it was for was sent to the closed handle. */
static void its_failure_is_not_tried_again(void) {
        static const char config[] =
                "handles: {a: {run: [sh, -c, '" NOTE "; read x <$ROUSE_DIR/gate; exit 1'], "
                "retry: {backoff: 1h}}}\n";
        struct roused roused;
        int gate_fd = begin_and_make_anew(&roused, 0, config);

        let_go(gate_fd, 1);
        roused_expect_state(&roused, "a", "idle");
        roused_send(&roused, "a");
        line_of(&roused, "a", 1);
        let_go(gate_fd, 1);
        roused_expect_state(&roused, "a", "backing_off");
        let_go(gate_fd, 1); /* for the attempt that the stop makes */
        roused_stop(&roused);
        close(gate_fd);
}

/* It is told of a wake of the new handle and does not listen: then that wake's run is another one,
 * at once, and not an attempt after this failure. */
static void nor_is_it_if_it_does_not_hear_of_the_new_one(void) {
        static const char config[] = "handles: {a: {run: [env, --block-signal=USR1, sh, -c, '" NOTE
                                     "; read x <$ROUSE_DIR/gate; exit 1'], "
                                     "on_busy: signal USR1, retry: {backoff: 1h}}}\n";
        struct roused roused;
        int gate_fd = begin_and_make_anew(&roused, 0, config);

        roused_send(&roused, "a");
        roused_expect_state(&roused, "a", "running");
        let_go(gate_fd, 1);
        ck_assert_uint_eq(line_of(&roused, "a", 1).n_sends, 1);
        let_go(gate_fd, 1);
        roused_expect_state(&roused, "a", "backing_off");
        let_go(gate_fd, 1); /* for the attempt that the stop makes */
        roused_stop(&roused);
        close(gate_fd);
}

static void a_send_restarts_it_if_the_policy_is_so(void) {
        struct roused roused;

        close(begin_and_make_anew(&roused, 0, "handles: {a: {" SLEEPS ", on_busy: restart}}\n"));
        roused_send(&roused, "a");
        ck_assert_uint_eq(line_of(&roused, "a", 1).seq, 2);
        expect_stop(&roused);
}

static void the_stop_reaches_runs_of_closed_handles(void) {
        static const char config[] = "handles: {a: {" SLEEPS "}}\n";
        struct roused roused;

        roused_start(&roused, "closed", config);
        roused_send(&roused, "a");
        line_of(&roused, "a", 0);
        roused_do(&roused, "close", "[\"a\"]");
        expect_stop(&roused);
        for (unsigned int i = 0; i < N_WAYS; i++) {
                close(begin_and_make_anew(&roused, i, config));
                expect_stop(&roused);
        }
}

static void expect_refusal(const struct roused *roused, const char *method) {
        char request[256], *answer;

        snprintf(request, sizeof(request),
                 "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":[\"a\"],\"id\":1}", method);
        answer = roused_call(roused, request);
        ck_assert_msg(strstr(answer, "\"no_such_handle\""), "%s: %s", method, answer);
        free(answer);
}

/* What would be sent to it would make it run again, and it would never go. */
static void a_removed_handle_takes_no_sends(void) {
        struct roused roused;
        int gate_fd;
        char *answer;

        roused_start(&roused, "d", "handles: {a: {" GATED "}, b: {}}\n");
        gate_fd = open_gate(&roused);
        roused_send(&roused, "a");
        line_of(&roused, "a", 0);
        roused_send(&roused, "a");
        roused_reload(&roused, "handles: {b: {}}\n");
        answer = roused_poke(&roused, "b\na\nb\n");
        ck_assert_str_eq(answer, "ok 1\nerror no_such_handle\nok 1\n");
        free(answer);
        roused_poke_quietly(&roused, "a\n");
        expect_refusal(&roused, "send");
        expect_refusal(&roused, "attach");
        roused_expect_state(&roused, "a", "behind_run");
        let_go(gate_fd, 2);
        roused_expect_status(&roused, "a", "no_such_handle");
        close(gate_fd);
        stop_after(&roused, "a", 2);
}

static void one_that_is_configured_again_does(void) {
        struct roused roused;
        int gate_fd;

        roused_start(&roused, "d", CONFIG);
        gate_fd = open_gate(&roused);
        roused_send(&roused, "a");
        line_of(&roused, "a", 0);
        roused_reload(&roused, NOTHING);
        expect_refusal(&roused, "send");
        roused_reload(&roused, CONFIG);
        ck_assert_uint_eq(roused_send(&roused, "a"), 2);
        let_go(gate_fd, 2);
        line_of(&roused, "a", 1);
        roused_expect_state(&roused, "a", "idle");
        close(gate_fd);
        stop_after(&roused, "a", 2);
}

/* It would stay for an hour, and longer the more often it failed. */
static void a_removed_handle_makes_its_last_attempt_at_once(void) {
        struct roused roused;

        roused_start(&roused, "d",
                     "handles: {a: {run: [sh, -c, '" NOTE "; exit 1'], retry: {backoff: 1h}}}\n");
        roused_send(&roused, "a");
        roused_expect_state(&roused, "a", "backing_off");
        roused_reload(&roused, NOTHING);
        ck_assert_uint_eq(line_of(&roused, "a", 1).seq, 1);
        roused_expect_status(&roused, "a", "no_such_handle");
        stop_after(&roused, "a", 2);
}

/* Says that it wants to wait for a run of `a`. */
static int say_wait(const struct roused *roused) {
        static const char request[] =
                "{\"jsonrpc\":\"2.0\",\"method\":\"send\",\"params\":[\"a\",\"run\"],\"id\":1}\n";
        int fd = roused_connect(roused);

        ck_assert_int_eq(send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL), sizeof(request) - 1);
        return fd;
}

static void expect_line(int fd, const char *text) {
        char *line = roused_read_line(fd);

        ck_assert_msg(line && strstr(line, text), "%s", line);
        free(line);
        close(fd);
}

static void who_waits_for_a_run_is_told_that_none_will_come(void) {
        struct roused roused;
        int gate_fd, first_fd, second_fd;

        roused_start(&roused, "d", CONFIG);
        gate_fd = open_gate(&roused);
        roused_do(&roused, "pause", "[\"a\"]");
        first_fd = say_wait(&roused);
        roused_expect_status(&roused, "a", "\"pending\":1");
        roused_reload(&roused, "handles: {a: {}}\n");
        expect_line(first_fd, "\"reason\":\"no_action\",\"name\":\"a\",\"ticket\":1");
        roused_do(&roused, "resume", "[\"a\"]");

        /* One whose run goes on then has it. */
        roused_reload(&roused, CONFIG);
        first_fd = say_wait(&roused);
        line_of(&roused, "a", 0);
        second_fd = say_wait(&roused);
        roused_expect_state(&roused, "a", "behind_run");
        roused_reload(&roused, "handles: {a: {}}\n");
        let_go(gate_fd, 1);
        expect_line(first_fd, "\"ticket\":2");
        expect_line(second_fd, "\"no_action\"");
        close(gate_fd);
        stop_after(&roused, "a", 1);
}

/* It was sent to in the same turn of the loop in which the reload comes, and has not woken yet. */
static void so_is_who_has_just_sent(void) {
        static const char batch[] =
                "{\"jsonrpc\":\"2.0\",\"method\":\"send\",\"params\":[\"a\",\"run\"],\"id\":1}\n"
                "{\"jsonrpc\":\"2.0\",\"method\":\"reload\"}\n";
        struct roused roused;
        int fd;

        roused_start(&roused, "d", "handles: {a: {" RUN "}}\n");
        roused_write_config(&roused, "handles: {a: {}}\n");
        fd = roused_connect(&roused);
        ck_assert_int_eq(send(fd, batch, sizeof(batch) - 1, MSG_NOSIGNAL), sizeof(batch) - 1);
        expect_line(fd, "\"no_action\"");
        roused_stop(&roused);
}

/* The one behind would not end before it is killed, and could not prepare for that. */
static void a_run_that_begins_when_runs_are_to_end_is_told_so(void) {
        struct roused roused;
        const char *ended = "a: sh was killed by signal 15 (TERM)", *first;
        char *log;

        roused_start(&roused, "d", "handles: {a: {" SLEEPS "}}\n");
        roused_send(&roused, "a");
        line_of(&roused, "a", 0);
        roused_send(&roused, "a");
        roused_expect_state(&roused, "a", "behind_run");
        expect_stop(&roused);
        log = test_read_file(roused.log);
        first = strstr(log, ended);
        ck_assert_msg(first && strstr(first + 1, ended), "%s", log);
        free(log);
}

/* All levels are removed together, the first with a send that it has not passed on yet. */
static void what_a_removed_fan_out_has_yet_to_send_arrives(void) {
        struct roused roused;
        char *answer;

        roused_start(&roused, "d",
                     "handles:\n"
                     "  a: {run: [sh, -c, '" NOTE "']}\n"
                     "  b: {send: [a]}\n"
                     "  c: {send: [b]}\n"
                     "  other: {}\n");
        roused_do(&roused, "pause", "[\"c\"]");
        roused_send(&roused, "c");
        roused_reload(&roused, "handles: {other: {}}\n");
        line_of(&roused, "a", 0);
        ck_assert(test_until(has_only_other, &roused, test_slow_ms(20000)));
        answer = roused_poke(&roused, "a\nb\nc\nother\n");
        ck_assert_str_eq(answer, "error no_such_handle\nerror no_such_handle\n"
                                 "error no_such_handle\nok 1\n");
        free(answer);
        stop_after(&roused, "a", 1);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(a_handle_made_anew_waits_for_the_run_of_the_closed_one),
                TEST(its_place_in_the_group_goes_along),
                TEST(its_failure_is_not_tried_again),
                TEST(nor_is_it_if_it_does_not_hear_of_the_new_one),
                TEST(a_send_restarts_it_if_the_policy_is_so),
                TEST(the_stop_reaches_runs_of_closed_handles),
                TEST(a_removed_handle_takes_no_sends),
                TEST(one_that_is_configured_again_does),
                TEST(what_a_removed_fan_out_has_yet_to_send_arrives),
                TEST(a_removed_handle_makes_its_last_attempt_at_once),
                TEST(who_waits_for_a_run_is_told_that_none_will_come),
                TEST(so_is_who_has_just_sent),
                TEST(a_run_that_begins_when_runs_are_to_end_is_told_so),
                {0},
        };

        return test_main("run-lives", tests, argc, argv);
}
