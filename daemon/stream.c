/*
 * One read a turn of the loop, then its lines; one write a turn, with the answers to all of them.
 * Writing waits for the check phase, before the wakes that the lines asked for, and for the prepare
 * phase, after them, which the loop always passes before it sleeps. These two stand ready all the
 * time: an empty list costs less than a start and a stop. What is left after the prepare phase has
 * an idle handle keep the loop from sleeping.
 *
 * Nobody can keep the loop: a stream has turn_ns a turn, then the others and the rest of the loop
 * come first. Nobody can fill the memory: lines are taken only while less than max_out bytes wait
 * to be written, and nothing is read while whole lines wait to be taken. What is longer than
 * max_line is thrown away up to its newline. Bounds for streams that count together make max_out
 * and max_line smaller while they are exceeded.
 *
 * A line that the other end has sent counts, also when it does not wait for the answer: when
 * writing fails, what was sent is still read to its end.
 *
 * Descriptors go with the first byte of their line, so a write ends where the next ones begin; that
 * is the only reason to write more than once.
 *
 * After the end of what the other end says, only a hang-up can come. epoll reports that without
 * being asked, and libuv passes it on as whatever event is polled for; so UV_PRIORITIZED, which a
 * unix socket never has, stands for it.
 *
 * Invariants: in_at <= in_scanned <= in.n; out_at <= out.n; `events` is what is polled for, and is
 * worked out afresh, in one place, after every step.
 */

#include "daemon/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/cleanup.h"
#include "lib/clock.h"

#define READ_BYTES (64U << 10)
#define KEEP_BYTES 4096U       /* of a buffer that is empty */
#define ROOM_BYTES (64U << 10) /* what is held back joins at most this much */
#define MOVE_BYTES                                                                    \
        (256U << 10) /* what was written is taken out of a buffer that is never empty \
                      */
#define TURN_NS NS_PER_MS

static void take_lines(struct stream *stream);
static void flush(struct stream *stream);

/* The set. */

static void run_ready(struct stream_set *set) {
        struct list ready = LIST_INIT(ready);
        struct list *first;

        if (list_is_empty(&set->ready))
                return;
        list_splice(&ready, &set->ready);
        while ((first = list_first(&ready))) {
                list_remove(first);
                flush(container_of(first, struct stream, ready_link));
        }
}

static void on_check(uv_check_t *check) {
        run_ready(container_of(check, struct stream_set, check));
}

static void on_idle(uv_idle_t *idle);

/* Keeps the loop from sleeping. */
static void run(struct stream_set *set) {
        if (set->is_running)
                return;
        uv_idle_start(&set->idle, on_idle);
        set->is_running = true;
}

static void on_prepare(uv_prepare_t *prepare) {
        struct stream_set *set = container_of(prepare, struct stream_set, prepare);

        run_ready(set);
        if (!list_is_empty(&set->ready) || !list_is_empty(&set->again)) {
                run(set);
        } else if (set->is_running) {
                uv_idle_stop(&set->idle);
                set->is_running = false;
        }
}

static void on_idle(uv_idle_t *idle) {
        struct stream_set *set = container_of(idle, struct stream_set, idle);
        struct list again = LIST_INIT(again);
        struct list *first;

        list_splice(&again, &set->again);
        while ((first = list_first(&again))) {
                list_remove(first);
                take_lines(container_of(first, struct stream, again_link));
        }
}

static void set_handle_closed(struct stream_set *set) {
        if (--set->n_open == 0)
                set->closed(set);
}

static void on_own_closed(uv_handle_t *handle) {
        set_handle_closed(handle->data);
}

void stream_set_init(struct stream_set *set, uv_loop_t *loop, size_t max_unsent,
                     size_t max_untaken) {
        *set = (struct stream_set){.n_open = 3,
                                   .turn_ns = TURN_NS,
                                   .all = {.unsent.max = max_unsent, .untaken.max = max_untaken}};
        list_init(&set->ready);
        list_init(&set->again);
        (void)uv_check_init(loop, &set->check); /* these cannot fail */
        (void)uv_prepare_init(loop, &set->prepare);
        (void)uv_idle_init(loop, &set->idle);
        set->check.data = set->prepare.data = set->idle.data = set;
        uv_check_start(&set->check, on_check);
        uv_prepare_start(&set->prepare, on_prepare);
        uv_unref((uv_handle_t *)&set->check);
        uv_unref((uv_handle_t *)&set->prepare);
}

void stream_set_close(struct stream_set *set, void (*closed)(struct stream_set *set)) {
        set->closed = closed;
        uv_close((uv_handle_t *)&set->check, on_own_closed);
        uv_close((uv_handle_t *)&set->prepare, on_own_closed);
        uv_close((uv_handle_t *)&set->idle, on_own_closed);
}

/* A stream. */

static bool is_over(const struct stream_sum *sum) {
        for (; sum; sum = sum->is_alone ? NULL : sum->also)
                if (sum->n > sum->max)
                        return true;
        return false;
}

/* One of them has n instead of *n_counted now. */
static void count(struct stream_sum *sum, size_t n, size_t *n_counted) {
        for (; sum; sum = sum->also)
                sum->n += n - *n_counted;
        *n_counted = n;
}

static bool is_crowded(const struct stream *stream) {
        return is_over(&stream->account->unsent);
}

/* When all together hold too much, each stream may hold only what is worth a write. */
static bool is_full(const struct stream *stream) {
        size_t n = stream_n_unsent(stream);

        return n > stream->max_out || (n > ROOM_BYTES && is_crowded(stream));
}

/* After every step that writes or sends. */
static void count_unsent(struct stream *stream) {
        size_t n = stream->is_closing ? 0 : stream_n_unsent(stream) + stream->n_held;

        count(&stream->account->unsent, n, &stream->n_counted);
}

/* After every step that reads or takes. */
static void count_untaken(struct stream *stream) {
        count(&stream->account->untaken, stream->is_closing ? 0 : stream->in.n,
              &stream->n_in_counted);
}

void stream_hold(struct stream *stream, size_t n) {
        stream->n_held = n;
        count_unsent(stream);
}

bool stream_is_greedy(const struct stream *stream) {
        return stream_n_unsent(stream) + stream->n_held > ROOM_BYTES && is_crowded(stream);
}

bool stream_has_room(const struct stream *stream) {
        return stream_n_unsent(stream) < ROOM_BYTES;
}

bool stream_turn_is_over(const struct stream *stream) {
        return clock_now_ns() >= stream->turn_end_ns;
}

void stream_flush_later(struct stream *stream) {
        if (stream->is_closing || list_is_linked(&stream->ready_link))
                return;
        if (stream->is_stuck)
                return; /* it leaves with what waits for room in the socket */
        list_append(&stream->set->ready, &stream->ready_link);
}

static void take_again_later(struct stream *stream) {
        if (stream->is_closing || list_is_linked(&stream->again_link))
                return;
        list_append(&stream->set->again, &stream->again_link);
        run(stream->set);
}

static void ended(struct stream *stream, int error) {
        if (stream->is_closing || (stream->has_ended && error == 0))
                return;
        stream->has_ended = true;
        stream->ops->ended(stream, error);
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void update_events(struct stream *stream) {
        int events = 0;

        if (stream->is_closing)
                return;
        if (!stream->is_at_end && !stream->is_stopped && !stream->has_lines)
                events |= UV_READABLE;
        if (stream->is_stuck)
                events |= UV_WRITABLE;
        if (!events && !stream->has_lines)
                events = UV_PRIORITIZED;
        if (events == stream->events)
                return;
        stream->events = events;
        if (events)
                uv_poll_start(&stream->poll, events, on_poll);
        else
                uv_poll_stop(&stream->poll);
}

/* Finds the first line that was not taken; `*ret_next` is where the one after it begins. */
static bool find_line(struct stream *stream, size_t *ret_n, size_t *ret_next) {
        const char *data = stream->in.data, *newline = NULL;

        if (stream->in_scanned < stream->in.n)
                newline =
                        memchr(data + stream->in_scanned, '\n', stream->in.n - stream->in_scanned);
        if (newline) {
                stream->in_scanned = (size_t)(newline - data);
                *ret_n = stream->in_scanned - stream->in_at;
                *ret_next = stream->in_scanned + 1;
                return true;
        }
        stream->in_scanned = stream->in.n;
        if (!stream->is_at_end || stream->in_at == stream->in.n)
                return false;
        *ret_n = stream->in.n - stream->in_at;
        *ret_next = stream->in.n;
        return true;
}

/* Takes one line; false: not done with it. */
static bool take_line(struct stream *stream, size_t n, size_t next) {
        stream->is_in_line = false;
        if (stream->is_skipping)
                stream->is_skipping = false;
        else if (n > stream->max_line)
                stream->ops->too_long(stream, stream->max_line);
        else if (!stream->ops->line(stream, stream->in.data + stream->in_at, n)) {
                stream->is_in_line = true;
                return false;
        }
        stream->in_at = stream->in_scanned = next;
        return true;
}

/* The beginning of a line waits for the rest, unless it is too long already. When all together hold
 * too much, it may have as much as comes with one read. */
static void keep_rest(struct stream *stream) {
        size_t n_max = stream->max_line > READ_BYTES && is_over(&stream->account->untaken)
                               ? READ_BYTES
                               : stream->max_line;

        if (!stream->is_skipping && stream->in.n - stream->in_at > n_max) {
                stream->is_skipping = true;
                stream->ops->too_long(stream, n_max);
        }
        rouse__buffer_consume(&stream->in, stream->is_skipping ? stream->in.n : stream->in_at);
        rouse__buffer_trim(&stream->in, KEEP_BYTES);
        stream->in_at = 0;
        stream->in_scanned = stream->in.n;
}

static void take_lines(struct stream *stream) {
        size_t n, next;
        bool is_done;

        if (stream->is_closing || stream->is_stopped)
                return;
        if (stream->set->awake)
                stream->set->awake(stream->set);
        stream->turn_end_ns = clock_now_ns() + stream->set->turn_ns;
        stream->is_blocked = false;
        while ((stream->has_lines = find_line(stream, &n, &next))) {
                if (is_full(stream)) {
                        stream->is_blocked = true;
                        break;
                }
                is_done = take_line(stream, n, next);
                count_unsent(stream);
                if (!is_done || stream_turn_is_over(stream)) {
                        take_again_later(stream);
                        break;
                }
                if (stream->is_closing || stream->is_stopped)
                        break;
        }
        if (stream->is_closing)
                return;
        if (stream->is_stopped)
                stream->has_lines = false;
        else if (!stream->has_lines)
                keep_rest(stream);
        count_untaken(stream);
        if (stream->is_at_end && !stream->has_lines)
                ended(stream, stream->is_deaf ? -EPIPE : 0);
        if (stream->out.n > 0)
                stream_flush_later(stream);
        update_events(stream);
}

static void read_some(struct stream *stream) {
        ssize_t n;

        if (!buffer_reserve(&stream->in, READ_BYTES)) {
                ended(stream, -ENOMEM);
                return;
        }
        n = recv(stream->fd, stream->in.data + stream->in.n, stream->in.size - stream->in.n, 0);
        if (n > 0)
                stream->in.n += (size_t)n;
        else if (n == 0)
                stream->is_at_end = true;
        else if (errno != EAGAIN && errno != EINTR)
                stream->is_at_end = stream->is_deaf = true;
        take_lines(stream);
}

/* Who does not listen is not written to; what he says counts all the same. */
static void become_deaf(struct stream *stream) {
        stream->is_deaf = true;
        if ((stream->is_at_end || stream->is_stopped) && !stream->has_lines)
                ended(stream, -EPIPE);
}

static void discard_sent(struct stream *stream) {
        if (stream->is_deaf)
                stream_fds_clear(&stream->fds);
        if (stream->out_at == stream->out.n || stream->is_deaf)
                stream->out.n = stream->out_at = 0;
        if (stream->out_at > MOVE_BYTES && stream->out_at > stream->out.n / 2) {
                rouse__buffer_consume(&stream->out, stream->out_at);
                stream_fds_move(&stream->fds, stream->out_at);
                stream->out_at = 0;
        }
        rouse__buffer_trim(&stream->out, KEEP_BYTES);
}

static void send_some(struct stream *stream) {
        size_t n_part;
        ssize_t n;

        do {
                if (stream_n_unsent(stream) == 0 || stream->is_deaf)
                        return;
                n = stream_fds_send(&stream->fds, stream->fd, &stream->out, stream->out_at,
                                    &n_part);
                if (n >= 0)
                        stream->out_at += (size_t)n;
                else if (n != -EAGAIN && n != -EINTR)
                        become_deaf(stream);
        } while (n >= 0 && (size_t)n == n_part);
}

static void flush(struct stream *stream) {
        bool more = stream->ops->fill;

        if (stream->is_closing)
                return;
        if (more && stream_has_room(stream))
                more = stream->ops->fill(stream);
        if (stream->out.failed) {
                ended(stream, -ENOMEM);
                return;
        }
        send_some(stream);
        if (stream->is_closing)
                return;
        discard_sent(stream);
        stream->is_stuck = stream_n_unsent(stream) > 0;
        count_unsent(stream);
        if (stream->is_blocked && stream_n_unsent(stream) <= stream->max_out / 2)
                take_again_later(stream);
        update_events(stream);
        if (stream_n_unsent(stream) > 0)
                return;
        if (more)
                stream_flush_later(stream);
        else
                stream->ops->drained(stream);
}

static void on_poll(uv_poll_t *poll, int status, int events) {
        struct stream *stream = container_of(poll, struct stream, poll);

        /* An error says that the other end is gone, with answers unread; libuv has stopped polling
         * then. What it sent before is still there, in the socket or in `in`: lines that wait for
         * room in `out` go on when flush() has thrown away what nobody will read. */
        if (status < 0) {
                events = stream->events & UV_READABLE;
                stream->events = 0;
                become_deaf(stream);
                if (!events)
                        flush(stream);
        }
        if (events & UV_WRITABLE)
                flush(stream);
        if (events & UV_READABLE && !stream->is_closing)
                read_some(stream);
        if (events & UV_PRIORITIZED && !stream->is_closing)
                ended(stream, -EPIPE);
}

int stream_init_consume_fd(struct stream *stream, struct stream_set *set,
                           struct stream_account *account, int fd, const struct stream_ops *ops,
                           size_t max_line, size_t max_out) {
        int r;

        *stream = (struct stream){
                .set = set,
                .account = account ?: &set->all,
                .ops = ops,
                .fd = fd,
                .max_line = max_line,
                .max_out = max_out,
        };
        list_init(&stream->ready_link);
        list_init(&stream->again_link);
        list_init(&stream->fds.queue);
        r = uv_poll_init(set->check.loop, &stream->poll, fd);
        if (r < 0) {
                stream->fd = close_fd(fd);
                return r;
        }
        set->n_open++;
        update_events(stream);
        return 0;
}

static void on_closed(uv_handle_t *handle) {
        struct stream *stream = container_of((uv_poll_t *)handle, struct stream, poll);
        struct stream_set *set = stream->set;

        rouse__buffer_deinit(&stream->in);
        rouse__buffer_deinit(&stream->out);
        stream->ops->closed(stream);
        set_handle_closed(set);
}

void stream_close(struct stream *stream) {
        if (stream->is_closing)
                return;
        stream->is_closing = true;
        count_unsent(stream);
        count_untaken(stream);
        list_remove(&stream->ready_link);
        list_remove(&stream->again_link);
        uv_close((uv_handle_t *)&stream->poll, on_closed);
        stream->fd = close_fd(stream->fd);
        stream_fds_clear(&stream->fds);
}

int stream_pass_consume_fds(struct stream *stream, size_t at, const int fds[STREAM_N_FDS]) {
        return stream_fds_add_consume(&stream->fds, at, fds);
}

void stream_stop_reading(struct stream *stream) {
        size_t n, next;

        stream->is_stopped = true;
        if (stream->is_in_line && find_line(stream, &n, &next))
                (void)take_line(stream, n, next);
        stream->has_lines = false;
        list_remove(&stream->again_link);
        update_events(stream);
}
