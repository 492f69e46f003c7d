/*
 * Handles as such: the hold on the loop, closing, and references.
 *
 * Closing and freeing are two things. Closing is the loop thread's; it sets WORD_CLOSED, after
 * which the word counts nothing and the handle is never pushed again; if it is pending in that
 * moment, WORD_LIMBO says so until the loop has taken it. Freeing belongs to whoever comes last:
 * the last release, or the loop, if the handle is on the pending list at that time.
 *
 *   - Who drops the last reference sets WORD_DROPPED. If the handle is pending, the loop has still
 *     to take it off the list, finds the flag and frees it. If it is closed and not in limbo,
 *     nobody else knows it, and it is freed on the spot. If it is open, another thread than the
 *     loop's cannot close it: it sets WORD_NUDGE too and pushes it for the loop to do so.
 *   - The loop clears the count, WORD_NUDGE and WORD_LIMBO of a handle that it takes off the list,
 *     and looks at what the word was in that moment. If WORD_DROPPED was not set, a release that
 *     comes later finds the handle not pending.
 *
 * Both are one read-modify-write of the same word, so exactly one of them frees.
 */

#include "lib/handle.h"

#include <stdlib.h>

#include "lib/async.h"
#include "lib/ending.h"
#include "lib/hub.h"

static void handle_free(struct rouse_handle *handle) {
        struct rouse_hub *hub = handle->hub;

        rouse__async_free(rouse__async_from_handle(handle));
        rouse__hub_unref(hub);
}

int rouse__handle_shut(struct rouse_handle *handle) {
        struct rouse_hub *hub = handle->hub;
        struct rouse_async *async = rouse__async_from_handle(handle);
        uint64_t word = atomic_load_explicit(&handle->word, memory_order_relaxed);
        bool was_guarded = rouse__loopside_is_guarded(&hub->loopside);
        uint64_t closed;

        if (word & WORD_CLOSED)
                return UV_EBADF;
        /* A signal handler that sends from here on goes by the word: once the handle has left the
         * loopside, it must not come back there. */
        rouse__loopside_guard(&hub->loopside);
        rouse__async_withdraw(async);
        if (word & WORD_REF)
                hub->n_holds--;
        if (word & WORD_NAMED)
                rouse__names_remove(&hub->names, rouse__async_get_name(async));
        rouse__hub_remove(hub, &async->link);
        /* Last: from here on the handle may be freed by its last release, if it is not pending.
         * Release: for that. A send that comes before this in the order of the word is dropped, one
         * that comes after is refused, and no data goes with either. */
        word = atomic_load_explicit(&handle->word, memory_order_relaxed);
        do
                closed = word | WORD_CLOSED | (rouse__word_is_pending(word) ? WORD_LIMBO : 0);
        while (!atomic_compare_exchange_weak_explicit(&handle->word, &word, closed,
                                                      memory_order_release, memory_order_relaxed));
        if (closed & WORD_LIMBO)
                hub->n_limbo++;
        if (!was_guarded)
                rouse__loopside_unguard(&hub->loopside);
        rouse__hub_hold(hub);
        return 0;
}

void rouse__handle_bury(struct rouse_handle *handle) {
        struct rouse_hub *hub = handle->hub;
        /* Acq_rel: between us and the last release, whichever frees. */
        uint64_t word = atomic_fetch_and_explicit(&handle->word, ~WORD_LIMBO, memory_order_acq_rel);

        /* Unless it was dropped before, the handle may be freed by its last release from here on.
         */
        hub->n_limbo--;
        if (word & WORD_DROPPED)
                handle_free(handle);
}

void rouse__handle_abandon(struct rouse_handle *handle) {
        (void)rouse__handle_shut(handle);
        handle_free(handle);
}

struct rouse_handle *rouse__handle_retain(struct rouse_handle *handle) {
        /* Relaxed: the caller's own reference keeps everything in place. */
        atomic_fetch_add_explicit(&handle->n_refs, 1, memory_order_relaxed);
        return handle;
}

/* Open, and not pending. */
static bool is_idle(uint64_t word) {
        return !(word & WORD_CLOSED) && !rouse__word_is_pending(word);
}

void rouse__handle_release(struct rouse_handle *handle) {
        struct rouse_hub *hub = handle->hub;
        uint64_t word, dropped;

        /* Release: our use of the handle comes before. Acquire: what follows comes after all. */
        if (atomic_fetch_sub_explicit(&handle->n_refs, 1, memory_order_acq_rel) != 1)
                return;
        if (rouse__hub_is_here(hub))
                (void)rouse__handle_shut(handle);
        /* The handle's share of the hub goes with the handle, which is not ours any more from the
         * moment it is pushed. */
        rouse__hub_ref(hub);
        /* Acq_rel: as with the count, between us and the loop, whichever frees; and for `next`,
         * which we get from the loop's last wake of it. */
        word = atomic_load_explicit(&handle->word, memory_order_relaxed);
        do
                dropped = word | WORD_DROPPED | (is_idle(word) ? WORD_NUDGE : 0);
        while (!atomic_compare_exchange_weak_explicit(&handle->word, &word, dropped,
                                                      memory_order_acq_rel, memory_order_relaxed));
        if (is_idle(word))
                rouse__hub_post(hub, rouse__async_from_handle(handle));
        else if ((word & (WORD_CLOSED | WORD_LIMBO)) == WORD_CLOSED)
                handle_free(handle);
        /* else it is the loop's */
        rouse__hub_unref(hub);
}

int rouse_handle_close(rouse_handle_t *handle) {
        return rouse__hub_is_here(handle->hub) ? rouse__handle_shut(handle) : UV_EPERM;
}

void rouse_handle_close_noerr(rouse_handle_t *handle) {
        (void)rouse_handle_close(handle);
}

int rouse_handle_close_wait(rouse_handle_t *handle, rouse_close_cb cb, void *arg) {
        struct rouse_hub *hub = handle->hub;
        struct ending *ending;

        if (!rouse__hub_is_here(hub))
                return UV_EPERM;
        if (!rouse_handle_is_active(handle))
                return UV_EBADF;
        ending = malloc(sizeof(*ending));
        if (!ending)
                return UV_ENOMEM;
        *ending = (struct ending){.handle = rouse__handle_retain(handle), .cb = cb, .arg = arg};
        list_append(&hub->endings, &ending->link);
        rouse__hub_stir(hub);
        return rouse__handle_shut(handle);
}

bool rouse_handle_is_active(const rouse_handle_t *handle) {
        /* Relaxed: a flag that stands for nothing else. */
        return !(atomic_load_explicit(&handle->word, memory_order_relaxed) & WORD_CLOSED);
}

bool rouse_handle_has_ref(const rouse_handle_t *handle) {
        /* Relaxed: as above. */
        uint64_t word = atomic_load_explicit(&handle->word, memory_order_relaxed);

        return (word & (WORD_REF | WORD_CLOSED)) == WORD_REF;
}

/* 0, UV_EPERM, UV_EBADF. */
static int set_ref(struct rouse_handle *handle, bool ref) {
        struct rouse_hub *hub = handle->hub;

        if (!rouse__hub_is_here(hub))
                return UV_EPERM;
        if (!rouse_handle_is_active(handle))
                return UV_EBADF;
        if (rouse_handle_has_ref(handle) == ref)
                return 0;
        /* Relaxed: only this thread writes the flag, nothing is told with it. */
        if (ref) {
                atomic_fetch_or_explicit(&handle->word, WORD_REF, memory_order_relaxed);
                hub->n_holds++;
        } else {
                atomic_fetch_and_explicit(&handle->word, ~WORD_REF, memory_order_relaxed);
                hub->n_holds--;
        }
        rouse__hub_hold(hub);
        return 0;
}

void rouse_handle_ref(rouse_handle_t *handle) {
        (void)set_ref(handle, true);
}

void rouse_handle_unref(rouse_handle_t *handle) {
        (void)set_ref(handle, false);
}

int rouse_async_start(rouse_async_t *async) {
        return set_ref(&async->handle, true);
}

int rouse_async_stop(rouse_async_t *async) {
        return set_ref(&async->handle, false);
}
