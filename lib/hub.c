/*
 * A hub: one pending list and one doorbell for all handles of a loop.
 *
 * Senders push handles on a lock-free stack; a handle is on it at most once, because only who makes
 * it pending pushes it. In the loop's check phase, after i/o, a pass takes the whole stack with one
 * exchange, turns it round, and wakes handle by handle. What is sent meanwhile goes to the new
 * stack. What callbacks have sent waits there for the next pass, so they cannot keep i/o from its
 * turn; and a pass costs what was pending, however many handles there are.
 *
 * Sends of the loop thread itself go to a queue beside it, the loopside, which costs no atomic
 * read-modify-write. First sent, first woken, holds for both together: the queue is appended to
 * only while the stack is empty, so all that is in it came before all that is on the stack, and a
 * pass takes it first.
 *
 * The doorbell is an eventfd under uv_poll and not a uv_async_t, which waits for preempted senders
 * in libuv 1.44. It is armed whenever this thread is not known to be awake, also outside of
 * uv_run(), so that programs which watch uv_backend_fd() from another loop are woken too. While it
 * is not armed, something must come that looks at the list before the loop sleeps: the end of the
 * pass, or a uv_idle, which makes libuv poll without waiting and takes it to its prepare and check
 * phases. See doorbell.c for why nothing is lost between the look and the sleep.
 *
 * All libuv handles are unreferenced but for the uv_poll, which stands for everything that keeps
 * the loop alive.
 *
 * The hub's memory is counted, because a sender looks at the doorbell after its push, when the loop
 * may have seen to everything and closed the hub already. Each handle has a share, so that whoever
 * has a handle may send.
 */

#include "lib/hub.h"

#include <stdlib.h>

#include "lib/async.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/ending.h"

/* A pass that has had fewer wakes looks again for what other threads have sent meanwhile, which
 * saves them a turn of the loop. Not if a callback has sent: that waits for the next pass. */
#define WAKES_PER_PASS 64

/* A loop thread that has sent to so many since the last pass is likely to go on: the loop makes one
 * more turn before it sleeps, and sends in it need neither a doorbell nor a clock of their own. */
#define LIVELY_SENDS 16

/* Threads that send without a pause would have the loop sleep and ring it awake for each wake,
 * which takes longer than all else. After a wake that covered many sends it makes some turns more.
 */
#define HAMMERED_SENDS 16
#define HAMMERED_TURNS 32

/* While it does not sleep, it has a look at what was not to be seen on stripes after so many. */
#define PASSES_PER_CHECK 32

_Thread_local char rouse__this_thread;

/* Someone who goes through the open handles, which may close under him. */
struct walk {
        struct list link;
        struct list *next; /* the next to visit; the head: none */
        struct list *last; /* the last to visit */
};

void rouse__hub_ref(struct rouse_hub *hub) {
        /* Relaxed: the caller has a share, or is the loop thread before the hub is closed. */
        atomic_fetch_add_explicit(&hub->n_refs, 1, memory_order_relaxed);
}

void rouse__hub_unref(struct rouse_hub *hub) {
        /* Release: our use of the hub comes before. Acquire: the freeing comes after all uses. */
        if (atomic_fetch_sub_explicit(&hub->n_refs, 1, memory_order_acq_rel) != 1)
                return;
        rouse__stripes_deinit(&hub->stripes);
        rouse__pool_deinit(&hub->pool);
        rouse__pools_deinit(&hub->named);
        free(hub);
}

uint64_t rouse__hub_read_clock(struct rouse_hub *hub) {
        uint64_t now_ns = clock_now_ns();

        if (hub->n_lively > 0)
                atomic_store_explicit(&hub->now_ns, now_ns, memory_order_relaxed);
        return now_ns;
}

void rouse__hub_give_room(struct rouse_hub *hub, size_t n_bytes, void *owner) {
        hub->n_room = n_bytes;
        hub->owner = owner;
        hub->names.n_ahead = n_bytes + sizeof(struct rouse_async);
}

static void push(struct rouse_hub *hub, struct rouse_async *async) {
        /* Relaxed: only the exchange below decides. */
        struct rouse_async *head = atomic_load_explicit(&hub->pending, memory_order_relaxed);

        do
                async->next = head;
        /* Seq_cst: S1 of the doorbell's proof. It also releases `next` to the loop. A pointer that
         * went and came again does no harm, because the loop takes all or nothing. */
        while (!atomic_compare_exchange_weak_explicit(&hub->pending, &head, async,
                                                      memory_order_seq_cst, memory_order_relaxed));
}

void rouse__hub_post(struct rouse_hub *hub, struct rouse_async *async) {
        push(hub, async);
        rouse__doorbell_ring(&hub->bell);
}

static bool is_idle(const struct rouse_hub *hub, memory_order order) {
        return rouse__loopside_is_empty(&hub->loopside) && !rouse__hub_is_pending(hub, order);
}

/* All that is on the stack, first sent first. */
static struct rouse_async *take(struct rouse_hub *hub) {
        struct rouse_async *stack, *queue = NULL;

        /* Relaxed: what comes now may wait. */
        if (!rouse__hub_is_pending(hub, memory_order_relaxed))
                return NULL;
        /* Acquire: the handles' `next` and `first_ns` were written before they were pushed. */
        stack = atomic_exchange_explicit(&hub->pending, NULL, memory_order_acquire);
        while (stack) {
                struct rouse_async *async = stack;

                stack = async->next;
                async->next = queue;
                queue = async;
                /* The callback's data lies in the next line of the cache. */
                __builtin_prefetch(&async->data);
        }
        return queue;
}

void rouse__hub_expect(struct rouse_hub *hub, uint64_t n_sends) {
        if (n_sends >= HAMMERED_SENDS)
                hub->n_lively = HAMMERED_TURNS;
}

void rouse__hub_hold(struct rouse_hub *hub) {
        if (hub->n_holds > 0 || hub->is_closing || !list_is_empty(&hub->endings))
                uv_ref((uv_handle_t *)&hub->poll);
        else
                uv_unref((uv_handle_t *)&hub->poll);
}

static void on_idle(uv_idle_t *idle) {
        (void)idle; /* that it is started is all */
}

void rouse__hub_stir(struct rouse_hub *hub) {
        if (!hub->is_ended)
                uv_idle_start(&hub->idle, on_idle);
}

static void on_uv_closed(uv_handle_t *handle) {
        struct rouse_hub *hub = handle->data;
        rouse_hub_close_cb cb = hub->close_cb;
        void *arg = hub->close_arg;

        if (--hub->n_open_uv > 0)
                return;
        rouse__doorbell_close(&hub->bell);
        rouse__names_deinit(&hub->names);
        rouse__hub_unref(hub);
        if (cb)
                cb(arg);
}

/* Nothing is left but the libuv handles. */
static void end(struct rouse_hub *hub) {
        hub->is_ended = true;
        uv_close((uv_handle_t *)&hub->poll, on_uv_closed);
        uv_close((uv_handle_t *)&hub->check, on_uv_closed);
        uv_close((uv_handle_t *)&hub->prepare, on_uv_closed);
        uv_close((uv_handle_t *)&hub->idle, on_uv_closed);
}

/* Sees to what threads have counted on stripes and this one has not seen. */
static void check_stripes(struct rouse_hub *hub) {
        if (hub->stripes.unchecked == 0 ||
            (hub->n_lively > 0 && ++hub->n_passes % PASSES_PER_CHECK != 0))
                return;
        rouse__stripes_check(&hub->stripes, rouse__async_nudge);
}

/* Leaves the loop so that it may sleep, or so that it will not. The bell is not armed. */
static void settle(struct rouse_hub *hub) {
        bool is_busy = hub->n_lively > 0 || rouse__endings_are_due(&hub->endings);

        check_stripes(hub);
        atomic_store_explicit(&hub->now_ns, 0, memory_order_relaxed);
        if (hub->is_closing && hub->n_limbo == 0 && list_is_empty(&hub->endings)) {
                /* No handle can be pushed any more. The bell stays disarmed for good; if a ring is
                 * due yet, it wakes the loop, and we come here again. */
                if (hub->bell.n_due == 0)
                        end(hub);
                else
                        uv_idle_stop(&hub->idle);
                return;
        }
        if (!is_busy) {
                rouse__doorbell_arm(&hub->bell);
                /* L2 of the doorbell's proof. */
                is_busy = !is_idle(hub, memory_order_seq_cst);
        }
        if (is_busy) {
                rouse__doorbell_disarm(&hub->bell);
                rouse__hub_stir(hub);
        } else {
                uv_idle_stop(&hub->idle);
        }
}

/* Wakes what this thread has sent until now, then what others have. Returns how many that were. */
static size_t wake_pending(struct rouse_hub *hub) {
        struct rouse_async *queue = take(hub);
        size_t n = rouse__async_wake_loopside(hub);

        while (queue) {
                struct rouse_async *async = queue;

                queue = async->next;
                rouse__async_wake(async, rouse__hub_wake_time(hub, n++));
        }
        return n;
}

/* Wakes what is pending. The bell is disarmed throughout, so nobody rings for what the end of the
 * pass will find anyway; and the eventfd is read after the callbacks, to have them start early. */
static void pass(struct rouse_hub *hub) {
        struct loopside *side = &hub->loopside;
        size_t n;

        hub->is_passing = true;
        rouse__doorbell_disarm(&hub->bell);
        rouse__loopside_guard(side);
        if (hub->n_lively > 0)
                hub->n_lively--;
        if (side->tail - side->head >= LIVELY_SENDS)
                hub->n_lively = 1;
        side->has_passed_by = false;
        n = wake_pending(hub);
        /* Relaxed: settle() looks again. */
        while (n < WAKES_PER_PASS && !side->has_passed_by && rouse__loopside_is_empty(side) &&
               hub->n_lively == 0 && rouse__hub_is_pending(hub, memory_order_relaxed))
                n += wake_pending(hub);
        rouse__loopside_unguard(side);
        if (!list_is_empty(&hub->endings)) {
                rouse__endings_run(&hub->endings);
                rouse__hub_hold(hub);
        }
        rouse__doorbell_answer(&hub->bell);
        hub->is_passing = false;
        settle(hub);
}

static void on_check(uv_check_t *check) {
        struct rouse_hub *hub = check->data;

        /* Armed, nothing pending and no ring due, nor any other: whoever sends now rings. Acquire,
         * so that after a ring the push before it is seen. */
        if (hub->bell.is_armed && hub->bell.n_due == 0 && !hub->bell.is_ringing &&
            list_is_empty(&hub->endings) && is_idle(hub, memory_order_acquire))
                return;
        pass(hub);
}

static void on_prepare(uv_prepare_t *prepare) {
        struct rouse_hub *hub = prepare->data;

        /* The last chance before the loop sleeps, after timers' callbacks which used
         * rouse_hub_awake(). */
        if (!hub->bell.is_armed)
                settle(hub);
}

static void on_ring(uv_poll_t *poll, int status, int events) {
        struct rouse_hub *hub = poll->data;

        /* The check phase, which follows, does the work, rung for or not. */
        hub->bell.is_ringing = true;
        (void)status;
        (void)events;
}

static struct rouse_hub *hub_alloc(void) {
        void *hub;

        if (posix_memalign(&hub, CACHE_LINE, sizeof(struct rouse_hub)) != 0)
                return NULL;
        return hub;
}

int rouse_hub_create(uv_loop_t *loop, rouse_hub_t **ret_hub) {
        struct rouse_hub *hub = hub_alloc();
        int r;

        if (!hub)
                return UV_ENOMEM;
        *hub = (struct rouse_hub){
                .thread = &rouse__this_thread,
                .n_refs = 1,
                .n_open_uv = 4,
        };
        r = rouse__doorbell_open(&hub->bell);
        if (r < 0) {
                free(hub);
                return r;
        }
        r = uv_poll_init(loop, &hub->poll, hub->bell.fd);
        if (r < 0) {
                rouse__doorbell_close(&hub->bell);
                free(hub);
                return r;
        }
        list_init(&hub->handles);
        list_init(&hub->walks);
        list_init(&hub->endings);
        rouse__names_init(&hub->names);
        rouse__pool_init(&hub->pool, sizeof(struct rouse_async));
        rouse__pools_init(&hub->named);
        rouse__hub_give_room(hub, 0, NULL);
        uv_check_init(loop, &hub->check);
        uv_prepare_init(loop, &hub->prepare);
        uv_idle_init(loop, &hub->idle);
        hub->poll.data = hub->check.data = hub->prepare.data = hub->idle.data = hub;
        uv_unref((uv_handle_t *)&hub->poll);
        uv_unref((uv_handle_t *)&hub->check);
        uv_unref((uv_handle_t *)&hub->prepare);
        uv_unref((uv_handle_t *)&hub->idle);
        uv_check_start(&hub->check, on_check);
        uv_prepare_start(&hub->prepare, on_prepare);
        r = uv_poll_start(&hub->poll, UV_READABLE, on_ring);
        if (r < 0) {
                end(hub);
                return r;
        }
        *ret_hub = hub;
        return 0;
}

int rouse_hub_close(rouse_hub_t *hub, rouse_hub_close_cb cb, void *arg) {
        struct list *link;

        if (!rouse__hub_is_here(hub))
                return UV_EPERM;
        if (hub->is_closing)
                return UV_EBADF;
        hub->is_closing = true;
        hub->close_cb = cb;
        hub->close_arg = arg;
        while ((link = list_first(&hub->handles)))
                rouse_async_close(container_of(link, struct rouse_async, link));
        rouse__hub_hold(hub);
        if (!hub->is_passing) {
                rouse__doorbell_disarm(&hub->bell);
                settle(hub);
        }
        return 0;
}

void rouse__hub_remove(struct rouse_hub *hub, struct list *link) {
        list_for_each (it, &hub->walks) {
                struct walk *walk = container_of(it, struct walk, link);

                if (walk->last == link) {
                        /* Before it there is the new last one, if that is not visited yet. */
                        if (walk->next == link)
                                walk->next = &hub->handles;
                        else
                                walk->last = link->prev;
                } else if (walk->next == link) {
                        walk->next = link->next;
                }
        }
        list_remove(link);
}

rouse_async_t *rouse_hub_find(rouse_hub_t *hub, const char *name) {
        struct rouse__name *found;
        struct rouse_async *async;
        struct rouse__text text;

        if (!name || !rouse__hub_is_here(hub))
                return NULL;
        text = rouse__text(name);
        found = rouse__names_find(&hub->names, text, rouse__names_hash(&hub->names, text));
        if (!found)
                return NULL;
        async = rouse__async_from_name(found);
        return rouse__handle_is_held(&async->handle) ? async : NULL;
}

void rouse_hub_each(rouse_hub_t *hub, rouse_async_each_cb cb, void *arg) {
        struct walk walk;

        if (!rouse__hub_is_here(hub))
                return;
        walk.next = hub->handles.next;
        walk.last = hub->handles.prev;
        list_append(&hub->walks, &walk.link);
        while (walk.next != &hub->handles) {
                struct list *link = walk.next;
                struct rouse_async *async = container_of(link, struct rouse_async, link);

                walk.next = link == walk.last ? &hub->handles : link->next;
                if (rouse__handle_is_held(&async->handle))
                        cb(async, arg);
        }
        list_remove(&walk.link);
}

void rouse_hub_awake(rouse_hub_t *hub) {
        if (!rouse__hub_is_here(hub) || hub->is_closing)
                return;
        if (hub->bell.is_armed) {
                rouse__doorbell_disarm(&hub->bell);
                /* Should nobody call uv_run() before the program sleeps: uv_backend_timeout() says
                 * 0 now, until the loop has been through settle(). */
                rouse__hub_stir(hub);
        }
        atomic_store_explicit(&hub->now_ns, clock_now_ns(), memory_order_relaxed);
}
