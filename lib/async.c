/*
 * Async handles: counting sends, and waking.
 *
 * A send adds itself to the handle's word. Most sends find WORD_PENDING set there and are done; the
 * others try to set it, and who does pushes the handle. That every send writes is the point: the
 * loop's read-modify-write, with which it takes the count, comes later in the order of the same
 * word, and so sees everything that happened before the send. A sender that only looked at a flag
 * could pass its own earlier writes, and the callback would miss them.
 *
 * Between a sender's count and its flag another may come and go: the flag is set and cleared, and
 * the count taken. Then the handle is pushed for nothing, and its turn passes without a wake.
 *
 * The word's count never goes back; what the loop has taken of it is the sum of two counters that
 * only grow. So each counter of the statistics is exact and steady wherever it is read.
 */

#include "lib/async.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/hub.h"
#include "lib/latency.h"

int rouse_async_create(rouse_hub_t *hub, const char *name, rouse_async_cb cb, void *data,
                       rouse_async_t **ret_async) {
        struct rouse_async *async;
        size_t n_name = 0;
        uint32_t hash = 0;
        int r;

        if (!rouse__hub_is_here(hub))
                return UV_EPERM;
        if (hub->is_closing)
                return UV_EBADF;
        if (name) {
                if (!rouse__name_is_legal(name))
                        return UV_EINVAL;
                hash = rouse__names_hash(&hub->names, name);
                if (rouse__names_find(&hub->names, name, hash))
                        return UV_EEXIST;
                r = rouse__names_reserve(&hub->names);
                if (r < 0)
                        return r;
                n_name = strlen(name) + 1;
        }
        async = malloc(sizeof(*async) + (name ? offsetof(struct rouse__name, text) + n_name : 0));
        if (!async)
                return UV_ENOMEM;
        *async = (struct rouse_async){
                .handle = {.word = name ? WORD_NAMED : 0, .hub = hub, .n_refs = 1},
                .cb = cb,
                .data = data,
        };
        if (name) {
                struct rouse__name *entry = rouse__async_get_name(async);

                entry->hash = hash;
                memcpy(entry->text, name, n_name);
                rouse__names_add(&hub->names, entry);
        }
        list_append(&hub->handles, &async->handle.link);
        rouse__hub_ref(hub);
        *ret_async = async;
        return 0;
}

static uint64_t send_time(struct rouse_hub *hub) {
        uint64_t now_ns = 0;

        /* Relaxed: only this thread has written it. */
        if (rouse__hub_is_here(hub))
                now_ns = atomic_load_explicit(&hub->now_ns, memory_order_relaxed);
        return now_ns ? now_ns : clock_now_ns();
}

/* The rest of a send that did not find the handle pending and open; `word` is what it found. */
static int send_first(struct rouse_async *async, uint64_t word) {
        struct rouse_hub *hub = async->handle.hub;

        if (word & WORD_CLOSED) {
                /* Refused, so it does not count. Relaxed: nobody takes counts of it any more. */
                atomic_fetch_sub_explicit(&async->handle.word, WORD_SEND, memory_order_relaxed);
                return UV_EBADF;
        }
        /* The flag is set on open handles only: nobody would take a closed one off the list of a
         * hub that may be gone. Acquire: `next` and `first_ns` are ours after the loop's last use
         * of them. Release: as in the send. */
        word += WORD_SEND;
        do {
                if (word & (WORD_PENDING | WORD_CLOSED))
                        return 0; /* somebody else saw to it, or it was closed after this send */
        } while (!atomic_compare_exchange_weak_explicit(&async->handle.word, &word,
                                                        word | WORD_PENDING, memory_order_acq_rel,
                                                        memory_order_relaxed));
        async->first_ns = send_time(hub);
        rouse__hub_post(hub, async);
        return 0;
}

int rouse_async_send(rouse_async_t *async) {
        /* Release: what the caller wrote before is seen by the wake that takes this count, through
         * however many other sends of the same word. No look at the word goes before it: a load
         * that has to wait for the last send's write doubles the time of this one. */
        uint64_t word =
                atomic_fetch_add_explicit(&async->handle.word, WORD_SEND, memory_order_release);

        if ((word & (WORD_PENDING | WORD_CLOSED)) == WORD_PENDING)
                return 0;
        return send_first(async, word);
}

int rouse__async_send_many(struct rouse_async *async, uint64_t n_sends) {
        int r = rouse_async_send(async);

        /* The others join it. Relaxed: the wake that takes them is this thread's own. */
        if (r == 0)
                atomic_fetch_add_explicit(&async->handle.word, (n_sends - 1) << WORD_SHIFT,
                                          memory_order_relaxed);
        return r;
}

/* Relaxed: only the loop thread writes these. */
static uint64_t taken(const struct rouse_async *async) {
        return atomic_load_explicit(&async->n_wakes, memory_order_relaxed) +
               atomic_load_explicit(&async->n_coalesced, memory_order_relaxed);
}

static void count_wake(struct rouse_async *async, uint64_t n_sends, uint64_t latency_ns) {
        uint16_t code = rouse__latency_encode(latency_ns);
        uint32_t bits = atomic_load_explicit(&async->handle.kind_bits, memory_order_relaxed);
        uint32_t max = bits >> 16;

        if (code > max)
                max = code;
        atomic_store_explicit(&async->handle.kind_bits, max << 16 | code, memory_order_relaxed);
        /* Release: who sees these sees a word that has counted as much. */
        atomic_store_explicit(&async->n_coalesced,
                              atomic_load_explicit(&async->n_coalesced, memory_order_relaxed) +
                                      n_sends - 1,
                              memory_order_release);
        atomic_store_explicit(&async->n_wakes,
                              atomic_load_explicit(&async->n_wakes, memory_order_relaxed) + 1,
                              memory_order_release);
}

void rouse__async_wake(struct rouse_async *async, uint64_t now_ns) {
        struct rouse_hub *hub = async->handle.hub;
        uint64_t first_ns = async->first_ns;
        /* Acquire: the callback sees what all these sends were made after. Release: hands `next`
         * and `first_ns` to the sender that sets the flag again. */
        uint64_t word =
                atomic_fetch_and_explicit(&async->handle.word, ~WORD_PENDING, memory_order_acq_rel);
        uint64_t n_sends;

        /* From here on a closed handle may be freed by its last release, an open one may not. */
        if (word & (WORD_CLOSED | WORD_DROPPED)) {
                rouse__handle_bury(hub, &async->handle, word);
                return;
        }
        n_sends = rouse__word_count_since(word, taken(async));
        if (n_sends == 0)
                return;
        count_wake(async, n_sends, now_ns > first_ns ? now_ns - first_ns : 0);
        if (async->cb)
                async->cb(async, n_sends);
}

void rouse_async_stats(const rouse_async_t *async, rouse_async_stats_t *ret_stats) {
        /* Acquire, and in this order: the word has counted what was taken from it. */
        uint64_t wakes = atomic_load_explicit(&async->n_wakes, memory_order_acquire);
        uint64_t coalesced = atomic_load_explicit(&async->n_coalesced, memory_order_acquire);
        uint64_t word = atomic_load_explicit(&async->handle.word, memory_order_relaxed);
        uint64_t pending = rouse__word_count_since(word, wakes + coalesced);
        /* Relaxed: belongs to some recent wake. */
        uint32_t bits = atomic_load_explicit(&async->handle.kind_bits, memory_order_relaxed);

        *ret_stats = (rouse_async_stats_t){
                .sends = wakes + coalesced + pending,
                .wakes = wakes,
                .coalesced = coalesced,
                .pending = pending,
                .latency_ns = rouse__latency_decode((uint16_t)(bits & 0xffff)),
                .latency_max_ns = rouse__latency_decode((uint16_t)(bits >> 16)),
        };
}

const char *rouse_async_name(const rouse_async_t *async) {
        /* Relaxed: the flag never changes. */
        uint64_t word = atomic_load_explicit(&async->handle.word, memory_order_relaxed);

        return word & WORD_NAMED ? rouse__async_get_name(async)->text : NULL;
}

void *rouse_async_data(const rouse_async_t *async) {
        return async->data;
}

rouse_handle_t *rouse_async_to_handle(rouse_async_t *async) {
        return &async->handle;
}

rouse_async_t *rouse_async_retain(rouse_async_t *async) {
        rouse__handle_retain(&async->handle);
        return async;
}

void rouse_async_release(rouse_async_t *async) {
        if (async)
                rouse__handle_release(&async->handle);
}

void rouse_async_ref(rouse_async_t *async) {
        rouse_handle_ref(&async->handle);
}

void rouse_async_unref(rouse_async_t *async) {
        rouse_handle_unref(&async->handle);
}

bool rouse_async_has_ref(const rouse_async_t *async) {
        return rouse_handle_has_ref(&async->handle);
}

bool rouse_async_is_active(const rouse_async_t *async) {
        return rouse_handle_is_active(&async->handle);
}

int rouse_async_close(rouse_async_t *async) {
        return rouse_handle_close(&async->handle);
}

void rouse_async_close_noerr(rouse_async_t *async) {
        rouse_handle_close_noerr(&async->handle);
}

int rouse_async_close_wait(rouse_async_t *async, rouse_close_cb cb, void *arg) {
        return rouse_handle_close_wait(&async->handle, cb, arg);
}
