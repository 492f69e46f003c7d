#include "tests/stream-fixture.h"

#include <string.h>
#include <sys/socket.h>

#include "lib/cleanup.h"
#include "tests/support.h"

uv_loop_t loop;
struct stream_set set;
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

static void on_too_long(struct stream *stream, size_t n_max) {
        struct end *end = container_of(stream, struct end, stream);

        end->n_too_long++;
        end->n_max = n_max;
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

const struct stream_ops ops = {
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

void begin(void) {
        ck_assert_int_eq(uv_loop_init(&loop), 0);
        stream_set_init(&set, &loop, MAX_UNSENT, MAX_UNTAKEN);
}

void finish(void) {
        stream_set_close(&set, on_set_closed);
        uv_run(&loop, UV_RUN_DEFAULT);
        ck_assert(set_closed);
        ck_assert_int_eq(uv_loop_close(&loop), 0);
}

void end_init(struct end *end, int type) {
        int fds[2];

        *end = (struct end){.fd = -1};
        ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), 0);
        end->fd = fds[1];
        ck_assert_int_eq(
                stream_init_consume_fd(&end->stream, &set, NULL, fds[0], &ops, MAX_LINE, MAX_OUT),
                0);
}

void end_deinit(struct end *end) {
        stream_close(&end->stream);
        stream_close(&end->stream);
        while (!end->closed)
                uv_run(&loop, UV_RUN_ONCE);
        end->fd = close_fd(end->fd);
        rouse__buffer_deinit(&end->heard);
}

void begin_with(struct end *end, int type) {
        begin();
        end_init(end, type);
}

void finish_with(struct end *end) {
        end_deinit(end);
        finish();
}

void end_send_little(struct end *end) {
        int small = 4096;

        ck_assert_int_eq(setsockopt(end->stream.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)),
                         0);
}

void say_bytes(struct end *end, const char *bytes, size_t n) {
        while (n > 0) {
                ssize_t n_sent = send(end->fd, bytes, n, MSG_NOSIGNAL);

                ck_assert_int_gt(n_sent, 0);
                bytes += n_sent;
                n -= (size_t)n_sent;
        }
}

void say(struct end *end, const char *text) {
        say_bytes(end, text, strlen(text));
}

void turn(void) {
        for (int i = 0; i < 8; i++)
                uv_run(&loop, UV_RUN_NOWAIT);
}

const char *heard(struct end *end) {
        buffer_add_byte(&end->heard, 0);
        ck_assert(!end->heard.failed);
        end->heard.n = 0;
        return end->heard.data;
}

ssize_t drain(struct end *end) {
        char bytes[65536];
        ssize_t n, sum = 0;

        while ((n = recv(end->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
                sum += n;
        return n == 0 && sum == 0 ? -1 : sum;
}
