/* What is held for those who do not read or say things by half, and what becomes of what was said
 * before an end. */

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#include "daemon/stream.h"
#include "lib/cleanup.h"
#include "tests/stream-fixture.h"
#include "tests/support.h"

static void who_does_not_read_is_not_read(void) {
        struct end end;
        ssize_t sum = 0, n;

        begin_with(&end, SOCK_STREAM);
        end_send_little(&end);
        end.n_reply = 3000;
        for (int i = 0; i < 100; i++)
                say(&end, "x\n");
        turn();
        ck_assert_uint_lt(end.n_lines, 20);
        ck_assert_uint_le(stream_n_unsent(&end.stream), MAX_OUT + 3000);
        ck_assert(!set.is_running);
        ck_assert_int_eq(end.stream.events, UV_WRITABLE);
        for (int i = 0; i < 1000 && sum < 300000; i++) {
                turn();
                n = drain(&end);
                ck_assert_int_ge(n, 0);
                sum += n;
        }
        ck_assert_int_eq(sum, 300000);
        ck_assert_uint_eq(end.n_lines, 100);
        turn();
        ck_assert_uint_eq(end.stream.out.size, 0);
        ck_assert_int_eq(end.stream.events, UV_READABLE);
        finish_with(&end);
}

static void all_together_hold_less_when_they_hold_too_much(void) {
        struct end ends[6];
        size_t sum = 0;

        begin();
        for (int i = 0; i < 6; i++) {
                end_init(&ends[i], SOCK_STREAM);
                end_send_little(&ends[i]);
                ends[i].stream.max_out = 1000000;
                ends[i].n_reply = 10000;
                for (int k = 0; k < 200; k++)
                        say(&ends[i], "x\n");
                turn();
        }
        for (int i = 0; i < 6; i++) /* now: the others may have gone on meanwhile */
                sum += stream_n_unsent(&ends[i].stream);
        ck_assert_uint_eq(set.all.unsent.n, sum);
        ck_assert_uint_gt(sum, MAX_UNSENT);
        ck_assert_uint_lt(stream_n_unsent(&ends[5].stream), (64U << 10) + 10000);
        ck_assert_uint_gt(ends[5].n_lines, 0);
        for (int i = 0; i < 6; i++)
                end_deinit(&ends[i]);
        ck_assert_uint_eq(set.all.unsent.n, 0);
        finish();
}

static void say_much(struct end *end, size_t n) {
        char part[1000];

        memset(part, 'x', sizeof(part));
        for (size_t i = 0; i < n; i += sizeof(part)) {
                say_bytes(end, part, sizeof(part));
                turn();
        }
}

static void all_together_may_begin_only_so_much(void) {
        enum { N_ENDS = 20, N_BYTES = 100000 };
        struct end ends[N_ENDS];
        unsigned int n_refused = 0;

        begin();
        for (int i = 0; i < N_ENDS; i++) {
                end_init(&ends[i], SOCK_STREAM);
                ends[i].stream.max_line = 1000000;
                say_much(&ends[i], N_BYTES);
                n_refused += ends[i].n_too_long;
                ck_assert_uint_le(set.all.untaken.n, MAX_UNTAKEN + (N_ENDS * 64U << 10));
        }
        ck_assert_uint_eq(ends[0].n_too_long, 0);
        ck_assert_uint_gt(n_refused, 0);
        ck_assert_uint_eq(ends[N_ENDS - 1].n_max, 64U << 10);
        ck_assert_uint_eq(ends[N_ENDS - 1].stream.in.n, 0);
        /* What was begun before may come to its end; what is short may always. */
        say(&ends[0], "\nshort\n");
        say(&ends[N_ENDS - 1], "\nshort\n");
        turn();
        ck_assert_uint_eq(ends[0].n_lines, 2);
        ck_assert_str_eq(heard(&ends[N_ENDS - 1]), "long|short|");
        for (int i = 1; i < N_ENDS - 1; i++)
                end_deinit(&ends[i]);
        ck_assert_uint_eq(set.all.untaken.n, 0);
        say_much(&ends[N_ENDS - 1], N_BYTES);
        ck_assert_uint_eq(set.all.untaken.n, N_BYTES);
        say(&ends[N_ENDS - 1], "\n");
        turn();
        ck_assert_uint_eq(ends[N_ENDS - 1].n_lines, 2);
        end_deinit(&ends[0]);
        end_deinit(&ends[N_ENDS - 1]);
        ck_assert_uint_eq(set.all.untaken.n, 0);
        finish();
}

static void what_is_held_back_leaves_as_there_is_room(void) {
        struct end end;
        ssize_t sum = 0;

        begin_with(&end, SOCK_STREAM);
        end.n_held = 200000;
        stream_flush_later(&end.stream);
        turn();
        ck_assert_uint_gt(end.n_held, 0);
        ck_assert_uint_le(stream_n_unsent(&end.stream), (64U << 10) + 5);
        for (int i = 0; i < 1000 && sum < 1000000; i++) {
                sum += drain(&end);
                turn();
        }
        ck_assert_int_eq(sum, 1000000);
        ck_assert_uint_eq(end.n_held, 0);
        ck_assert_uint_eq(end.n_drained, 1);
        finish_with(&end);
}

static void what_was_sent_counts_when_the_sender_is_gone(void) {
        struct end end;

        begin_with(&end, SOCK_STREAM);
        end.echo = true;
        say(&end, "one\n");
        turn();
        say(&end, "two\nthree\n"); /* the answer to "one" is not read */
        end.fd = close_fd(end.fd);
        turn();
        ck_assert_str_eq(heard(&end), "one|two|three|");
        ck_assert_uint_ge(end.n_ended, 1);
        ck_assert_int_lt(end.error, 0);
        ck_assert(end.closed);
        finish_with(&end);
}

/* Has answers wait that nobody will read, and says a last line while they do. */
static void begin_stuck(struct end *end) {
        begin_with(end, SOCK_STREAM);
        end_send_little(end);
        end->n_reply = 100000;
        say(end, "x\n");
        turn();
        ck_assert(end->stream.is_stuck);
        heard(end);
}

static void last_lines_count_when_answers_are_stuck(void) {
        static const char *const texts[] = {"one", "one\n", "one\ntwo", "one\ntwo\n"};

        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
                for (unsigned int n_turns = 0; n_turns < 2; n_turns++) {
                        struct end end;

                        begin_stuck(&end);
                        end.refuse = true; /* each line takes some turns */
                        say(&end, texts[i]);
                        shutdown(end.fd, SHUT_WR);
                        if (n_turns)
                                turn();
                        ck_assert_uint_eq(end.n_ended, 0);
                        end.fd = close_fd(end.fd);
                        for (int k = 0; k < 100 && !end.closed; k++)
                                turn();
                        ck_assert_str_eq(heard(&end),
                                         strstr(texts[i], "two") ? "one|two|" : "one|");
                        ck_assert_uint_eq(end.n_ended, 1);
                        ck_assert_int_lt(end.error, 0);
                        ck_assert(end.closed);
                        finish_with(&end);
                }
}

static void who_is_gone_is_noticed_after_the_stop(void) {
        struct end end;

        begin_stuck(&end);
        stream_stop_reading(&end.stream);
        say(&end, "one\n");
        turn();
        ck_assert_uint_eq(end.n_ended, 0);
        end.fd = close_fd(end.fd);
        turn();
        ck_assert_str_eq(heard(&end), "");
        ck_assert_uint_eq(end.n_ended, 1);
        ck_assert_int_lt(end.error, 0);
        finish_with(&end);
}

static void who_shuts_his_ears_is_still_heard(void) {
        struct end end;

        begin_with(&end, SOCK_STREAM);
        end.echo = true;
        shutdown(end.fd, SHUT_RD);
        say(&end, "one\n");
        turn();
        say(&end, "two\n");
        turn();
        ck_assert_str_eq(heard(&end), "one|two|");
        ck_assert_uint_eq(end.n_ended, 0);
        ck_assert_uint_eq(end.stream.out.n, 0);
        shutdown(end.fd, SHUT_WR);
        turn();
        ck_assert_int_lt(end.error, 0);
        finish_with(&end);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(who_does_not_read_is_not_read),
                TEST(all_together_hold_less_when_they_hold_too_much),
                TEST(all_together_may_begin_only_so_much),
                TEST(what_is_held_back_leaves_as_there_is_room),
                TEST(what_was_sent_counts_when_the_sender_is_gone),
                TEST(last_lines_count_when_answers_are_stuck),
                TEST(who_is_gone_is_noticed_after_the_stop),
                TEST(who_shuts_his_ears_is_still_heard),
                {0},
        };

        return test_main("stream-limits", tests, argc, argv);
}
