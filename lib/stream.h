/* A connection that carries lines each way. Blocking, under a deadline. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#include "lib/buffer.h"

#define STREAM_LINE_MAX (256U << 20)

#define STREAM_N_FDS 2

struct stream {
        int fd;
        int fds[STREAM_N_FDS]; /* received last and not taken; -1: none */
        struct buffer in;
        size_t line_end;  /* in `in`: everything before it was handed out */
        size_t n_scanned; /* in `in`: there is no newline between line_end and this */
};

#define STREAM_NULL                         \
        {                                   \
                .fd = -1, .fds = { -1, -1 } \
        }

/* 0 or negative errno; -ETIMEDOUT. */
int rouse__stream_open(struct stream *stream, const struct sockaddr_un *address,
                       uint64_t deadline_ns);
void rouse__stream_close(struct stream *stream); /* may be repeated */
static inline bool rouse__stream_is_open(const struct stream *stream) {
        return stream->fd >= 0;
}

/* Writes everything. 0; -ETIMEDOUT; or negative errno. After a failure nobody knows how much was
 * written: close the stream. */
int rouse__stream_write(struct stream *stream, const void *bytes, size_t n, uint64_t deadline_ns);

/* The next line, a NUL in place of its newline; valid until the next read. 0; -ETIMEDOUT, and the
 * stream goes on; -ECONNRESET: the other side closed it; -EMSGSIZE: longer than STREAM_LINE_MAX; or
 * another negative errno. */
int rouse__stream_read_line(struct stream *stream, uint64_t deadline_ns, char **ret_line,
                            size_t *ret_n);

/* The descriptors that came last with what was read. False: none came since the last time. */
bool rouse__stream_take_fds(struct stream *stream, int ret_fds[STREAM_N_FDS]);
