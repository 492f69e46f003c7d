/* A call that is answered when wakes, or runs, have come. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/deadline.h"
#include "daemon/handle.h"

struct buffer;
struct rpc_call;
struct wait;

/* One handle that is waited for. */
struct wait_item {
        struct wait *wait;
        struct handle_watch watch;
        struct handle_receipt receipt; /* the ticket that is to be covered */
        bool has_wake, is_done;
        uint64_t seq, n_sends; /* of the first wake that covers it */
        struct run_result run; /* of the first run that covers it */
        char *complaint;       /* of that run, for one who may read it; owned; or NULL */
};

struct wait {
        struct rpc_call *call; /* which is answered later */
        bool for_run;
        /* Writes the result once all items are done. */
        void (*write)(struct buffer *out, const struct wait *wait);
        struct deadline_queue *deadlines;
        struct deadline deadline;
        bool is_list; /* answers an array */
        size_t n_items, n_left;
        struct wait_item items[];
};

/* Room for n items; the caller sets `write`, and what else its result depends on. NULL: no memory.
 */
struct wait *wait_new(size_t n);
struct wait *wait_free(struct wait *wait); /* accepts and returns NULL */

/* Makes `call` wait. Its items are given next, by wait_for(), within the same step of the loop. On
 * failure it was answered, and `wait` is freed. */
bool wait_begin(struct wait *wait, struct rpc_call *call);
/* Waits for the ticket in the receipt of the item at `i`. */
void wait_for(struct wait *wait, size_t i, struct handle *handle);
/* After the last item: sets the time that it may take (NULL: any). The wait may be gone
 * afterwards. */
void wait_until(struct wait *wait, const uint64_t *timeout_ms);
