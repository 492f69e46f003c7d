/*
 * A wait watches its handles until each has woken, or run, for the ticket it waits for; then it
 * answers its call and is gone. It ends in an error when its time is over, when a handle is closed
 * or loses the action whose run is waited for, or when the daemon stops; and without an answer when
 * its client is gone.
 *
 * A run covers a ticket if the last wake before it began is not earlier than the ticket's: so it
 * began after the send.
 *
 * Invariants: a wait is answered once, and its memory goes with the answer; it has a watch on each
 * handle that is not done, and on no other. Its call stands for LIMIT_IN_FLIGHT as often as it has
 * items, which bounds the watches, and what runs complained of.
 */

#include "daemon/wait.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/access.h"
#include "daemon/client.h"
#include "daemon/json-write.h"
#include "daemon/rpc-call.h"
#include "daemon/rpc-error.h"
#include "lib/clock.h"

struct wait *wait_new(size_t n) {
        struct wait *wait = calloc(1, sizeof(*wait) + n * sizeof(*wait->items));

        if (!wait)
                return NULL;
        wait->n_items = wait->n_left = n;
        for (size_t i = 0; i < n; i++)
                wait->items[i].wait = wait;
        return wait;
}

struct wait *wait_free(struct wait *wait) {
        if (!wait)
                return NULL;
        for (size_t i = 0; i < wait->n_items; i++) {
                handle_watch_remove(&wait->items[i].watch);
                free(wait->items[i].complaint);
        }
        if (wait->deadlines)
                deadline_clear(wait->deadlines, &wait->deadline);
        free(wait);
        return NULL;
}

static void on_cancelled(void *arg) {
        wait_free(arg);
}

bool wait_begin(struct wait *wait, struct rpc_call *call) {
        wait->call = rpc_call_defer(call, wait->n_items, on_cancelled, wait);
        if (!wait->call) {
                wait_free(wait);
                return false;
        }
        wait->deadlines = client_of(call)->set->deadlines;
        return true;
}

static void item_done(struct wait_item *item) {
        struct wait *wait = item->wait;

        handle_watch_remove(&item->watch);
        item->is_done = true;
        if (--wait->n_left > 0)
                return;
        wait->write(rpc_result_begin(wait->call), wait);
        rpc_result_end(wait->call);
        wait_free(wait);
}

static void on_wake(struct handle_watch *watch, uint64_t seq, uint64_t n_sends) {
        struct wait_item *item = container_of(watch, struct wait_item, watch);

        if (seq < item->receipt.ticket || item->has_wake)
                return;
        item->has_wake = true;
        item->seq = seq;
        item->n_sends = n_sends;
        if (!item->wait->for_run)
                item_done(item);
}

/* What a run wrote is for those who may read: the right to send, which let them wait, is another.
 */
static char *copy_complaint(const struct wait *wait, const struct handle *handle) {
        const char *complaint = handle_last_complaint(handle);

        if (!complaint || !client_may(client_of(wait->call), handle, ACCESS_READ))
                return NULL;
        return strdup(complaint); /* without memory it is told without */
}

static void on_run_ended(struct handle_watch *watch, const struct run_result *result) {
        struct wait_item *item = container_of(watch, struct wait_item, watch);

        if (!item->wait->for_run || result->seq < item->receipt.ticket)
                return;
        item->run = *result;
        item->complaint = copy_complaint(item->wait, watch->handle);
        item_done(item);
}

static void write_ticket(struct buffer *out, const struct wait_item *item) {
        json_write_key(out, "name");
        json_write_string(out, handle_name(item->watch.handle));
        json_write_key(out, "ticket");
        json_write_u64(out, item->receipt.ticket);
}

/* No send is taken back: whoever sent to several can go on waiting for each of them. */
static void write_tickets(struct buffer *out, const struct wait *wait) {
        if (!wait->is_list)
                return;
        json_write_key(out, "tickets");
        json_write_open(out, '[');
        for (size_t i = 0; i < wait->n_items; i++)
                json_write_u64(out, wait->items[i].receipt.ticket);
        json_write_close(out, ']');
}

static void fail_item(struct wait_item *item, const struct rpc_error *error, const char *what) {
        struct wait *wait = item->wait;
        struct buffer *out = rpc_fail_begin(wait->call, error, "\"%s\" %s",
                                            handle_name(item->watch.handle), what);

        write_ticket(out, item);
        write_tickets(out, wait);
        rpc_fail_end(wait->call);
        wait_free(wait);
}

static void on_closed(struct handle_watch *watch) {
        fail_item(container_of(watch, struct wait_item, watch), &rpc_closed, "was closed");
}

static void on_action_gone(struct handle_watch *watch) {
        struct wait_item *item = container_of(watch, struct wait_item, watch);

        if (item->wait->for_run)
                fail_item(item, &rpc_no_action, "has no action any more");
}

static const struct handle_watch_ops watch_ops = {
        .wake = on_wake,
        .run_ended = on_run_ended,
        .action_gone = on_action_gone,
        .closed = on_closed,
};

void wait_for(struct wait *wait, size_t i, struct handle *handle) {
        handle_watch_add(handle, &wait->items[i].watch, &watch_ops);
}

/* `data` says what is still waited for, so that the client can go on waiting by ticket. */
static void fail_timeout(struct wait *wait) {
        const struct wait_item *item = wait->items;
        struct buffer *out;

        while (item->is_done)
                item++;
        out = rpc_fail_begin(wait->call, &rpc_timeout, "\"%s\" did not %s in time",
                             handle_name(item->watch.handle), wait->for_run ? "run" : "wake");
        write_ticket(out, item);
        write_tickets(out, wait);
        if (wait->is_list) {
                json_write_key(out, "waiting");
                json_write_open(out, '[');
                for (; item < wait->items + wait->n_items; item++) {
                        if (item->is_done)
                                continue;
                        json_write_open(out, '{');
                        write_ticket(out, item);
                        json_write_close(out, '}');
                }
                json_write_close(out, ']');
        }
        rpc_fail_end(wait->call);
        wait_free(wait);
}

static void on_deadline(struct deadline *deadline, uint64_t now_ns) {
        (void)now_ns;
        fail_timeout(container_of(deadline, struct wait, deadline));
}

void wait_until(struct wait *wait, const uint64_t *timeout_ms) {
        uint64_t now_ns, timeout_ns;
        struct rpc_call *call = wait->call;

        if (!timeout_ms)
                return;
        now_ns = deadline_now(wait->deadlines);
        if (__builtin_mul_overflow(*timeout_ms, NS_PER_MS, &timeout_ns) ||
            timeout_ns >= UINT64_MAX - now_ns)
                return; /* in centuries */
        if (deadline_set(wait->deadlines, &wait->deadline, now_ns + timeout_ns, on_deadline) == 0)
                return;
        wait_free(wait);
        rpc_fail_errno(call, -ENOMEM);
}
