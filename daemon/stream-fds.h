/* Descriptors on their way out of a stream, each pair beside a byte. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "lib/buffer.h"
#include "lib/list.h"

#define STREAM_N_FDS 2

struct stream_fds {
        struct list queue; /* in the order of their bytes */
};

/* They go with the byte at `at` of the output, not before one that is in the queue; on failure they
 * are closed. 0, -ENOMEM. */
int stream_fds_add_consume(struct stream_fds *fds, size_t at, const int pair[STREAM_N_FDS]);
/* Writes from `at` on, up to the byte that the next descriptors belong to. The number of bytes
 * written, or negative errno; *ret_n is how many there were. */
ssize_t stream_fds_send(struct stream_fds *fds, int fd, const struct buffer *out, size_t at,
                        size_t *ret_n);
/* n bytes were taken out at the front. */
void stream_fds_move(struct stream_fds *fds, size_t n);
void stream_fds_clear(struct stream_fds *fds);
