/* Many deadlines on one timer of the loop. Loop thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct deadline;
struct deadline_queue;

typedef void (*deadline_cb)(struct deadline *deadline, uint64_t now_ns);
/* A clock of a test's own, in place of the monotonic one. */
typedef uint64_t (*deadline_clock_fn)(void);

/* Embedded by its owner, who removes it before its memory goes. Zeroed: not set. */
struct deadline {
        uint64_t at_ns;
        deadline_cb cb;
        uint32_t index; /* in the heap, from 1; 0: not set */
};

/* The timer does not keep the loop alive. loop NULL: no timer, deadline_run() is called by hand.
 * clock NULL: the monotonic one. */
int deadline_queue_new(uv_loop_t *loop, deadline_clock_fn clock, struct deadline_queue **ret);
/* Forgets what is set; the memory goes when the loop has closed the timer. Returns NULL. */
struct deadline_queue *deadline_queue_close(struct deadline_queue *queue);

uint64_t deadline_now(const struct deadline_queue *queue);
/* Whether it goes by the monotonic clock, so that a reading of that by somebody else will do. */
bool deadline_is_monotonic(const struct deadline_queue *queue);
/* Sets, or moves; UINT64_MAX clears. 0, or -ENOMEM when it was not set before: reserve avoids that.
 */
int deadline_set(struct deadline_queue *queue, struct deadline *deadline, uint64_t at_ns,
                 deadline_cb cb);
void deadline_clear(struct deadline_queue *queue, struct deadline *deadline); /* may be repeated */
/* Room for n deadlines, so that deadline_set() cannot fail with up to n of them. */
int deadline_reserve(struct deadline_queue *queue, size_t n);
/* Calls what is due. A deadline that a callback sets waits for the next call, even if it is due. */
void deadline_run(struct deadline_queue *queue);
/* The earliest, or UINT64_MAX. */
uint64_t deadline_next_ns(const struct deadline_queue *queue);
