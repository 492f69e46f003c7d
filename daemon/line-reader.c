/*
 * A poll handle and a buffer of one line, made when the first byte comes: most runs write nothing.
 *
 * At most READS_PER_TURN reads are made for an event, so that a command which writes without end
 * leaves the loop to others.
 */

#include "daemon/line-reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"

#define READS_PER_TURN 8

struct line_reader {
        int fd;
        size_t max_line;
        line_reader_cb cb;
        void (*ended)(void *arg); /* or NULL */
        void *arg;
        unsigned int stream;
        char *buffer;
        size_t n_buffer;
        uv_poll_t poll;
};

static void on_readable(uv_poll_t *poll, int status, int events);

int line_reader_new_consume_fd(uv_loop_t *loop, int fd, size_t max_line, line_reader_cb cb,
                               void *arg, unsigned int stream, struct line_reader **ret) {
        struct line_reader *reader = calloc(1, sizeof(*reader));
        int r = -ENOMEM;

        if (!reader)
                goto fail;
        *reader = (struct line_reader){
                .fd = fd, .max_line = max_line, .cb = cb, .arg = arg, .stream = stream};
        r = uv_poll_init(loop, &reader->poll, fd); /* makes it non-blocking */
        if (r < 0)
                goto fail;
        reader->poll.data = reader;
        uv_unref((uv_handle_t *)&reader->poll);
        (void)uv_poll_start(&reader->poll, UV_READABLE, on_readable);
        *ret = reader;
        return 0;
fail:
        free(reader);
        close(fd);
        return r;
}

/* Passes on whole lines, and a full buffer as a part of one. */
static void pass_on(struct line_reader *reader) {
        char *line = reader->buffer, *end = reader->buffer + reader->n_buffer, *newline;

        while ((newline = memchr(line, '\n', (size_t)(end - line)))) {
                reader->cb(reader->arg, reader->stream, line, (size_t)(newline - line));
                line = newline + 1;
        }
        if (line == reader->buffer && reader->n_buffer == reader->max_line) {
                reader->cb(reader->arg, reader->stream, line, reader->n_buffer);
                line = end;
        }
        reader->n_buffer = (size_t)(end - line);
        memmove(reader->buffer, line, reader->n_buffer);
}

/* Bytes read; 0 at the end; negative errno, -EAGAIN among them. */
static ssize_t read_once(struct line_reader *reader) {
        ssize_t n;

        if (!reader->buffer) {
                reader->buffer = malloc(reader->max_line);
                if (!reader->buffer)
                        return -ENOMEM;
        }
        n = read(reader->fd, reader->buffer + reader->n_buffer,
                 reader->max_line - reader->n_buffer);
        if (n < 0)
                return -errno;
        reader->n_buffer += (size_t)n;
        pass_on(reader);
        return n;
}

/* Passes on a last line that has no newline. */
static void pass_on_rest(struct line_reader *reader) {
        if (reader->n_buffer)
                reader->cb(reader->arg, reader->stream, reader->buffer, reader->n_buffer);
        reader->n_buffer = 0;
}

static bool is_end(ssize_t n) {
        return n == 0 || (n < 0 && n != -EAGAIN && n != -EINTR && n != -ENOMEM);
}

static void on_readable(uv_poll_t *poll, int status, int events) {
        struct line_reader *reader = poll->data;
        ssize_t n = 1;

        (void)status;
        (void)events;
        for (int i = 0; i < READS_PER_TURN && n > 0; i++)
                n = read_once(reader);
        if (!is_end(n))
                return;
        uv_poll_stop(poll);
        if (!reader->ended)
                return;
        pass_on_rest(reader);
        reader->ended(reader->arg);
}

bool line_reader_drain(struct line_reader *reader, size_t max_bytes) {
        ssize_t n = 1;

        if (!reader)
                return true;
        for (size_t n_read = 0; n > 0 && n_read < max_bytes; n_read += (size_t)n) {
                n = read_once(reader);
                if (n <= 0)
                        break;
        }
        pass_on_rest(reader);
        return is_end(n);
}

void line_reader_hand_over(struct line_reader *reader, line_reader_cb cb, void (*ended)(void *arg),
                           void *arg) {
        reader->cb = cb;
        reader->ended = ended;
        reader->arg = arg;
        if (reader->n_buffer)
                return;
        free(reader->buffer); /* it may be long until more comes */
        reader->buffer = NULL;
}

static void on_closed(uv_handle_t *handle) {
        struct line_reader *reader = handle->data;

        close(reader->fd);
        free(reader->buffer);
        free(reader);
}

struct line_reader *line_reader_close(struct line_reader *reader) {
        if (reader)
                uv_close((uv_handle_t *)&reader->poll, on_closed);
        return NULL;
}
