/* Lines in and out, and whose turn it is. A socketpair of packets shows what is written at once:
 * one packet a write. */

#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#include "daemon/stream.h"
#include "lib/cleanup.h"
#include "tests/stream-fixture.h"
#include "tests/support.h"

static void lines_are_taken_apart(void) {
        struct end end;

        begin_with(&end, SOCK_STREAM);
        say(&end, "one\ntwo\r\n\n four");
        turn();
        ck_assert_str_eq(heard(&end), "one|two\r||");
        say(&end, " and ");
        turn();
        ck_assert_str_eq(heard(&end), "");
        say(&end, "more\nfive\nsix");
        turn();
        ck_assert_str_eq(heard(&end), " four and more|five|");
        ck_assert_uint_eq(end.n_lines, 5);
        finish_with(&end);
}

static void the_end_ends_a_line(void) {
        struct end end;

        begin_with(&end, SOCK_STREAM);
        end.echo = true;
        say(&end, "one\nlast");
        shutdown(end.fd, SHUT_WR);
        turn();
        ck_assert_str_eq(heard(&end), "one|last|");
        ck_assert_uint_eq(end.n_ended, 1);
        ck_assert_int_eq(end.error, 0);
        ck_assert_int_eq(drain(&end), 9);
        /* It is still there to be told something. */
        buffer_add(&end.stream.out, "late\n", 5);
        stream_flush_later(&end.stream);
        turn();
        ck_assert_int_eq(drain(&end), 5);
        ck_assert_uint_eq(end.n_ended, 1);
        /* Until it hangs up. */
        end.fd = close_fd(end.fd);
        turn();
        ck_assert_uint_eq(end.n_ended, 2);
        ck_assert_int_lt(end.error, 0);
        finish_with(&end);
}

static void an_end_that_listens_costs_no_turns(void) {
        struct end end;

        begin_with(&end, SOCK_STREAM);
        shutdown(end.fd, SHUT_WR);
        turn();
        ck_assert_uint_eq(end.n_ended, 1);
        ck_assert_int_eq(end.stream.events, UV_PRIORITIZED);
        ck_assert(!set.is_running);
        ck_assert_int_eq(uv_backend_timeout(&loop), -1);
        finish_with(&end);
}

static void answers_of_a_turn_leave_together(void) {
        struct end end;
        char packet[256];

        begin_with(&end, SOCK_SEQPACKET);
        end.echo = true;
        say(&end, "a\nb\nc\nd\n");
        turn();
        ck_assert_int_eq(recv(end.fd, packet, sizeof(packet), MSG_DONTWAIT), 8);
        ck_assert_mem_eq(packet, "a\nb\nc\nd\n", 8);
        ck_assert_int_eq(recv(end.fd, packet, sizeof(packet), MSG_DONTWAIT), -1);
        ck_assert_uint_eq(end.n_drained, 1);
        ck_assert(!set.is_running);
        finish_with(&end);
}

static void lines_that_are_too_long_are_left_out(void) {
        struct end end;
        char line[MAX_LINE + 2];

        begin_with(&end, SOCK_STREAM);
        memset(line, 'a', sizeof(line));
        say_bytes(&end, line, MAX_LINE);
        say(&end, "\n");
        turn();
        ck_assert_uint_eq(end.n_lines, 1);
        heard(&end);
        say_bytes(&end, line, MAX_LINE + 1);
        say(&end, "\nshort\n");
        turn();
        ck_assert_str_eq(heard(&end), "long|short|");
        /* Over many turns, told at once, and without keeping it. */
        say_bytes(&end, line, MAX_LINE + 1);
        turn();
        ck_assert_str_eq(heard(&end), "long|");
        for (int i = 0; i < 1000; i++) {
                say_bytes(&end, line, MAX_LINE);
                turn();
        }
        ck_assert_uint_le(end.stream.in.size, 4096);
        say(&end, "\nshort\n");
        turn();
        ck_assert_str_eq(heard(&end), "short|");
        ck_assert_uint_eq(end.n_too_long, 2);
        say_bytes(&end, line, MAX_LINE + 1);
        shutdown(end.fd, SHUT_WR);
        turn();
        ck_assert_str_eq(heard(&end), "long|");
        ck_assert_uint_eq(end.n_ended, 1);
        finish_with(&end);
}

static void a_line_can_take_many_turns(void) {
        struct end end;

        begin_with(&end, SOCK_STREAM);
        end.refuse = true;
        say(&end, "one\ntwo\n");
        for (int i = 0; i < 4; i++)
                turn();
        ck_assert_str_eq(heard(&end), "one|two|");
        ck_assert_uint_eq(end.n_again, 6);
        finish_with(&end);
}

static void a_line_in_the_middle_is_taken_before_the_stop(void) {
        struct end end;

        begin_with(&end, SOCK_STREAM);
        end.refuse = true;
        end.n_again = 2;
        say(&end, "one\ntwo\nthree\n");
        uv_run(&loop, UV_RUN_NOWAIT);
        uv_run(&loop, UV_RUN_NOWAIT);
        ck_assert_str_eq(heard(&end), "one|");
        end.refuse = false;
        stream_stop_reading(&end.stream);
        ck_assert_str_eq(heard(&end), "two|");
        stream_stop_reading(&end.stream);
        turn();
        ck_assert_str_eq(heard(&end), "");
        finish_with(&end);
}

static bool slow_line(struct stream *stream, const char *line, size_t n) {
        (void)line;
        (void)n;
        while (!stream_turn_is_over(stream))
                ;
        container_of(stream, struct end, stream)->n_lines++;
        return true;
}

static void streams_take_turns(void) {
        struct stream_ops slow_ops = ops;
        struct end ends[3];
        unsigned int min, max;

        slow_ops.line = slow_line;
        begin();
        for (int i = 0; i < 3; i++) {
                end_init(&ends[i], SOCK_STREAM);
                ends[i].stream.ops = &slow_ops;
                for (int k = 0; k < 50; k++)
                        say(&ends[i], "x\n");
        }
        do {
                uv_run(&loop, UV_RUN_NOWAIT);
                min = max = ends[0].n_lines;
                for (int i = 1; i < 3; i++) {
                        min = ends[i].n_lines < min ? ends[i].n_lines : min;
                        max = ends[i].n_lines > max ? ends[i].n_lines : max;
                }
                ck_assert_uint_le(max - min, 1);
        } while (min < 50);
        for (int i = 0; i < 3; i++)
                end_deinit(&ends[i]);
        finish();
}

static void it_may_be_closed_or_stopped_while_a_line_is_taken(void) {
        struct end end;

        begin_with(&end, SOCK_STREAM);
        end.close_on_line = true;
        say(&end, "one\ntwo\n");
        turn();
        ck_assert_str_eq(heard(&end), "one|");
        ck_assert(end.closed);
        ck_assert_int_eq(drain(&end), -1);
        end_deinit(&end);

        end_init(&end, SOCK_STREAM);
        end.stop_on_line = end.echo = true;
        say(&end, "one\ntwo\n");
        uv_run(&loop, UV_RUN_NOWAIT);
        ck_assert_int_eq(drain(&end), 4); /* in the same turn */
        say(&end, "three\n");
        turn();
        ck_assert_str_eq(heard(&end), "one|");
        ck_assert_int_eq(drain(&end), 0);
        ck_assert(!set.is_running);
        ck_assert_uint_eq(end.n_ended, 0);
        end.fd = close_fd(end.fd);
        turn();
        ck_assert_int_lt(end.error, 0);
        finish_with(&end);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(lines_are_taken_apart),
                TEST(the_end_ends_a_line),
                TEST(an_end_that_listens_costs_no_turns),
                TEST(answers_of_a_turn_leave_together),
                TEST(lines_that_are_too_long_are_left_out),
                TEST(a_line_can_take_many_turns),
                TEST(a_line_in_the_middle_is_taken_before_the_stop),
                TEST(streams_take_turns),
                TEST(it_may_be_closed_or_stopped_while_a_line_is_taken),
                {0},
        };

        return test_main("stream", tests, argc, argv);
}
