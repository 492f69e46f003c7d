/*
 * A stream over a socketpair, in a loop that the test runs: the test is the other end. A socketpair
 * of packets shows what is written at once: one packet a write.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/stream.h"
#include "lib/cleanup.h"
#include "tests/support.h"

#define MAX_LINE   1000
#define MAX_OUT    10000
#define MAX_UNSENT 400000

struct end {
        struct stream stream;
        int fd;              /* the other end */
        struct buffer heard; /* lines, each followed by "|" */
        unsigned int n_lines, n_too_long, n_drained, n_ended, n_again;
        int error; /* of the last end */
        bool closed;
        bool close_on_line, stop_on_line, refuse;
        bool echo;      /* answers each line with itself */
        size_t n_reply; /* answers each line with so many bytes */
        size_t n_held;  /* bytes that fill() adds, one a line */
};

static uv_loop_t loop;
static struct stream_set set;
static bool set_closed;

static bool on_line(struct stream *stream, const char *line, size_t n) {
        struct end *end = container_of(stream, struct end, stream);

        if (end->refuse && end->n_again++ % 3 != 2)
                return false;
        end->n_lines++;
        buffer_add(&end->heard, line, n);
        buffer_add_byte(&end->heard, '|');
        if (end->echo) {
                buffer_add(&stream->out, line, n);
                buffer_add_byte(&stream->out, '\n');
        }
        for (size_t i = 0; i < end->n_reply; i++)
                buffer_add_byte(&stream->out, i + 1 < end->n_reply ? 'x' : '\n');
        if (end->close_on_line)
                stream_close(stream);
        if (end->stop_on_line) {
                stream_stop_reading(stream);
                stream_flush_later(stream);
        }
        return true;
}

static void on_too_long(struct stream *stream) {
        struct end *end = container_of(stream, struct end, stream);

        end->n_too_long++;
        buffer_add(&end->heard, "long|", 5);
}

static bool on_fill(struct stream *stream) {
        struct end *end = container_of(stream, struct end, stream);

        for (; end->n_held && stream_has_room(stream); end->n_held--)
                buffer_add(&stream->out, "held\n", 5);
        return end->n_held;
}

static void on_drained(struct stream *stream) {
        container_of(stream, struct end, stream)->n_drained++;
}

static void on_ended(struct stream *stream, int error) {
        struct end *end = container_of(stream, struct end, stream);

        end->n_ended++;
        end->error = error;
        if (error < 0)
                stream_close(stream);
}

static void on_closed(struct stream *stream) {
        container_of(stream, struct end, stream)->closed = true;
}

static const struct stream_ops ops = {
        .line = on_line,
        .too_long = on_too_long,
        .fill = on_fill,
        .drained = on_drained,
        .ended = on_ended,
        .closed = on_closed,
};

static void on_set_closed(struct stream_set *s) {
        (void)s;
        set_closed = true;
}

static void begin(void) {
        ck_assert_int_eq(uv_loop_init(&loop), 0);
        stream_set_init(&set, &loop, MAX_UNSENT);
}

static void finish(void) {
        stream_set_close(&set, on_set_closed);
        uv_run(&loop, UV_RUN_DEFAULT);
        ck_assert(set_closed);
        ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static void end_init(struct end *end, int type) {
        int fds[2];

        *end = (struct end){.fd = -1};
        ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), 0);
        end->fd = fds[1];
        ck_assert_int_eq(
                stream_init_consume_fd(&end->stream, &set, fds[0], &ops, MAX_LINE, MAX_OUT), 0);
}

static void end_deinit(struct end *end) {
        stream_close(&end->stream);
        stream_close(&end->stream);
        while (!end->closed)
                uv_run(&loop, UV_RUN_ONCE);
        end->fd = close_fd(end->fd);
        buffer_deinit(&end->heard);
}

static void say_bytes(struct end *end, const char *bytes, size_t n) {
        while (n > 0) {
                ssize_t n_sent = send(end->fd, bytes, n, MSG_NOSIGNAL);

                ck_assert_int_gt(n_sent, 0);
                bytes += n_sent;
                n -= (size_t)n_sent;
        }
}

static void say(struct end *end, const char *text) {
        say_bytes(end, text, strlen(text));
}

/* Turns until the loop has nothing to do; a few more do no harm. */
static void turn(void) {
        for (int i = 0; i < 8; i++)
                uv_run(&loop, UV_RUN_NOWAIT);
}

static const char *heard(struct end *end) {
        buffer_add_byte(&end->heard, 0);
        ck_assert(!end->heard.failed);
        end->heard.n = 0;
        return end->heard.data;
}

/* Everything that is there to read, -1 at the end. */
static ssize_t drain(struct end *end) {
        char bytes[65536];
        ssize_t n, sum = 0;

        while ((n = recv(end->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
                sum += n;
        return n == 0 && sum == 0 ? -1 : sum;
}

static void lines_are_taken_apart(void) {
        struct end end;

        begin();
        end_init(&end, SOCK_STREAM);
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
        end_deinit(&end);
        finish();
}

static void the_end_ends_a_line(void) {
        struct end end;

        begin();
        end_init(&end, SOCK_STREAM);
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
        end_deinit(&end);
        finish();
}

static void an_end_that_listens_costs_no_turns(void) {
        struct end end;

        begin();
        end_init(&end, SOCK_STREAM);
        shutdown(end.fd, SHUT_WR);
        turn();
        ck_assert_uint_eq(end.n_ended, 1);
        ck_assert_int_eq(end.stream.events, UV_PRIORITIZED);
        ck_assert(!set.is_running);
        ck_assert_int_eq(uv_backend_timeout(&loop), -1);
        end_deinit(&end);
        finish();
}

static void answers_of_a_turn_leave_together(void) {
        struct end end;
        char packet[256];

        begin();
        end_init(&end, SOCK_SEQPACKET);
        end.echo = true;
        say(&end, "a\nb\nc\nd\n");
        turn();
        ck_assert_int_eq(recv(end.fd, packet, sizeof(packet), MSG_DONTWAIT), 8);
        ck_assert_mem_eq(packet, "a\nb\nc\nd\n", 8);
        ck_assert_int_eq(recv(end.fd, packet, sizeof(packet), MSG_DONTWAIT), -1);
        ck_assert_uint_eq(end.n_drained, 1);
        ck_assert(!set.is_running);
        end_deinit(&end);
        finish();
}

static void lines_that_are_too_long_are_left_out(void) {
        struct end end;
        char line[MAX_LINE + 2];

        begin();
        end_init(&end, SOCK_STREAM);
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
        end_deinit(&end);
        finish();
}

static void who_does_not_read_is_not_read(void) {
        struct end end;
        int small = 4096;
        ssize_t sum = 0, n;

        begin();
        end_init(&end, SOCK_STREAM);
        setsockopt(end.stream.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
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
        end_deinit(&end);
        finish();
}

static void all_together_hold_less_when_they_hold_too_much(void) {
        struct end ends[6];
        int small = 4096;
        size_t sum = 0;

        begin();
        for (int i = 0; i < 6; i++) {
                end_init(&ends[i], SOCK_STREAM);
                setsockopt(ends[i].stream.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
                ends[i].stream.max_out = 1000000;
                ends[i].n_reply = 10000;
                for (int k = 0; k < 200; k++)
                        say(&ends[i], "x\n");
                turn();
        }
        for (int i = 0; i < 6; i++) /* now: the others may have gone on meanwhile */
                sum += stream_n_unsent(&ends[i].stream);
        ck_assert_uint_eq(set.n_unsent, sum);
        ck_assert_uint_gt(sum, MAX_UNSENT);
        ck_assert_uint_lt(stream_n_unsent(&ends[5].stream), (64U << 10) + 10000);
        ck_assert_uint_gt(ends[5].n_lines, 0);
        for (int i = 0; i < 6; i++)
                end_deinit(&ends[i]);
        ck_assert_uint_eq(set.n_unsent, 0);
        finish();
}

static void what_is_held_back_leaves_as_there_is_room(void) {
        struct end end;
        ssize_t sum = 0;

        begin();
        end_init(&end, SOCK_STREAM);
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
        end_deinit(&end);
        finish();
}

static void what_was_sent_counts_when_the_sender_is_gone(void) {
        struct end end;

        begin();
        end_init(&end, SOCK_STREAM);
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
        end_deinit(&end);
        finish();
}

static void who_shuts_his_ears_is_still_heard(void) {
        struct end end;

        begin();
        end_init(&end, SOCK_STREAM);
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
        end_deinit(&end);
        finish();
}

static void a_line_can_take_many_turns(void) {
        struct end end;

        begin();
        end_init(&end, SOCK_STREAM);
        end.refuse = true;
        say(&end, "one\ntwo\n");
        for (int i = 0; i < 4; i++)
                turn();
        ck_assert_str_eq(heard(&end), "one|two|");
        ck_assert_uint_eq(end.n_again, 6);
        end_deinit(&end);
        finish();
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
        static const struct stream_ops slow_ops = {
                .line = slow_line,
                .drained = on_drained,
                .ended = on_ended,
                .closed = on_closed,
        };
        struct end ends[3];
        unsigned int min, max;

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

        begin();
        end_init(&end, SOCK_STREAM);
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
        end_deinit(&end);
        finish();
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(lines_are_taken_apart),
                TEST(the_end_ends_a_line),
                TEST(an_end_that_listens_costs_no_turns),
                TEST(answers_of_a_turn_leave_together),
                TEST(lines_that_are_too_long_are_left_out),
                TEST(who_does_not_read_is_not_read),
                TEST(all_together_hold_less_when_they_hold_too_much),
                TEST(what_is_held_back_leaves_as_there_is_room),
                TEST(what_was_sent_counts_when_the_sender_is_gone),
                TEST(who_shuts_his_ears_is_still_heard),
                TEST(a_line_can_take_many_turns),
                TEST(streams_take_turns),
                TEST(it_may_be_closed_or_stopped_while_a_line_is_taken),
                {},
        };

        return test_main("stream", tests, argc, argv);
}
