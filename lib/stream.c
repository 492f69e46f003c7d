/*
 * The socket itself is a blocking one, because only then does connect() wait for room in the
 * listener's queue (a unix socket answers EAGAIN otherwise, and nothing tells when to try again);
 * SO_SNDTIMEO bounds that wait. Reads and writes never block: they ask first, with poll().
 *
 * Lines are handed out in place. What was handed out is dropped from the buffer at the next read,
 * and the rest moves to its front only when more must be received, so a burst of lines is not moved
 * once a line.
 */

#include "lib/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/deadline.h"

#define READ_SIZE 4096U

static int limit_connect(int fd, uint64_t deadline_ns) {
        uint64_t now_ns = clock_now_ns(), left_us;
        struct timeval timeout;

        if (deadline_ns == DEADLINE_NEVER)
                return 0;
        /* A timeout of zero would mean none at all. */
        left_us = deadline_ns > now_ns ? (deadline_ns - now_ns) / 1000 + 1 : 1;
        timeout.tv_sec = (time_t)(left_us / 1000000);
        timeout.tv_usec = (suseconds_t)(left_us % 1000000);
        return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0 ? -errno : 0;
}

int rouse__stream_open(struct stream *stream, const struct sockaddr_un *address,
                       uint64_t deadline_ns) {
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int r;

        if (fd < 0)
                return -errno;
        r = limit_connect(fd, deadline_ns);
        if (r < 0)
                return r;
        /* Interrupted, it has not connected: it had no place in the queue yet. */
        do
                r = connect(fd, (const struct sockaddr *)address, sizeof(*address));
        while (r < 0 && errno == EINTR);
        if (r < 0)
                return errno == EAGAIN ? -ETIMEDOUT : -errno;
        buffer_clear(&stream->in);
        stream->line_end = stream->n_scanned = 0;
        stream->fd = steal_fd(&fd);
        return 0;
}

static void drop_fds(struct stream *stream) {
        for (int i = 0; i < STREAM_N_FDS; i++)
                stream->fds[i] = close_fd(stream->fds[i]);
}

void rouse__stream_close(struct stream *stream) {
        stream->fd = close_fd(stream->fd);
        drop_fds(stream);
        rouse__buffer_deinit(&stream->in);
        stream->line_end = stream->n_scanned = 0;
}

int rouse__stream_write(struct stream *stream, const void *bytes, size_t n, uint64_t deadline_ns) {
        const char *p = bytes;
        int r;

        while (n > 0) {
                ssize_t sent = send(stream->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (sent >= 0) {
                        p += sent;
                        n -= (size_t)sent;
                        continue;
                }
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN)
                        return errno == EPIPE ? -ECONNRESET : -errno;
                r = rouse__deadline_poll(deadline_ns, stream->fd, POLLOUT, -1);
                if (r <= 0)
                        return r < 0 ? r : -ETIMEDOUT;
        }
        return 0;
}

/* As recv(), and keeps descriptors that come along. */
static ssize_t receive(struct stream *stream, void *bytes, size_t n) {
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(sizeof(stream->fds))];
        } control;
        struct iovec iov = {bytes, n};
        struct msghdr header = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        ssize_t n_read = recvmsg(stream->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        struct cmsghdr *rights;

        if (n_read < 0 || header.msg_controllen == 0)
                return n_read;
        rights = CMSG_FIRSTHDR(&header);
        if (!rights || rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS)
                return n_read;
        drop_fds(stream);
        /* The kernel closes what there is no room for; there may be fewer, too. */
        memcpy(stream->fds, CMSG_DATA(rights), rights->cmsg_len - CMSG_LEN(0));
        return n_read;
}

bool rouse__stream_take_fds(struct stream *stream, int ret_fds[STREAM_N_FDS]) {
        if (stream->fds[STREAM_N_FDS - 1] < 0) {
                drop_fds(stream);
                return false;
        }
        for (int i = 0; i < STREAM_N_FDS; i++)
                ret_fds[i] = steal_fd(&stream->fds[i]);
        return true;
}

/* Receives some more bytes. */
static int fill(struct stream *stream, uint64_t deadline_ns) {
        struct buffer *in = &stream->in;
        int r;

        if (stream->line_end > 0) {
                in->n -= stream->line_end;
                memmove(in->data, in->data + stream->line_end, in->n);
                stream->n_scanned -= stream->line_end;
                stream->line_end = 0;
        }
        if (in->n > STREAM_LINE_MAX)
                return -EMSGSIZE;
        if (!buffer_reserve(in, READ_SIZE))
                return -ENOMEM;
        for (;;) {
                ssize_t n = receive(stream, in->data + in->n, in->size - in->n);

                if (n > 0) {
                        in->n += (size_t)n;
                        return 0;
                }
                if (n == 0)
                        return -ECONNRESET;
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN)
                        return -errno;
                r = rouse__deadline_poll(deadline_ns, stream->fd, POLLIN, -1);
                if (r <= 0)
                        return r < 0 ? r : -ETIMEDOUT;
        }
}

int rouse__stream_read_line(struct stream *stream, uint64_t deadline_ns, char **ret_line,
                            size_t *ret_n) {
        struct buffer *in = &stream->in;
        char *line, *newline;
        int r;

        for (;;) {
                size_t n_new = in->n - stream->n_scanned;

                newline = n_new > 0 ? memchr(in->data + stream->n_scanned, '\n', n_new) : NULL;
                if (newline)
                        break;
                stream->n_scanned = in->n;
                r = fill(stream, deadline_ns);
                if (r < 0)
                        return r;
        }
        *newline = '\0';
        line = in->data + stream->line_end;
        stream->line_end = stream->n_scanned = (size_t)(newline + 1 - in->data);
        *ret_line = line;
        *ret_n = (size_t)(newline - line);
        return 0;
}
