/*
 * fifo: a line is a send, "NAME" or "NAME KEY".
 *
 * Bytes gather in a buffer of one line's length. A line that does not fit is dropped up to its
 * newline. If the mailbox is full, the line stays where it is and nothing is read until a timer has
 * tried again: then the pipe fills up, and writers wait. The same timer waits for another reader in
 * this process to end (fifo.c).
 *
 * When the last writer has closed it, read() tells of an end, and what is left is a line, too. More
 * may come after that: the fifo stays open, so there is no time without a reader. But poll() tells
 * of the end until the next writer is there. So the loop polls an epoll of the fifo's own, which
 * tells of each change once (EPOLLET). It is asked before the fifo is read, and then the fifo is
 * read until nothing comes, or else looked at anew: so no change goes unseen. The kernel does not
 * keep apart what its writers wrote: one who writes before the end of the last was read continues
 * his line.
 *
 * The path is watched: a fifo that is removed or replaced is opened (and made) anew, after what was
 * written to the old one is read; and so is one that could not be opened before.
 *
 * At the end, what was written before is still read, or left to the next reader.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "daemon/conf-node.h"
#include "daemon/conf-schema.h"
#include "daemon/fifo.h"
#include "daemon/limits.h"
#include "daemon/log-limit.h"
#include "daemon/log.h"
#include "daemon/outlet.h"
#include "daemon/source-kinds.h"
#include "daemon/source.h"
#include "daemon/watch-path.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/list.h"

#define WAIT_MS        5    /* between two tries, while the mailbox is full or another one reads */
#define RETRY_MS       5000 /* until a fifo that cannot be opened is, where no event may tell */
#define READS_TO_DRAIN 256  /* a megabyte, the most that a pipe may hold */
#define READS_PER_TURN 16   /* then the worker's other sources come first */

struct fifo_conf {
        struct source_conf conf;
        char *path;
        mode_t mode;
};

/* The loop's part of an open fifo; lives until the loop has forgotten it. */
struct reader {
        uv_poll_t poll; /* of changes_fd */
        struct fifo *fifo;
        int fd, changes_fd;
        bool held; /* a line waits for room in the mailbox */
        bool more; /* it was not read until there was nothing */
};

struct fifo_source {
        struct source source;
        const struct fifo_conf *conf;
        struct outlet *outlet;
        struct watch_path *watch;
        struct reader *reader; /* NULL: not open */
        uv_timer_t timer;
        int error;                   /* of opening it, that was logged */
        struct log_limit complaints; /* about bad lines */
};

static void fifo_init(struct source_conf *conf) {
        container_of(conf, struct fifo_conf, conf)->mode = 0600;
}

static const struct conf_key fifo_keys[] = {
        {"fifo", conf_path, offsetof(struct fifo_conf, path), .required = true},
        {"mode", conf_mode, offsetof(struct fifo_conf, mode)},
        {0},
};

static bool fifo_equal(const struct source_conf *a, const struct source_conf *b) {
        const struct fifo_conf *x = container_of(a, const struct fifo_conf, conf);
        const struct fifo_conf *y = container_of(b, const struct fifo_conf, conf);

        return strcmp(x->path, y->path) == 0 && x->mode == y->mode;
}

static void fifo_deinit(struct source_conf *conf) {
        free(container_of(conf, struct fifo_conf, conf)->path);
}

static void complain(struct fifo_source *self, const char *what) {
        unsigned int n = log_limit_count(&self->complaints, clock_now_ns());

        if (n)
                log_warning("%s: %s: %s (%u bad %s since the last message)", self->conf->conf.place,
                            self->conf->path, what, n, n == 1 ? "line" : "lines");
}

/* -EAGAIN: later. */
static int send_named(struct fifo_source *self, const char *name, size_t n_name, const char *key,
                      size_t n_key) {
        int r = -EINVAL;

        if (n_key && memchr(key, '\0', n_key)) {
                complain(self, "a key with a NUL in it");
                return r;
        }
        if (strlen(name) == n_name)
                r = outlet_send_named(self->outlet, name, key, n_key);
        if (r == -EINVAL)
                complain(self, "a line that does not begin with a name");
        return r;
}

/* line[n] may be written, but everything is left as it was. -EAGAIN: later. */
static int send_line(struct fifo_source *self, char *line, size_t n) {
        char *space, *name_end, end;
        int r;

        if (n > 0 && line[n - 1] == '\r')
                n--;
        if (n == 0)
                return 0;
        space = memchr(line, ' ', n);
        name_end = space ?: line + n;
        end = *name_end;
        *name_end = '\0';
        r = send_named(self, line, (size_t)(name_end - line), space ? space + 1 : NULL,
                       space ? (size_t)(line + n - space - 1) : 0);
        *name_end = end;
        return r;
}

/* Takes the lines out of the buffer. Afterwards it has room, unless a line is held. */
static void send_lines(struct fifo_source *self) {
        struct fifo *fifo = self->reader->fifo;
        char *line = fifo->buffer, *end = fifo->buffer + fifo->n, *newline;

        self->reader->held = false;
        while ((newline = memchr(line, '\n', (size_t)(end - line)))) {
                if (!fifo->skip && send_line(self, line, (size_t)(newline - line)) == -EAGAIN) {
                        self->reader->held = true;
                        break;
                }
                fifo->skip = false;
                line = newline + 1;
        }
        fifo->n = (size_t)(end - line);
        memmove(fifo->buffer, line, fifo->n);
        if (self->reader->held)
                return;
        if (!fifo->skip && fifo->n == sizeof(fifo->buffer)) {
                complain(self, "a line that is too long");
                fifo->skip = true;
        }
        if (fifo->skip)
                fifo->n = 0;
}

/* Takes out what is there, or the end, which ends a line. False: nothing came. */
static bool read_some(struct fifo_source *self) {
        struct fifo *fifo = self->reader->fifo;
        ssize_t n;

        n = read(self->reader->fd, fifo->buffer + fifo->n, sizeof(fifo->buffer) - fifo->n);
        if (n > 0)
                fifo->n += (size_t)n;
        else if (n == 0 && (fifo->n > 0 || fifo->skip))
                fifo->buffer[fifo->n++] = '\n';
        else
                return false;
        send_lines(self);
        return true;
}

/* Reads what was written until now, or as much of it as finds room. */
static void drain(struct fifo_source *self, int n_reads) {
        struct reader *reader = self->reader;

        if (!fifo_begin(reader->fifo, self))
                return;
        send_lines(self);
        reader->more = true;
        for (int i = 0; i < n_reads && reader->more && !reader->held; i++)
                reader->more = read_some(self);
}

static void fifo_on_timer(uv_timer_t *timer);
static void fifo_on_readable(uv_poll_t *poll, int status, int events);

/* Tells of what comes, and (either call) of what is there now. */
static int tell_changes(struct reader *reader, int op) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLET};

        return epoll_ctl(reader->changes_fd, op, reader->fd, &event) < 0 ? -errno : 0;
}

/* Reads on when something comes, or has the timer try again. */
static void pace(struct fifo_source *self) {
        struct reader *reader = self->reader;

        if (reader->held || !fifo_begin(reader->fifo, self)) {
                (void)uv_poll_stop(&reader->poll);
                (void)uv_timer_start(&self->timer, fifo_on_timer, WAIT_MS, 0);
                return;
        }
        if (reader->more)
                (void)tell_changes(reader, EPOLL_CTL_MOD);
        if (!uv_is_active((uv_handle_t *)&reader->poll))
                (void)uv_poll_start(&reader->poll, UV_READABLE, fifo_on_readable);
}

static void fifo_on_readable(uv_poll_t *poll, int status, int events) {
        struct fifo_source *self = poll->data;
        struct epoll_event event;

        (void)status;
        (void)events;
        (void)epoll_wait(self->reader->changes_fd, &event, 1, 0);
        drain(self, READS_PER_TURN);
        pace(self);
}

static void reader_on_close(uv_handle_t *handle) {
        free(container_of((uv_poll_t *)handle, struct reader, poll));
}

static void reader_close(struct fifo_source *self) {
        struct reader *reader = steal_ptr(self->reader);
        bool held = reader->held;

        uv_close((uv_handle_t *)&reader->poll, reader_on_close);
        close_fd(reader->changes_fd);
        if (fifo_close(reader->fifo, self->conf->path, reader->fd, self))
                complain(self, held ? "lines are lost, there is no room for them"
                                    : "a line without an end");
}

static int reader_open(struct fifo_source *self) {
        _cleanup_free_ struct reader *reader = calloc(1, sizeof(*reader));
        int r;

        if (!reader)
                return -ENOMEM;
        r = fifo_open(self->conf->path, self->conf->mode, &reader->fifo, &reader->fd);
        if (r < 0)
                return r;
        reader->changes_fd = epoll_create1(EPOLL_CLOEXEC);
        r = reader->changes_fd < 0 ? -errno : tell_changes(reader, EPOLL_CTL_ADD);
        if (r >= 0)
                r = uv_poll_init(self->timer.loop, &reader->poll, reader->changes_fd);
        if (r < 0) {
                close_fd(reader->changes_fd);
                (void)fifo_close(reader->fifo, self->conf->path, reader->fd, self);
                return r;
        }
        reader->poll.data = self;
        self->reader = steal_ptr(reader);
        return 0;
}

static void log_state(struct fifo_source *self, int error) {
        const char *place = self->conf->conf.place, *path = self->conf->path;

        if (error == self->error)
                return;
        if (error == -ENOTSUP)
                log_warning("%s: %s is not a fifo; waiting until it is replaced", place, path);
        else if (error < 0)
                log_warning("%s: cannot open the fifo %s: %s; trying again", place, path,
                            strerror(-error));
        else
                log_notice("%s: the fifo %s is open now", place, path);
        self->error = error;
}

/* Has the fifo that stands at the path open, if there is any way. */
static int fifo_reopen(struct fifo_source *self) {
        int r;

        if (self->reader && !fifo_stands_at(self->reader->fifo, self->conf->path)) {
                drain(self, READS_TO_DRAIN);
                if (!self->reader->held)
                        reader_close(self);
        }
        if (!self->reader) {
                r = reader_open(self);
                log_state(self, r);
                if (r < 0) {
                        if (r != -ENOTSUP && r != -ENOENT)
                                (void)uv_timer_start(&self->timer, fifo_on_timer, RETRY_MS, 0);
                        return r;
                }
                drain(self, READS_TO_DRAIN); /* what a reader before us has left */
        }
        pace(self);
        return 0;
}

static void fifo_on_path(void *arg, const char *path) {
        (void)path;
        (void)fifo_reopen(arg);
}

static void fifo_on_timer(uv_timer_t *timer) {
        struct fifo_source *self = timer->data;

        if (self->reader)
                drain(self, READS_TO_DRAIN);
        (void)fifo_reopen(self);
}

static void fifo_on_close(uv_handle_t *handle) {
        free(handle->data);
}

static void fifo_source_close(struct source *source) {
        struct fifo_source *self = container_of(source, struct fifo_source, source);

        self->watch = watch_path_free(self->watch);
        if (self->reader) {
                drain(self, READS_TO_DRAIN);
                reader_close(self);
        }
        uv_close((uv_handle_t *)&self->timer, fifo_on_close);
}

static int fifo_source_open(uv_loop_t *loop, const struct source_conf *conf, struct outlet *outlet,
                            struct source **ret) {
        struct fifo_source *self = calloc(1, sizeof(*self));
        int r;

        if (!self)
                return -ENOMEM;
        self->conf = container_of(conf, const struct fifo_conf, conf);
        self->outlet = outlet;
        (void)uv_timer_init(loop, &self->timer);
        self->timer.data = self;
        /* watched before it is made, so that no change comes between */
        r = watch_path_new(loop, self->conf->path, WATCH_PATH_NAME_ONLY, conf->place, fifo_on_path,
                           self, &self->watch);
        if (r >= 0)
                r = fifo_reopen(self);
        if (r == -ENOMEM || r == -EMFILE || r == -ENFILE) {
                fifo_source_close(&self->source);
                return r;
        }
        *ret = &self->source;
        return 0;
}

const struct source_kind source_fifo = {
        .key = "fifo",
        .conf_size = sizeof(struct fifo_conf),
        .keys = fifo_keys,
        .init = fifo_init,
        .equal = fifo_equal,
        .deinit = fifo_deinit,
        .open = fifo_source_open,
        .close = fifo_source_close,
};
