/* A connected stream socket that speaks in lines: takes them in, and lets answers out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/stream-fds.h"
#include "lib/buffer.h"
#include "lib/list.h"

struct stream;

/* Bytes that streams hold which count together. */
struct stream_sum {
        size_t n;
        size_t max;              /* before each of them may hold less */
        struct stream_sum *also; /* counts the same, and bounds it, too; or NULL */
        bool is_alone;           /* that one only counts */
};

struct stream_account {
        struct stream_sum unsent;  /* wait to be written */
        struct stream_sum untaken; /* were read, and wait for the rest of their line */
};

/* What the streams of a loop share: whose turn it is, and who has something to write. */
struct stream_set {
        uv_check_t check;
        uv_prepare_t prepare;
        uv_idle_t idle;
        struct list ready; /* have something to write */
        struct list again; /* have lines that are not taken */
        bool is_running;
        uint64_t turn_ns; /* what a stream may take of a turn of the loop */
        struct stream_account all;
        unsigned int n_open;                   /* handles of the loop, its own and the streams' */
        void (*awake)(struct stream_set *set); /* lines are going to be taken; or NULL */
        void (*closed)(struct stream_set *set);
};

/* The bounds are those of all streams together. */
void stream_set_init(struct stream_set *set, uv_loop_t *loop, size_t max_unsent,
                     size_t max_untaken);
/* After all streams of it were told to close: `closed` comes from the loop when the last is gone.
 */
void stream_set_close(struct stream_set *set, void (*closed)(struct stream_set *set));

/* Any of these may close the stream. */
struct stream_ops {
        /* A line, without its newline. True: done with it. False: the turn was over in the middle
         * of it; the same line comes again in the next one. */
        bool (*line)(struct stream *stream, const char *line, size_t n);
        /* A line was longer than n_max, which is max_line or what all together have left, and is
         * left out. */
        void (*too_long)(struct stream *stream, size_t n_max);
        /* There is room to write what was held back until now, while stream_has_room(). Says
         * whether there is more. NULL: nothing is ever held back. */
        bool (*fill)(struct stream *stream);
        /* Everything is written. */
        void (*drained)(struct stream *stream);
        /* 0: the other end says no more, and may still listen. Negative errno: it is gone. */
        void (*ended)(struct stream *stream, int error);
        /* Nothing of it is left, its memory may go. */
        void (*closed)(struct stream *stream);
};

struct stream {
        struct stream_set *set;
        struct stream_account *account;
        const struct stream_ops *ops;
        int fd;
        uv_poll_t poll;
        int events; /* that are polled for */
        struct list ready_link, again_link;
        size_t max_line; /* bytes of a line */
        size_t max_out;  /* bytes that wait to be written before no line is taken any more */

        struct buffer in;
        size_t in_at;      /* where the first line begins that was not taken */
        size_t in_scanned; /* up to here no newline follows it */
        struct buffer out;
        size_t out_at;         /* what was written already */
        struct stream_fds fds; /* that go with bytes of `out` */
        size_t n_held;         /* bytes that stream_hold() tells of */
        size_t n_counted;      /* its share of the account's `unsent` */
        size_t n_in_counted;   /* … and `untaken` */
        uint64_t turn_end_ns;

        bool is_skipping; /* the rest of a line that was too long */
        bool has_lines;   /* whole lines wait in `in` */
        bool is_in_line;  /* … and the first comes again */
        bool is_blocked;  /* … until `out` has room */
        bool is_stopped;  /* takes no more lines, by stream_stop_reading() */
        bool is_at_end;   /* the other end says no more */
        bool has_ended;   /* … and ops->ended() was told */
        bool is_stuck;    /* the socket has no room for the rest of `out` */
        bool is_deaf;     /* the other end listens no more: answers are thrown away */
        bool is_closing;
};

/* Takes a connected socket, which becomes non-blocking, and closes it in the end; on failure it is
 * closed too. `account` lasts until ops->closed(); NULL: that of all. Negative errno. */
int stream_init_consume_fd(struct stream *stream, struct stream_set *set,
                           struct stream_account *account, int fd, const struct stream_ops *ops,
                           size_t max_line, size_t max_out);
/* Closes the socket at once; ops->closed() comes later, from the loop. May be repeated. */
void stream_close(struct stream *stream);

/* Whole lines are added to `out`, and leave together at the end of this turn of the loop. */
void stream_flush_later(struct stream *stream);
/* Whether `out` is so short that it pays to add what was held back. */
bool stream_has_room(const struct stream *stream);
static inline size_t stream_n_unsent(const struct stream *stream) {
        return stream->out.n - stream->out_at;
}

/* So many bytes stand elsewhere until they are added to `out`; they count as if they were in it. */
void stream_hold(struct stream *stream, size_t n);
/* Whether no more should be held now: too much waits in the account, and in this stream more than
 * it may have then. */
bool stream_is_greedy(const struct stream *stream);

/* The descriptors go to the other end beside the byte at `at` in `out`, where a whole line begins
 * that was just added. They are closed in the end. 0, -ENOMEM. */
int stream_pass_consume_fds(struct stream *stream, size_t at, const int fds[STREAM_N_FDS]);

/* Takes no more lines, not even those that were read. One in whose middle the turn was over comes
 * once more, now, and for the last time. */
void stream_stop_reading(struct stream *stream);
/* Whether the time of this stream is over in this turn: for lines that are long work. */
bool stream_turn_is_over(const struct stream *stream);
