/*
 * Async handles: what they are made of, and waking. How sends are counted: send.c.
 *
 * The loop's read-modify-write, with which it takes the count of a handle, comes later in the order
 * of the word than all sends that it takes, and so sees everything that happened before them.
 *
 * What is pending goes over to the counters of wakes in several steps. While they last, n_wakes
 * says so, and who takes a snapshot waits; so each figure is exact wherever it is read, and the
 * sends never go back. (Only one that a closed handle refuses is counted until it is.)
 */

#include "lib/async.h"

#include <sched.h>
#include <string.h>
#include <time.h>

#include "lib/hub.h"
#include "lib/latency.h"
#include "lib/stripes.h"

_Static_assert(HUB_MAX_ROOM + sizeof(struct rouse_async) + sizeof(struct rouse__name) +
                               NAME_MAX_BYTES + 1 <=
                       POOLS_MAX,
               "there is a pool for each name");

/* Of a name of so many bytes. Where there is room before handles, all begins with a line of the
 * cache, and so does the handle if the room is some lines. */
static struct pool *pool_of(struct rouse_hub *hub, size_t n_text) {
        size_t bytes = hub->n_room + sizeof(struct rouse_async) +
                       offsetof(struct rouse__name, text) + n_text + 1;

        if (hub->n_room > 0)
                bytes = (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
        return rouse__pools_get(&hub->named, bytes);
}

static struct rouse_async *alloc_named(struct rouse_hub *hub, size_t n_text) {
        char *memory = rouse__pool_alloc(pool_of(hub, n_text));

        return memory ? (struct rouse_async *)(void *)(memory + hub->n_room) : NULL;
}

/* One whose last reference was given back elsewhere is closed now, not only in the next pass.
 * False: somebody has the handle of this name. */
static bool give_up_name(struct rouse_hub *hub, struct rouse__text text, uint32_t hash) {
        struct rouse__name *name = rouse__names_find(&hub->names, text, hash);
        struct rouse_handle *handle = name ? &rouse__async_from_name(name)->handle : NULL;

        if (!handle)
                return true;
        if (rouse__handle_is_held(handle))
                return false;
        (void)rouse__handle_shut(handle);
        return true;
}

int rouse_async_create(rouse_hub_t *hub, const char *name, rouse_async_cb cb, void *data,
                       rouse_async_t **ret_async) {
        struct rouse__text text = {0};
        struct rouse_async *async;
        uint32_t hash = 0;
        int r;

        if (!rouse__hub_is_here(hub))
                return UV_EPERM;
        if (hub->is_closing)
                return UV_EBADF;
        if (name) {
                if (!rouse__name_is_legal(name))
                        return UV_EINVAL;
                text = rouse__text(name);
                hash = rouse__names_hash(&hub->names, text);
                if (!give_up_name(hub, text, hash))
                        return UV_EEXIST;
                r = rouse__names_reserve(&hub->names);
                if (r < 0)
                        return r;
        }
        async = name ? alloc_named(hub, text.n) : rouse__pool_alloc(&hub->pool);
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
                entry->n_text = (uint8_t)text.n;
                memcpy(entry->text, name, text.n + 1);
                rouse__names_add(&hub->names, entry);
        }
        list_append(&hub->handles, &async->link);
        rouse__hub_ref(hub);
        *ret_async = async;
        return 0;
}

void rouse__async_free(struct rouse_async *async) {
        struct rouse_hub *hub = async->handle.hub;
        /* Relaxed: the last reference was given back after everything. */
        uint8_t crowd = atomic_load_explicit(&async->crowd, memory_order_relaxed);

        if (rouse__crowd_has_stripes(crowd))
                rouse__stripes_return(&hub->stripes, crowd);
        if (rouse_async_name(async))
                rouse__pool_free(pool_of(hub, rouse__async_get_name(async)->n_text),
                                 rouse__async_room(async));
        else
                rouse__pool_free(&hub->pool, async);
}

/* Takes the marks away. Where several threads have sent, lets each count for itself. */
static void settle_crowd(struct rouse_async *async, uint8_t crowd) {
        uint8_t stripes = 0;

        if (crowd == CROWD_SEVERAL)
                stripes = rouse__stripes_lend(&async->handle.hub->stripes, async);
        /* Release: the set was made before. */
        atomic_store_explicit(&async->crowd, stripes, memory_order_release);
}

/* From the first send until now. */
static uint64_t latency(const struct rouse_async *async, uint64_t now_ns) {
        uint64_t first_ns = (uint64_t)async->first_ns_high << 32 | async->first_ns_low;

        return (now_ns - first_ns) & (UINT64_MAX >> 16);
}

/* Counts n_sends as one wake, with its latency encoded, and has it. Guarded. */
static inline void deliver(struct loopside *side, struct rouse_async *async, uint64_t n_wakes,
                           uint64_t n_sends, uint16_t code) {
        uint32_t bits = atomic_load_explicit(&async->handle.kind_bits, memory_order_relaxed);
        uint32_t max = bits >> 16;

        if (code > max)
                max = code;
        atomic_store_explicit(&async->handle.kind_bits, max << 16 | code, memory_order_relaxed);
        /* Release: who sees this sees that a wake is being counted, or that it was. Also done for
         * one send: a branch that nobody can predict costs more. */
        atomic_store_explicit(&async->n_coalesced,
                              atomic_load_explicit(&async->n_coalesced, memory_order_relaxed) +
                                      n_sends - 1,
                              memory_order_release);
        rouse__async_end_counting(async, n_wakes + 1);
        if (!async->cb)
                return;
        rouse__loopside_unguard(side);
        async->cb(async, n_sends);
        rouse__loopside_guard(side);
}

void rouse__async_wake(struct rouse_async *async, uint64_t now_ns) {
        /* Before the word is cleared, with which it becomes the next sender's. */
        uint64_t latency_ns = latency(async, now_ns);
        /* Relaxed: only this thread gives sets away, and the marks are hints. */
        uint8_t crowd = atomic_load_explicit(&async->crowd, memory_order_relaxed);
        uint64_t word, n_sends, n_wakes;

        /* Relaxed: this thread closes. */
        if (atomic_load_explicit(&async->handle.word, memory_order_relaxed) & WORD_CLOSED) {
                rouse__handle_bury(&async->handle);
                return;
        }
        n_wakes = rouse__async_begin_counting(async);
        /* Acquire: the callback sees what all these sends were made after. Release: hands `next`
         * and `first_ns` to the next first sender, and the news of counting to who takes a
         * snapshot. */
        word = atomic_fetch_and_explicit(&async->handle.word, WORD_FLAGS, memory_order_acq_rel);
        if (word & WORD_DROPPED) {
                rouse__handle_abandon(&async->handle);
                return;
        }
        n_sends = rouse__word_count(word);
        if (rouse__crowd_has_stripes(crowd))
                n_sends += rouse__stripes_take(&async->handle.hub->stripes, crowd);
        else if (crowd != 0)
                settle_crowd(async, crowd);
        rouse__hub_expect(async->handle.hub, n_sends);
        if (n_sends > 0)
                deliver(&async->handle.hub->loopside, async, n_wakes, n_sends,
                        rouse__latency_encode(latency_ns));
        else
                rouse__async_end_counting(async, n_wakes);
}

/* What others have sent to a handle that is pending. It stays so, for the push of the first. */
static uint64_t take_count(struct rouse_async *async, uint64_t word) {
        uint64_t rest;

        /* As in rouse__async_wake(). Its turn will come, and find nothing. */
        do
                rest = (word & WORD_FLAGS) | WORD_NUDGE;
        while (!atomic_compare_exchange_weak_explicit(&async->handle.word, &word, rest,
                                                      memory_order_acq_rel, memory_order_relaxed));
        return rouse__word_count(word);
}

/* The turn of a handle that has had a slot of the loopside. */
static inline void wake_here(struct loopside *side, struct rouse_async *async, uint16_t code) {
        /* Relaxed: what has been sent but is not seen here is pending, and has a turn of its own.
         */
        uint64_t word = atomic_load_explicit(&async->handle.word, memory_order_relaxed);
        uint8_t crowd = atomic_load_explicit(&async->crowd, memory_order_relaxed);
        uint64_t n_sends, n_wakes;

        if (word & WORD_DROPPED)
                return; /* pending: its turn comes */
        n_wakes = rouse__async_begin_counting(async);
        n_sends = atomic_load_explicit(&async->n_here, memory_order_relaxed);
        /* Release: who sees this sees that a wake is being counted, or that it was. */
        atomic_store_explicit(&async->n_here, 0, memory_order_release);
        if (rouse__word_is_pending(word))
                n_sends += take_count(async, word);
        if (__builtin_expect(rouse__crowd_has_stripes(crowd), 0))
                n_sends += rouse__stripes_take(&async->handle.hub->stripes, crowd);
        deliver(side, async, n_wakes, n_sends, code);
}

/* What its wake will touch. A pass of many handles has sent them out of the nearest cache.
 * Addresses here are numbers: the slot may have nobody, or somebody who is gone. */
static inline void prefetch_wake(const struct rouse_hub *hub, const struct loopside_slot *slot) {
        uintptr_t at = (uintptr_t)slot->async;

        __builtin_prefetch((const void *)at, 1);
        __builtin_prefetch((const void *)(at - hub->n_room), 1);
}

size_t rouse__async_wake_loopside(struct rouse_hub *hub) {
        struct loopside *side = &hub->loopside;
        uint64_t end = side->tail;
        uint64_t now_ns = 0, first_ns = 0;
        uint16_t code = 0;
        size_t n;

        for (n = 0; side->head != end; n++) {
                struct loopside_slot *slot = rouse__loopside_take(side);

                prefetch_wake(hub, rouse__loopside_ahead(side));
                /* Many have been sent to at the same time, for the hub: see rouse__hub_send_time().
                 */
                if (n % WAKES_PER_CLOCK == 0 || slot->first_ns != first_ns) {
                        now_ns = rouse__hub_wake_time(hub, n);
                        first_ns = slot->first_ns;
                        code = rouse__latency_encode(now_ns - first_ns);
                }
                if (slot->async)
                        wake_here(side, slot->async, code);
        }
        rouse__loopside_rewind(side);
        return n;
}

void rouse__async_withdraw(struct rouse_async *async) {
        struct rouse_hub *hub = async->handle.hub;
        /* Relaxed: only this thread gives sets away. */
        uint8_t crowd = atomic_load_explicit(&async->crowd, memory_order_relaxed);
        bool was_guarded = rouse__loopside_is_guarded(&hub->loopside);

        if (rouse__crowd_has_stripes(crowd))
                rouse__stripes_forget(&hub->stripes, crowd);
        rouse__loopside_guard(&hub->loopside);
        /* Relaxed: this thread writes it. */
        if (atomic_load_explicit(&async->n_here, memory_order_relaxed) > 0)
                rouse__loopside_withdraw(&hub->loopside, async);
        if (!was_guarded)
                rouse__loopside_unguard(&hub->loopside);
}

/* A wake is counted in no time, unless its thread was stopped in the middle of it. */
static void wait_a_moment(unsigned int n_tries) {
        static const struct timespec moment = {.tv_nsec = 50000};

        if (n_tries < 16)
                sched_yield();
        else
                nanosleep(&moment, NULL); /* that thread may be of a lower priority */
}

/*
 * Whether sends have gone over from n_here to the word since these were read, in this order. That
 * is not a wake, so n_wakes is afterwards what it was before. Either the word was read before it:
 * then it is greater now, by more than n_here can hold. Or n_here was: then it is less now, or it
 * has grown again to what was read, and all is as if it had been read now.
 */
static bool has_gone_over(const struct rouse_async *async, uint64_t word, uint8_t n_here) {
        /* Relaxed: the reading of n_here or of n_wakes acquired. */
        uint64_t now = atomic_load_explicit(&async->handle.word, memory_order_relaxed);

        return atomic_load_explicit(&async->n_here, memory_order_relaxed) < n_here ||
               rouse__word_count(now) - rouse__word_count(word) >= LOOPSIDE_MAX;
}

void rouse_async_stats(const rouse_async_t *async, rouse_async_stats_t *ret_stats) {
        struct rouse_hub *hub = async->handle.hub;
        uint64_t wakes, wakes_again, coalesced, pending, word;
        uint32_t bits;
        uint8_t n_here;

        for (unsigned int n_tries = 0;; n_tries++) {
                uint8_t crowd;

                /* All acquire, so that they are read in this order. What the loop wrote in the
                 * middle of counting, it wrote after ASYNC_COUNTING and released: if any of it was
                 * seen here, the second look at n_wakes sees that, or what came when it was over.
                 */
                wakes = atomic_load_explicit(&async->n_wakes, memory_order_acquire);
                coalesced = atomic_load_explicit(&async->n_coalesced, memory_order_acquire);
                crowd = atomic_load_explicit(&async->crowd, memory_order_acquire);
                word = atomic_load_explicit(&async->handle.word, memory_order_acquire);
                pending = rouse__word_count(word);
                if (rouse__crowd_has_stripes(crowd))
                        pending += rouse__stripes_pending(&hub->stripes, crowd);
                n_here = atomic_load_explicit(&async->n_here, memory_order_acquire);
                wakes_again = atomic_load_explicit(&async->n_wakes, memory_order_acquire);
                if (!(wakes & ASYNC_COUNTING) && wakes == wakes_again &&
                    !has_gone_over(async, word, n_here))
                        break;
                wait_a_moment(n_tries);
        }
        /* Relaxed: belongs to some recent wake. */
        bits = atomic_load_explicit(&async->handle.kind_bits, memory_order_relaxed);
        *ret_stats = (rouse_async_stats_t){
                .sends = wakes + coalesced + pending + n_here,
                .wakes = wakes,
                .coalesced = coalesced,
                .pending = pending + n_here,
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
