/* A fifo that this process reads lines from, in turns; made if it is missing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "daemon/limits.h"
#include "lib/list.h"

struct fifo {
        /* under the lock */
        struct list link;
        dev_t dev;
        ino_t ino;
        unsigned int n_users;
        bool made;          /* by us, so ours to remove */
        const void *reader; /* whose turn it is */

        /* the reader's */
        bool skip; /* up to the next newline */
        size_t n;
        char buffer[LIMIT_FIFO_LINE + 1]; /* a line and its newline, as far as it was read */
};

/* All: any thread. */

/* Opens the fifo at `path` for reading. Where nothing stands, it is made with `mode`, whatever the
 * umask. All who open the same fifo get the same object, and a descriptor each. 0; -ENOTSUP:
 * something else stands there; or an error of mkfifo(3), stat(2), open(2). */
int fifo_open(const char *path, mode_t mode, struct fifo **ret, int *ret_fd);
/* Whether it is `reader`'s turn, which lasts from then on until he closes it. */
bool fifo_begin(struct fifo *fifo, const void *reader);
/* Whether `path` leads to it. */
bool fifo_stands_at(const struct fifo *fifo, const char *path);
/* Gives up the turn and closes the descriptor. The last one to close a fifo that was made removes
 * it from `path`, if it still stands there. What was read of a line is left to the next reader;
 * true: there is none, and it is lost. */
bool fifo_close(struct fifo *fifo, const char *path, int fd, const void *reader);
