/*
 * A binary heap of pointers, each deadline knowing its place in it, and one uv_timer_t set for the
 * root. A handle without limits costs nothing here, and one with some costs a pointer while it
 * waits.
 *
 * libuv's timers count milliseconds of a clock that is read once a turn, so the timer is set for
 * the millisecond after the deadline; it fires late by up to one, never early.
 *
 * Those that are due are moved out of the heap before the first is called, so that a deadline that
 * is set for now inside a callback comes at the next turn of the loop and input is not starved.
 */

#include "daemon/deadline.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/clock.h"

struct deadline_queue {
        struct deadline **heap; /* [1] is the root */
        size_t n, n_room;
        struct deadline **due; /* those being called; n_room entries, too */
        size_t n_due;
        deadline_clock_fn clock;
        bool is_monotonic;
        uint64_t armed_ns; /* what the timer is set for; UINT64_MAX: not set */
        bool has_timer;
        bool is_in_timer; /* its callback runs */
        bool is_closing;
        uv_timer_t timer;
};

/* Marks a deadline's index as a place in `due`. */
#define DUE_BIT 0x80000000U

static void on_timer(uv_timer_t *timer);

static void arm(struct deadline_queue *queue) {
        uint64_t at_ns = queue->n ? queue->heap[1]->at_ns : UINT64_MAX;
        uint64_t now_ns, ms;

        if (!queue->has_timer || queue->is_closing || at_ns == queue->armed_ns)
                return;
        queue->armed_ns = at_ns;
        if (at_ns == UINT64_MAX) {
                uv_timer_stop(&queue->timer);
                return;
        }
        now_ns = queue->clock();
        ms = at_ns > now_ns ? (at_ns - now_ns) / NS_PER_MS + 1 : 0;
        /* In its callback libuv 1.44 would call it again at once, and so on for as long as what is
         * due waits for something that comes from a poll. */
        if (ms == 0 && queue->is_in_timer)
                ms = 1;
        /* The loop's idea of now may be old by the time that this turn's callbacks took. */
        uv_update_time(queue->timer.loop);
        uv_timer_start(&queue->timer, on_timer, ms, 0);
}

static void on_timer(uv_timer_t *timer) {
        struct deadline_queue *queue = timer->data;

        queue->armed_ns = UINT64_MAX;
        queue->is_in_timer = true;
        deadline_run(queue);
        queue->is_in_timer = false;
}

int deadline_queue_new(uv_loop_t *loop, deadline_clock_fn clock, struct deadline_queue **ret) {
        struct deadline_queue *queue = calloc(1, sizeof(*queue));
        int r;

        if (!queue)
                return -ENOMEM;
        queue->clock = clock ?: clock_now_ns;
        queue->is_monotonic = !clock;
        queue->armed_ns = UINT64_MAX;
        if (loop) {
                r = uv_timer_init(loop, &queue->timer);
                if (r < 0) {
                        free(queue);
                        return r;
                }
                uv_unref((uv_handle_t *)&queue->timer);
                queue->timer.data = queue;
                queue->has_timer = true;
        }
        *ret = queue;
        return 0;
}

static void queue_free(struct deadline_queue *queue) {
        free(queue->heap);
        free(queue->due);
        free(queue);
}

static void on_timer_closed(uv_handle_t *handle) {
        queue_free(handle->data);
}

struct deadline_queue *deadline_queue_close(struct deadline_queue *queue) {
        if (!queue)
                return NULL;
        while (queue->n)
                deadline_clear(queue, queue->heap[queue->n]);
        queue->is_closing = true;
        if (queue->has_timer)
                uv_close((uv_handle_t *)&queue->timer, on_timer_closed);
        else
                queue_free(queue);
        return NULL;
}

uint64_t deadline_now(const struct deadline_queue *queue) {
        return queue->clock();
}

bool deadline_is_monotonic(const struct deadline_queue *queue) {
        return queue->is_monotonic;
}

uint64_t deadline_next_ns(const struct deadline_queue *queue) {
        return queue->n ? queue->heap[1]->at_ns : UINT64_MAX;
}

static void put(struct deadline_queue *queue, size_t place, struct deadline *deadline) {
        queue->heap[place] = deadline;
        deadline->index = (uint32_t)place;
}

/* Moves the one at `place` to where it belongs. */
static void sift(struct deadline_queue *queue, size_t place) {
        struct deadline *deadline = queue->heap[place];

        for (; place > 1 && queue->heap[place / 2]->at_ns > deadline->at_ns; place /= 2)
                put(queue, place, queue->heap[place / 2]);
        for (size_t child; (child = place * 2) <= queue->n; place = child) {
                if (child < queue->n && queue->heap[child + 1]->at_ns < queue->heap[child]->at_ns)
                        child++;
                if (queue->heap[child]->at_ns >= deadline->at_ns)
                        break;
                put(queue, place, queue->heap[child]);
        }
        put(queue, place, deadline);
}

int deadline_reserve(struct deadline_queue *queue, size_t n) {
        struct deadline **heap, **due;
        size_t n_room = queue->n_room ?: 16;

        if (n + 1 <= queue->n_room)
                return 0;
        while (n_room < n + 1)
                n_room *= 2;
        if (n_room >= DUE_BIT)
                return -ENOMEM;
        heap = realloc(queue->heap, n_room * sizeof(struct deadline *));
        if (!heap)
                return -ENOMEM;
        queue->heap = heap;
        due = realloc(queue->due, n_room * sizeof(struct deadline *));
        if (!due)
                return -ENOMEM;
        queue->due = due;
        queue->n_room = n_room;
        return 0;
}

/* Takes it out of the heap or of those that are due. */
static void unlink_deadline(struct deadline_queue *queue, struct deadline *deadline) {
        size_t place = deadline->index;

        deadline->index = 0;
        if (place & DUE_BIT) {
                queue->due[place & ~DUE_BIT] = NULL;
                return;
        }
        if (place == 0)
                return;
        if (place == queue->n) {
                queue->n--;
                return;
        }
        put(queue, place, queue->heap[queue->n--]);
        sift(queue, place);
}

int deadline_set(struct deadline_queue *queue, struct deadline *deadline, uint64_t at_ns,
                 deadline_cb cb) {
        int r;

        if (at_ns == UINT64_MAX) {
                deadline_clear(queue, deadline);
                return 0;
        }
        deadline->cb = cb;
        if (deadline->index && !(deadline->index & DUE_BIT)) {
                if (deadline->at_ns == at_ns)
                        return 0;
                deadline->at_ns = at_ns;
                sift(queue, deadline->index);
                arm(queue);
                return 0;
        }
        r = deadline_reserve(queue, queue->n + 1);
        if (r < 0)
                return r;
        unlink_deadline(queue, deadline);
        deadline->at_ns = at_ns;
        put(queue, ++queue->n, deadline);
        sift(queue, queue->n);
        arm(queue);
        return 0;
}

void deadline_clear(struct deadline_queue *queue, struct deadline *deadline) {
        if (!deadline->index)
                return;
        unlink_deadline(queue, deadline);
        arm(queue);
}

void deadline_run(struct deadline_queue *queue) {
        uint64_t now_ns = queue->clock();

        queue->n_due = 0;
        while (queue->n && queue->heap[1]->at_ns <= now_ns) {
                struct deadline *deadline = queue->heap[1];

                unlink_deadline(queue, deadline);
                deadline->index = (uint32_t)queue->n_due | DUE_BIT;
                queue->due[queue->n_due++] = deadline;
        }
        for (size_t i = 0; i < queue->n_due; i++) {
                struct deadline *deadline = queue->due[i];

                if (!deadline)
                        continue;
                unlink_deadline(queue, deadline);
                deadline->cb(deadline, now_ns);
                if (queue->is_closing)
                        return;
        }
        queue->n_due = 0;
        arm(queue);
}
