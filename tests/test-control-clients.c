/*
 * What clients of the control socket do to the daemon and to each other: slow ones, greedy ones,
 * ones that vanish. The memory that a client costs is looked at from inside.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/client.h"
#include "daemon/control-private.h"
#include "daemon/handle.h"
#include "daemon/limits.h"
#include "tests/control-clients.h"
#include "tests/support.h"

/* Long answers. */

static void a_long_answer_holds_up_only_who_asked(void) {
        struct client *client;
        const char *line;
        json_t *list;
        int fd, other;

        fixture_init_many(&d);
        fd = fixture_connect(&d);
        client = the_client();
        fixture_say(fd, REQUEST("list", "[]", "1") "\n" PING "\n" PING "\n");
        fixture_turn(&d);
        ck_assert_uint_gt(stream_n_unsent(&client->stream), LIMIT_REPLY_BYTES);
        other = fixture_connect(&d);
        fixture_say(other, PING "\n");
        fixture_expect(&d, other, PONG);
        ck_assert_uint_eq(d.control->set.counters.requests, 2);
        line = fixture_hear(&d, fd);
        ck_assert_ptr_nonnull(line);
        list = json_loads(line, 0, NULL);
        ck_assert_uint_eq(json_array_size(json_object_get(list, "result")),
                          LIMIT_WATCHED_HANDLES + 1);
        json_decref(list);
        fixture_expect(&d, fd, PONG);
        fixture_expect(&d, fd, PONG);
        ck_assert_uint_le(client->stream.out.size, 4096);
        close(fd);
        close(other);
        finish();
}

static void lists_that_a_user_does_not_read_are_limited(void) {
        int fds[12], other, n_refused = 0;
        size_t unsent;

        fixture_init_many(&d);
        fixture_set_peer(1111);
        for (int i = 0; i < 12; i++) {
                fds[i] = fixture_connect(&d);
                fixture_say(fds[i], REQUEST("list", "[]", "1") "\n");
                fixture_turn(&d);
        }
        unsent = d.control->set.streams.all.unsent.n;
        ck_assert_uint_gt(unsent, LIMIT_USER_REPLY_BYTES);
        ck_assert_uint_lt(unsent, LIMIT_USER_REPLY_BYTES + 2 * LIMIT_REPLY_BYTES);
        for (int i = 0; i < 12; i++) {
                const char *line = fixture_hear(&d, fds[i]);

                n_refused += strstr(line, "\"limit_reached\"") != NULL;
                close(fds[i]);
        }
        ck_assert_int_gt(n_refused, 0);
        ck_assert_int_lt(n_refused, 8);
        fixture_set_peer(2222);
        other = fixture_connect(&d);
        fixture_say(other, REQUEST("list", "[]", "1") "\n");
        ck_assert_ptr_null(strstr(fixture_hear(&d, other), "\"limit_reached\""));
        close(other);
        ck_assert(d.control->set.streams.all.unsent.n == 0 || !fixture_is_gone(&d, other));
        finish();
}

static void who_never_reads_is_not_read(void) {
        char *many = malloc(1 << 20), *at = many;
        ssize_t n;
        struct client *client;
        int fd, other, n_turns = 0;

        begin();
        fd = fixture_connect(&d);
        client = the_client();
        other = fixture_connect(&d);
        while (at + 100 < many + (1 << 20))
                at += sprintf(at, "%s\n", REQUEST("describe", "[]", "1"));
        /* Until nothing more is taken from it. */
        do {
                n = send(fd, many, (size_t)(at - many), MSG_DONTWAIT | MSG_NOSIGNAL);
                uv_run(&d.core.loop, UV_RUN_NOWAIT);
                ck_assert_int_lt(n_turns++, 100000);
        } while (n > 0 || client->stream.has_lines != client->stream.is_blocked ||
                 !client->stream.is_blocked);
        ck_assert_uint_lt(client->stream.out.size, 3 * LIMIT_REPLY_BYTES);
        ck_assert_uint_lt(stream_n_unsent(&client->stream), LIMIT_REPLY_BYTES + (64U << 10));
        ck_assert_uint_le(client->stream.in.size, 2U << 20);
        fixture_say(other, PING "\n");
        fixture_expect(&d, other, PONG);
        close(fd);
        for (n_turns = 0; d.control->set.n_clients > 1 && n_turns < 100000; n_turns++)
                fixture_turn(&d);
        ck_assert_uint_eq(d.control->set.n_clients, 1);
        ck_assert_uint_eq(d.control->set.streams.all.unsent.n, 0);
        close(other);
        free(many);
        finish();
}

/* A batch of n requests with long answers, after one that waits if it is to. */
static void say_batch(int fd, unsigned int n, bool waits) {
        char *text = malloc(100 + 60 * (size_t)n), *at = text;

        at += sprintf(at, "[%s", waits ? REQUEST("wait", "[\"a1\"]", "0") "," : "");
        for (unsigned int i = 0; i < n; i++)
                at += sprintf(at, "%s,", REQUEST("describe", "[]", "1"));
        strcpy(at - 1, "]\n");
        fixture_say(fd, text);
        free(text);
}

/* How many of a batch were refused, for want of room. */
static unsigned int hear_batch(int fd, unsigned int n) {
        const char *line = fixture_hear(&d, fd), *reason;
        json_t *answers = json_loads(line ?: "", 0, NULL), *answer, *error;
        unsigned int n_refused = 0;
        size_t i;

        ck_assert_uint_eq(json_array_size(answers), n);
        json_array_foreach(answers, i, answer) {
                error = json_object_get(answer, "error");
                if (!error)
                        continue;
                ck_assert_int_eq(json_unpack(error, "{s:{s:s}}", "data", "reason", &reason), 0);
                ck_assert_str_eq(reason, "limit_reached");
                n_refused++;
        }
        json_decref(answers);
        return n_refused;
}

static void batches_hold_less_when_all_hold_too_much(void) {
        enum { N = 100, MAX = 1 << 20 };
        size_t *n_unsent, n_one;
        int fd, waiting, other;

        begin();
        fixture_set_peer(1111);
        n_unsent = &d.control->set.streams.all.unsent.n;
        fd = fixture_connect(&d);
        say_batch(fd, N, false);
        ck_assert_uint_eq(hear_batch(fd, N), 0);
        d.control->set.streams.all.unsent.max = MAX;

        say_batch(fd, N, false); /* alone it is too much */
        fixture_turn(&d);
        ck_assert_uint_gt(*n_unsent, MAX / 2);
        ck_assert_uint_lt(*n_unsent, MAX + MAX / 4);
        ck_assert_uint_gt(hear_batch(fd, N), N / 4);
        ck_assert_uint_eq(*n_unsent, 0);

        waiting = fixture_connect(&d); /* what waits for the end of its batch counts as well */
        say_batch(waiting, N, true);
        fixture_turn(&d);
        ck_assert_uint_gt(*n_unsent, MAX);
        n_one = *n_unsent;
        say_batch(fd, N, false);
        fixture_turn(&d);
        ck_assert_uint_lt(*n_unsent - n_one, 200000);
        ck_assert_uint_gt(hear_batch(fd, N), N - 5);

        other = fixture_connect(&d); /* little is always possible */
        fixture_say(other, "[" PING "]\n");
        fixture_expect(&d, other, "[" PONG "]");
        fixture_wake(&d, "a1");
        ck_assert_uint_gt(hear_batch(waiting, N + 1), N / 4);
        say_batch(fd, 20, false);
        ck_assert_uint_eq(hear_batch(fd, 20), 0);

        say_batch(waiting, N, true);
        fixture_turn(&d);
        ck_assert_uint_gt(*n_unsent, MAX);
        close(waiting);
        fixture_turn(&d);
        ck_assert_uint_eq(*n_unsent, 0);
        close(fd);
        close(other);
        finish();
}

/* Rude ones. */

static void half_a_line_harms_nobody(void) {
        static const char half[] =
                "{\"jsonrpc\":\"2.0\",\"method\":\"send\",\"params\":[\"a1\"],\"i";
        int fds[20], other;

        begin();
        other = fixture_connect(&d);
        for (int i = 0; i < 20; i++) {
                fds[i] = fixture_connect(&d);
                fixture_say(fds[i], half);
        }
        fixture_say(other, PING "\n");
        fixture_expect(&d, other, PONG);
        for (int i = 0; i < 20; i++)
                close(fds[i]);
        fixture_turn(&d);
        ck_assert_uint_eq(d.control->set.n_clients, 1);
        ck_assert_uint_eq(handle_seq(fixture_handle(&d, "a1")), 0);
        close(other);
        finish();
}

static void who_vanishes_waits_no_more(void) {
        int fd;

        begin();
        for (int i = 0; i < 10; i++) {
                fd = fixture_connect(&d);
                fixture_say(fd, REQUEST("wait", "[\"a1\"]", "1") "\n[" REQUEST(
                                        "wait", "[\"a1\"]",
                                        "2") "," PING
                                             "]\n" REQUEST("send", "[\"a2\",\"wake\"]",
                                                           "3") "\n" REQUEST("subscribe", "[\"*\"]",
                                                                             "4") "\n");
                if (i % 2)
                        fixture_turn(&d);
                close(fd);
        }
        fixture_turn(&d);
        ck_assert_uint_eq(d.control->set.n_clients, 0);
        ck_assert_uint_ge(handle_seq(fixture_handle(&d, "a2")), 1);
        fixture_wake(&d, "a1");
        finish();
}

static void what_was_sent_before_vanishing_counts(void) {
        int fd;

        begin();
        fd = fixture_connect(&d);
        for (int i = 0; i < 3000; i++) {
                fixture_say(fd, REQUEST("send", "[\"a1\"]", "1") "\n");
                if (i % 100 == 0)
                        fixture_turn(&d);
        }
        fixture_say(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"send\",\"params\":[\"b1\"]}\n");
        close(fd);
        fixture_turn(&d);
        ck_assert_uint_eq(handle_seq(fixture_handle(&d, "b1")), 1);
        ck_assert_uint_eq(d.control->set.n_clients, 0);
        finish();
}

static void garbage_is_answered_in_turn(void) {
        char garbage[16384];
        ssize_t n;
        int fd, other;

        begin();
        fd = fixture_connect(&d);
        other = fixture_connect(&d);
        for (size_t i = 0; i < sizeof(garbage); i++)
                garbage[i] = (char)(i % 7 ? i * 31 : '\n');
        for (int i = 0; i < 100; i++) {
                do
                        n = send(fd, garbage, sizeof(garbage), MSG_DONTWAIT | MSG_NOSIGNAL);
                while (n > 0);
                fixture_say(other, PING "\n");
                uv_run(&d.core.loop, UV_RUN_NOWAIT);
                uv_run(&d.core.loop, UV_RUN_NOWAIT);
                ck_assert_int_eq(recv(other, garbage, sizeof(PONG), MSG_DONTWAIT), sizeof(PONG));
                garbage[0] = '\n';
        }
        ck_assert_ptr_nonnull(strstr(fixture_hear(&d, fd), "-32700"));
        close(fd);
        close(other);
        finish();
}

static void long_lines_are_refused_and_the_next_is_taken(void) {
        char *line = malloc(LIMIT_REQUEST_BYTES + 100);
        int fd;

        begin();
        fd = fixture_connect(&d);
        memset(line, ' ', LIMIT_REQUEST_BYTES + 100);
        memcpy(line, PING, strlen(PING));
        strcpy(line + LIMIT_REQUEST_BYTES, "\n");
        for (size_t at = 0; at < LIMIT_REQUEST_BYTES + 1; at += 65536) {
                char piece[65537];

                snprintf(piece, sizeof(piece), "%s", line + at);
                fixture_say(fd, piece);
                fixture_turn(&d);
        }
        fixture_expect(&d, fd, PONG);
        strcpy(line + LIMIT_REQUEST_BYTES, " \n" PING "\n");
        for (size_t at = 0; at < LIMIT_REQUEST_BYTES + 3; at += 65536) {
                char piece[65537];

                snprintf(piece, sizeof(piece), "%s", line + at);
                fixture_say(fd, piece);
                fixture_turn(&d);
        }
        fixture_expect(&d, fd,
                       "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32006,\"message\":\"The request "
                       "is longer than 1048576 bytes\",\"data\":{\"reason\":\"limit_reached\"}},"
                       "\"id\":null}");
        fixture_expect(&d, fd, PONG);
        close(fd);
        free(line);
        finish();
}

/* The shell's way: say something, then the end. */
static void answers_are_delivered_after_the_end(void) {
        int fd;

        begin();
        fd = fixture_connect(&d);
        fixture_say(fd, PING);
        shutdown(fd, SHUT_WR);
        fixture_expect(&d, fd, PONG);
        ck_assert(fixture_is_gone(&d, fd));
        close(fd);

        fd = fixture_connect(&d);
        fixture_say(fd,
                    REQUEST("wait", "[\"a1\"]", "1") "\n" REQUEST("wait", "[\"a1\",1]", "2") "\n");
        shutdown(fd, SHUT_WR);
        fixture_expect(&d, fd, NULL);
        ck_assert(!fixture_is_gone(&d, fd));
        fixture_wake(&d, "a1");
        fixture_expect(&d, fd, "{\"jsonrpc\":\"2.0\",\"result\":{\"seq\":1,\"sends\":1},\"id\":1}");
        ck_assert(!fixture_is_gone(&d, fd));
        fixture_wake(&d, "a1");
        fixture_expect(&d, fd, "{\"jsonrpc\":\"2.0\",\"result\":{\"seq\":2,\"sends\":1},\"id\":2}");
        ck_assert(fixture_is_gone(&d, fd));
        close(fd);

        /* Who watches is told until he hangs up. */
        fd = fixture_connect(&d);
        fixture_say(fd, REQUEST("subscribe", "[\"b1\"]", "1") "\n");
        shutdown(fd, SHUT_WR);
        ck_assert_ptr_nonnull(fixture_hear(&d, fd));
        fixture_wake(&d, "b1");
        fixture_expect(&d, fd, WAKE("b1", "1", "1", "0"));
        close(fd);
        fixture_turn(&d);
        ck_assert_uint_eq(d.control->set.n_clients, 0);
        finish();
}

static void a_batch_waits_for_its_waits(void) {
        int fd;

        begin();
        fd = fixture_connect(&d);
        fixture_say(fd,
                    "[" PING "," REQUEST("wait", "[\"a1\"]", "2") "," REQUEST(
                            "send", "{\"name\":\"b1\",\"wait\":\"wake\"}", "3") "]\n" PING "\n");
        fixture_expect(&d, fd, PONG);
        fixture_expect(&d, fd, NULL);
        fixture_wake(&d, "a1");
        fixture_expect(&d, fd,
                       "[" PONG ",{\"jsonrpc\":\"2.0\",\"result\":{\"ticket\":1,\"disposition\":"
                       "\"scheduled\",\"seq\":1,\"sends\":1},\"id\":3},{\"jsonrpc\":\"2.0\","
                       "\"result\":{\"seq\":1,\"sends\":1},\"id\":2}]");
        close(fd);
        finish();
}

static void waits_are_limited(void) {
        int fd;

        begin();
        fd = fixture_connect(&d);
        for (unsigned int i = 0; i < LIMIT_IN_FLIGHT; i++) {
                fixture_say(fd, REQUEST("wait", "[\"a1\"]", "1") "\n");
                if (i % 100 == 0)
                        fixture_turn(&d);
        }
        fixture_say(fd, REQUEST("wait", "[\"a1\"]", "2") "\n");
        ck_assert_ptr_nonnull(strstr(fixture_hear(&d, fd), "\"limit_reached\"}},\"id\":2}"));
        /* A notification waits for nothing. */
        fixture_say(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"wait\",\"params\":[\"a1\"]}\n");
        fixture_say(fd, REQUEST("send", "[\"b1\",\"wake\"]", "3") "\n");
        ck_assert_ptr_nonnull(strstr(fixture_hear(&d, fd), "\"limit_reached\"}},\"id\":3}"));
        ck_assert_uint_eq(handle_seq(fixture_handle(&d, "b1")), 0);
        fixture_wake(&d, "a1");
        for (unsigned int i = 0; i < LIMIT_IN_FLIGHT; i++)
                ck_assert_ptr_nonnull(fixture_hear(&d, fd));
        fixture_expect(&d, fd, NULL);
        close(fd);
        finish();
}

/* Several clients of one user, who reads nothing. */
static void leave_unread(int fds[8]) {
        for (int i = 0; i < 8; i++) {
                fds[i] = fixture_connect(&d);
                say_batch(fds[i], 60, false);
                fixture_turn(&d);
        }
}

static void what_a_user_leaves_unread_is_his_own_loss(void) {
        enum { N = 100, MAX = 4 << 20 };
        const struct client_user *user;
        int own[8], fds[2];

        begin();
        fixture_set_peer(1111);
        fds[0] = fixture_connect(&d);
        user = client_user_find(&d.control->set.users, 1111);
        ((struct client_user *)user)->account.unsent.max = MAX;
        leave_unread(own);
        ck_assert_uint_gt(user->account.unsent.n, MAX / 2);
        ck_assert_uint_lt(user->account.unsent.n, 2 * MAX);
        say_batch(fds[0], N, false);
        ck_assert_uint_gt(hear_batch(fds[0], N), N / 2);
        fixture_set_peer(2222);
        fds[1] = fixture_connect(&d);
        say_batch(fds[1], N, false);
        ck_assert_uint_eq(hear_batch(fds[1], N), 0);
        for (int i = 0; i < 8; i++)
                close(own[i]);
        fixture_turn(&d);
        say_batch(fds[0], N, false);
        ck_assert_uint_eq(hear_batch(fds[0], N), 0);
        close(fds[0]);
        close(fds[1]);
        fixture_turn(&d);
        ck_assert_ptr_null(client_user_find(&d.control->set.users, 1111));
        finish();
}

static void what_users_leave_unread_is_not_roots_loss(void) {
        enum { N = 100, MAX = 1 << 20 };
        int own[8], fd;

        begin();
        fixture_set_peer(0);
        fd = fixture_connect(&d);
        d.control->set.streams.all.unsent.max = MAX;
        fixture_set_peer(1111);
        leave_unread(own);
        ck_assert_uint_gt(d.control->set.streams.all.unsent.n, MAX / 2);
        say_batch(fd, N, false);
        ck_assert_uint_eq(hear_batch(fd, N), 0);
        for (int i = 0; i < 8; i++)
                close(own[i]);
        close(fd);
        finish();
}

/* What it asked changes nothing, and nobody would hear it; what it told counts. */
static void questions_of_one_who_is_gone_are_not_answered(void) {
        enum { N = 1200 };
        char *many = malloc(N * 100), *at = many;
        uint64_t n_requests, before;
        int fd;

        begin();
        for (int i = 0; i < N; i++)
                at += sprintf(at, "%s\n", REQUEST("describe", "[]", "1"));
        strcpy(at, REQUEST("send", "[\"a1\"]", "2") "\n");
        fd = fixture_connect(&d);
        n_requests = d.control->set.counters.requests;
        before = handle_seq(fixture_handle(&d, "a1"));
        ck_assert_int_eq(send(fd, many, strlen(many), MSG_NOSIGNAL), strlen(many));
        close(fd);
        fixture_turn(&d);
        for (int i = 0; i < 1000 && d.control->set.n_clients > 0; i++)
                fixture_turn(&d);
        ck_assert_uint_eq(d.control->set.n_clients, 0);
        ck_assert_uint_eq(d.control->set.counters.requests - n_requests, N + 1);
        /* Those that it did not live to see. */
        ck_assert_uint_gt(d.control->set.counters.errors, N / 2);
        ck_assert_uint_eq(handle_seq(fixture_handle(&d, "a1")), before + 1);
        free(many);
        finish();
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(a_long_answer_holds_up_only_who_asked),
                TEST(lists_that_a_user_does_not_read_are_limited),
                TEST(who_never_reads_is_not_read),
                TEST(batches_hold_less_when_all_hold_too_much),
                TEST(what_a_user_leaves_unread_is_his_own_loss),
                TEST(what_users_leave_unread_is_not_roots_loss),
                TEST(questions_of_one_who_is_gone_are_not_answered),
                TEST(half_a_line_harms_nobody),
                TEST(who_vanishes_waits_no_more),
                TEST(what_was_sent_before_vanishing_counts),
                TEST(garbage_is_answered_in_turn),
                TEST(long_lines_are_refused_and_the_next_is_taken),
                TEST(answers_are_delivered_after_the_end),
                TEST(a_batch_waits_for_its_waits),
                TEST(waits_are_limited),
                {0},
        };

        return test_main("control-clients", tests, argc, argv);
}
