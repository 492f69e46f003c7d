/*
 * Sending.
 *
 * A send adds itself to the handle's word. Who finds a count of 0 there pushes the handle; all
 * others are done. That every send writes is the point: the loop's read-modify-write, with which it
 * takes the count, comes later in the order of the same word, and so sees everything that happened
 * before the send. A sender that only looked at a flag could pass its own earlier writes, and the
 * callback would miss them.
 *
 * The loop's own thread counts its sends beside that, on the loopside, as long as nobody else has
 * sent: no other thread has to know of them before the wake.
 *
 * Several threads that write one word wait for each other's cache line. So senders of many sends
 * leave a mark from time to time, and a handle on which one finds another's gets stripes: from then
 * on each thread counts its sends on a line of its own, and only looks at the word. See
 * send_striped().
 */

#include "lib/async.h"
#include "lib/clock.h"
#include "lib/hub.h"
#include "lib/stripes.h"

/* Sends from one mark to the next. */
#define SAMPLE_EVERY 64

#define OUT_OF_LINE __attribute__((noinline))
#define UNLIKELY(x) __builtin_expect(x, 0)

/* The first send: the handle, and its `next` and `first_ns`, are the caller's until the push. */
static OUT_OF_LINE int push(struct rouse_async *async) {
        struct rouse_hub *hub = async->handle.hub;
        uint64_t now_ns = rouse__hub_is_here(hub) ? rouse__hub_send_time(hub) : clock_now_ns();

        async->first_ns_low = (uint32_t)now_ns;
        async->first_ns_high = (uint16_t)(now_ns >> 32);
        rouse__hub_post(hub, async);
        return 0;
}

/* Called by one send of SAMPLE_EVERY that are pending together. */
static OUT_OF_LINE int sample(struct rouse_async *async) {
        /* Relaxed: a hint. The loop may write a set's number at the same time: hence the exchange.
         */
        uint8_t crowd = atomic_load_explicit(&async->crowd, memory_order_relaxed);
        uint8_t mark = rouse__crowd_mark(&rouse__this_thread);

        if (crowd == mark || crowd == CROWD_SEVERAL || rouse__crowd_has_stripes(crowd))
                return 0;
        if (crowd != 0)
                mark = CROWD_SEVERAL;
        (void)atomic_compare_exchange_strong_explicit(&async->crowd, &crowd, mark,
                                                      memory_order_relaxed, memory_order_relaxed);
        return 0;
}

static OUT_OF_LINE int refuse(struct rouse_async *async) {
        /* It does not count. Relaxed: nobody takes counts of a closed handle. */
        atomic_fetch_sub_explicit(&async->handle.word, WORD_SEND, memory_order_relaxed);
        return UV_EBADF;
}

/* Sets WORD_NUDGE and pushes the handle, if it is open and not pending; `word` is what it was last.
 * UV_EBADF: it is closed. */
static int nudge(struct rouse_async *async, uint64_t word) {
        do {
                if (word & WORD_CLOSED)
                        return UV_EBADF;
                if (rouse__word_is_pending(word))
                        return 0;
                /* Acquire: `next` and `first_ns` are ours after the loop's last use of them. */
        } while (!atomic_compare_exchange_weak_explicit(&async->handle.word, &word,
                                                        word | WORD_NUDGE, memory_order_acq_rel,
                                                        memory_order_relaxed));
        return push(async);
}

void rouse__async_nudge(struct rouse_async *async) {
        (void)nudge(async, atomic_load_explicit(&async->handle.word, memory_order_relaxed));
}

/* By the handle's word. */
static inline int send_by_word(struct rouse_async *async) {
        /* Release: what the caller wrote before is seen by the wake that takes this count, through
         * however many other sends of the same word. Acquire: for the first, `next` and `first_ns`
         * after the loop's last use of them. No look at the word goes before it: a load that has to
         * wait for the last send's write doubles the time of this one. */
        uint64_t word =
                atomic_fetch_add_explicit(&async->handle.word, WORD_SEND, memory_order_acq_rel);

        if (word & WORD_CLOSED)
                return refuse(async);
        if (!rouse__word_is_pending(word))
                return push(async);
        if (rouse__word_count(word) % SAMPLE_EVERY == SAMPLE_EVERY - 1)
                return sample(async);
        return 0;
}

/* After a send that was counted on a line, and did not find the handle pending. */
static OUT_OF_LINE int nudge_striped(struct rouse_async *async, struct stripe *line) {
        int r = nudge(async, atomic_load_explicit(&async->handle.word, memory_order_relaxed));

        if (r < 0)
                (void)rouse__stripe_add(line, UINT64_MAX); /* refused: it does not count */
        return r;
}

/*
 * With a line of its own in a set of stripes. The sender counts there and then looks at the word;
 * the loop clears the word, takes from the lines, and checks them later. A sender that finds the
 * handle pending has looked before the loop cleared it, and rouse__stripes_check() says why its
 * count is seen, by then at the latest, and with it what the sender wrote before. One that does not
 * find it pending nudges the loop, perhaps for nothing, if a wake that began in between has taken
 * its count.
 */
static OUT_OF_LINE int send_striped(struct rouse_async *async, struct stripe *line) {
        uint64_t word;

        if (!rouse__stripe_add(line, 1))
                return send_by_word(async);
        /* Relaxed: see above; the fence of rouse__stripe_add() keeps the compiler's order. */
        word = atomic_load_explicit(&async->handle.word, memory_order_relaxed);
        if ((word & WORD_CLOSED) || !rouse__word_is_pending(word))
                return nudge_striped(async, line);
        return 0;
}

/* The first time, or where several threads like the same place. */
static OUT_OF_LINE int send_searching(struct rouse_async *async, uint8_t crowd) {
        struct stripe *line =
                rouse__stripes_line(&async->handle.hub->stripes, crowd, &rouse__this_thread);

        return line ? send_striped(async, line) : send_by_word(async);
}

/* What calls others is kept out of line: so this needs no stack, and a write to that would have to
 * get to the cache before the addition can. */
static OUT_OF_LINE int send_from_anywhere(struct rouse_async *async) {
        /* Acquire: the set was made before. */
        uint8_t crowd = atomic_load_explicit(&async->crowd, memory_order_acquire);
        struct stripe *line;

        if (!rouse__crowd_has_stripes(crowd))
                return send_by_word(async);
        line = rouse__stripes_look(&async->handle.hub->stripes, crowd, &rouse__this_thread);
        return line ? send_striped(async, line) : send_searching(async, crowd);
}

/* As another thread would: what others have sent comes first. */
static int pass_by(struct rouse_async *async) {
        async->handle.hub->loopside.has_passed_by = true;
        return send_from_anywhere(async);
}

/* Whether a first send of the loop thread may go to the loopside: the handle is open and not
 * pending otherwise, and nobody else's sends come first. */
static bool may_append(const struct rouse_hub *hub, const struct rouse_async *async) {
        /* Relaxed: this thread closes; and of what others send now, this send is neither before nor
         * after. */
        uint64_t word = atomic_load_explicit(&async->handle.word, memory_order_relaxed);

        return !(word & (WORD_CLOSED | ~WORD_FLAGS)) &&
               !rouse__hub_is_pending(hub, memory_order_relaxed);
}

/* More sends to a handle that has a slot of the loopside. Guarded. */
static void count_here(struct rouse_async *async, uint8_t n_here, uint64_t n_sends) {
        if (n_here + n_sends > LOOPSIDE_MAX) {
                uint64_t n_wakes = rouse__async_begin_counting(async);

                /* To the word. One stays: it says that there is a slot. Release: who sees it sees
                 * the word, too. */
                async->handle.hub->loopside.has_passed_by = true;
                rouse__async_add(async, n_here - 1U + n_sends);
                atomic_store_explicit(&async->n_here, 1, memory_order_release);
                rouse__async_end_counting(async, n_wakes);
                return;
        }
        atomic_store_explicit(&async->n_here, (uint8_t)(n_here + n_sends), memory_order_release);
}

/* Where it is not as easy as in rouse_async_send(). Unguarded. */
static OUT_OF_LINE int send_from_loop(struct rouse_async *async) {
        struct rouse_hub *hub = async->handle.hub;
        struct loopside *side = &hub->loopside;
        uint8_t n_here;

        rouse__loopside_guard(side);
        n_here = atomic_load_explicit(&async->n_here, memory_order_relaxed);
        if (n_here > 0 && rouse_handle_is_active(&async->handle)) {
                count_here(async, n_here, 1);
                rouse__loopside_unguard(side);
                return 0;
        }
        if (!may_append(hub, async) || rouse__loopside_is_full(side)) {
                rouse__loopside_unguard(side);
                return pass_by(async);
        }
        rouse__loopside_append(side, async, true, rouse__hub_send_time(hub));
        atomic_store_explicit(&async->n_here, 1, memory_order_release);
        rouse__loopside_unguard(side);
        rouse__doorbell_ring(&hub->bell);
        return 0;
}

void rouse__async_add(struct rouse_async *async, uint64_t n_sends) {
        /* As above. */
        uint64_t word = atomic_fetch_add_explicit(&async->handle.word, n_sends * WORD_SEND,
                                                  memory_order_acq_rel);

        if (!rouse__word_is_pending(word))
                (void)push(async);
}

/*
 * Most sends of the loop thread are made while it is known to be awake, and nobody else's are
 * pending: they go straight through here, without a stack. The bell need not be looked at, as it is
 * not armed.
 */
int rouse_async_send(rouse_async_t *async) {
        struct rouse_hub *hub = async->handle.hub;
        struct loopside *side = &hub->loopside;
        uint64_t now_ns;
        uint8_t n_here;

        if (UNLIKELY(!rouse__hub_is_here(hub) || rouse__loopside_is_guarded(side)))
                return send_from_anywhere(async);
        rouse__loopside_guard(side);
        now_ns = atomic_load_explicit(&hub->now_ns, memory_order_relaxed);
        n_here = atomic_load_explicit(&async->n_here, memory_order_relaxed);
        if (UNLIKELY(now_ns == 0 || n_here == LOOPSIDE_MAX || !may_append(hub, async) ||
                     !rouse__loopside_has_room(side))) {
                rouse__loopside_unguard(side);
                return send_from_loop(async);
        }
        rouse__loopside_append(side, async, n_here == 0, now_ns);
        atomic_store_explicit(&async->n_here, (uint8_t)(n_here + 1), memory_order_release);
        rouse__loopside_unguard(side);
        return 0;
}

/* Sends together wherever the first goes. */
int rouse__async_send_many(struct rouse_async *async, uint64_t n_sends) {
        struct loopside *side = &async->handle.hub->loopside;
        uint8_t n_here;
        int r;

        r = rouse_async_send(async);
        if (r < 0 || n_sends == 1)
                return r;
        rouse__loopside_guard(side);
        n_here = atomic_load_explicit(&async->n_here, memory_order_relaxed);
        if (n_here > 0)
                count_here(async, n_here, n_sends - 1);
        else
                rouse__async_add(async, n_sends - 1);
        rouse__loopside_unguard(side);
        return 0;
}
