/* Several threads hammer a few handles, which get stripes: counts stay exact, nothing written
 * before a send is missed, and closing in the middle refuses exactly those sends that say so. */

#include <stdatomic.h>
#include <stdlib.h>

#include "lib/async.h"
#include "lib/stripes.h"
#include "tests/hub-fixture.h"
#include "tests/support.h"

#define N_THREADS 4
#define PILE_NS   50000

static struct fixture fixture;
static rouse_async_t *target;
static atomic_bool is_over;
static uint64_t n_told;
static uv_barrier_t barrier;

/* Stored before a send, and seen by the wake that covers it. */
static struct payload {
        _Atomic uint64_t sent;
        uint64_t seen; /* the loop's */
        uint64_t n_sent;
} payloads[N_THREADS];

static bool has_stripes(const rouse_async_t *async) {
        return rouse__crowd_has_stripes(atomic_load_explicit(&async->crowd, memory_order_relaxed));
}

static void look_at_payloads(void) {
        for (int i = 0; i < N_THREADS; i++)
                payloads[i].seen = atomic_load_explicit(&payloads[i].sent, memory_order_relaxed);
}

static void on_wake_look(rouse_async_t *async, uint64_t n_sends) {
        test_expect(n_sends > 0);
        n_told += n_sends;
        look_at_payloads();
        /* So that sends pile up, and the loop tells that there is a crowd. */
        for (uint64_t end_ns = uv_hrtime() + PILE_NS; uv_hrtime() < end_ns;)
                test_expect(rouse_async_is_active(async));
}

static void hammer(void *arg) {
        struct payload *payload = arg;

        uv_barrier_wait(&barrier);
        while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
                atomic_store_explicit(&payload->sent, payload->n_sent + 1, memory_order_relaxed);
                if (rouse_async_send(target) < 0)
                        break;
                payload->n_sent++;
        }
}

static void open_target(rouse_async_cb cb) {
        fixture_open(&fixture);
        fixture_keep(&fixture);
        ck_assert_int_eq(rouse_async_create(fixture.hub, NULL, cb, NULL, &target), 0);
        uv_barrier_init(&barrier, N_THREADS);
}

static void start(uv_thread_t *threads) {
        for (int i = 0; i < N_THREADS; i++)
                ck_assert_int_eq(uv_thread_create(&threads[i], hammer, &payloads[i]), 0);
}

static uint64_t join(uv_thread_t *threads) {
        uint64_t n_sent = 0;

        for (int i = 0; i < N_THREADS; i++) {
                uv_thread_join(&threads[i]);
                n_sent += payloads[i].n_sent;
        }
        return n_sent;
}

static void close_target(void) {
        rouse_async_release(target);
        uv_barrier_destroy(&barrier);
        fixture_let_go(&fixture);
        fixture_close(&fixture);
}

/* Passes of the loop until the target has stripes, and some more. */
static void pass_until_spread(unsigned int n_more) {
        uint64_t end_ns = uv_hrtime() + (uint64_t)test_slow_ms(20000) * 1000000;

        while (!has_stripes(target)) {
                ck_assert_msg(uv_hrtime() < end_ns, "nobody noticed the crowd");
                fixture_pass(&fixture);
        }
        for (unsigned int i = 0; i < n_more; i++)
                fixture_pass(&fixture);
}

static void send_from_elsewhere(void *arg) {
        for (int i = 0; i < *(const int *)arg; i++)
                ck_assert_int_eq(rouse_async_send(target), 0);
}

static void one_wake_is_for_the_loop_and_the_crowd(void) {
        const int n = 1000;
        uv_thread_t threads[N_THREADS];
        rouse_async_stats_t before, after;

        open_target(on_wake_look);
        start(threads);
        pass_until_spread(0);
        atomic_store_explicit(&is_over, true, memory_order_relaxed);
        (void)join(threads);
        fixture_pass(&fixture);
        rouse_async_stats(target, &before);
        n_told = 0;
        ck_assert_int_eq(rouse_async_send(target), 0);
        for (int i = 0; i < 3; i++)
                fixture_elsewhere(send_from_elsewhere, (void *)&n);
        fixture_pass(&fixture);
        fixture_pass(&fixture);
        rouse_async_stats(target, &after);
        ck_assert_uint_eq(n_told, 3 * n + 1);
        ck_assert_uint_eq(after.wakes - before.wakes, 1);
        close_target();
}

static void a_crowd_gets_stripes_and_is_counted(void) {
        uv_thread_t threads[N_THREADS];
        rouse_async_stats_t stats;
        uint64_t n_sent;

        open_target(on_wake_look);
        start(threads);
        pass_until_spread(20000);
        atomic_store_explicit(&is_over, true, memory_order_relaxed);
        n_sent = join(threads);
        fixture_pass(&fixture);
        ck_assert_uint_eq(n_told, n_sent);
        rouse_async_stats(target, &stats);
        ck_assert_uint_eq(stats.sends, n_sent);
        ck_assert_uint_eq(stats.pending, 0);
        for (int i = 0; i < N_THREADS; i++)
                ck_assert_uint_eq(payloads[i].seen, payloads[i].n_sent);
        /* On this thread, and then with nothing pending but on the stripes. */
        ck_assert_int_eq(rouse_async_send(target), 0);
        ck_assert_int_eq(rouse_async_send(target), 0);
        rouse_async_stats(target, &stats);
        ck_assert_uint_eq(stats.pending, 2);
        fixture_pass(&fixture);
        ck_assert_uint_eq(n_told, n_sent + 2);
        close_target();
}

static void send_a_thousand(void *arg) {
        (void)arg;
        for (int i = 0; i < 1000; i++)
                ck_assert_int_eq(rouse_async_send(target), 0);
}

/* One thread between two wakes, and not the loop's own, whose sends are counted apart. */
static void one_sender_gets_none(void) {
        open_target(on_wake_look);
        for (int round = 0; round < 100; round++) {
                fixture_elsewhere(send_a_thousand, NULL);
                fixture_pass(&fixture);
        }
        ck_assert(!has_stripes(target));
        ck_assert_uint_eq(n_told, 100000);
        close_target();
}

static void a_loop_that_was_hammered_comes_to_rest(void) {
        unsigned int n_turns = 0;

        open_target(on_wake_look);
        fixture_elsewhere(send_a_thousand, NULL);
        fixture_pass(&fixture);
        ck_assert_uint_eq(n_told, 1000);
        ck_assert_int_eq(uv_backend_timeout(&fixture.loop), 0); /* more may come */
        for (; uv_backend_timeout(&fixture.loop) == 0; n_turns++) {
                ck_assert_uint_lt(n_turns, 100);
                fixture_pass(&fixture);
        }
        fixture_pass(&fixture);
        ck_assert_int_ne(uv_backend_timeout(&fixture.loop), 0);
        close_target();
}

static void closing_under_a_crowd_refuses_the_rest(void) {
        uv_thread_t threads[N_THREADS];
        rouse_async_stats_t stats;
        uint64_t n_sent;

        open_target(on_wake_look);
        start(threads);
        pass_until_spread(100);
        ck_assert_int_eq(rouse_async_close(target), 0);
        fixture_pass(&fixture);
        n_sent = join(threads);
        rouse_async_stats(target, &stats);
        ck_assert_uint_eq(stats.sends, n_sent);
        ck_assert_uint_eq(stats.pending, n_sent - n_told);
        close_target();
}

static void on_closed(void *arg) {
        *(bool *)arg = true;
}

static void sets_are_lent_again(void) {
        uv_thread_t threads[N_THREADS];

        for (unsigned int round = 0; round < N_STRIPE_SETS + 6; round++) {
                bool is_closed = false;

                if (round == 0)
                        open_target(on_wake_look);
                else
                        ck_assert_int_eq(
                                rouse_async_create(fixture.hub, NULL, on_wake_look, NULL, &target),
                                0);
                atomic_store_explicit(&is_over, false, memory_order_relaxed);
                n_told = 0;
                for (int i = 0; i < N_THREADS; i++)
                        payloads[i].n_sent = 0;
                start(threads);
                pass_until_spread(0);
                atomic_store_explicit(&is_over, true, memory_order_relaxed);
                fixture_pass(&fixture);
                if (round % 2) {
                        uint64_t n_sent = join(threads);

                        fixture_pass(&fixture);
                        ck_assert_uint_eq(n_told, n_sent);
                        ck_assert_int_eq(rouse_async_close_wait(target, on_closed, &is_closed), 0);
                } else {
                        /* With sends on its stripes that nobody takes. */
                        ck_assert_int_eq(rouse_async_close_wait(target, on_closed, &is_closed), 0);
                        (void)join(threads);
                }
                while (!is_closed)
                        fixture_pass(&fixture);
                if (round < N_STRIPE_SETS + 5)
                        rouse_async_release(target);
        }
        close_target();
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(one_wake_is_for_the_loop_and_the_crowd),
                TEST(a_crowd_gets_stripes_and_is_counted),
                TEST(one_sender_gets_none),
                TEST(a_loop_that_was_hammered_comes_to_rest),
                TEST(closing_under_a_crowd_refuses_the_rest),
                TEST(sets_are_lent_again),
                {0},
        };

        return test_main("hub-crowd", tests, argc, argv);
}
