/* Sends of the loop's own thread, which are counted apart: alone, and mixed with others'. */

#include <stdatomic.h>
#include <stdio.h>

#include "lib/async.h"
#include "lib/loopside.h"
#include "tests/hub-fixture.h"
#include "tests/support.h"

#define N_MANY (3 * LOOPSIDE_SLOTS)

static struct fixture fixture;
static rouse_async_t *a, *b, *c;

static void open_three(void) {
        fixture_open(&fixture);
        fixture_keep(&fixture);
        a = fixture_create(&fixture, "a");
        b = fixture_create(&fixture, "b");
        c = fixture_create(&fixture, "c");
}

static void close_three(void) {
        rouse_async_release(a);
        rouse_async_release(b);
        rouse_async_release(c);
        fixture_let_go(&fixture);
        fixture_close(&fixture);
}

static void send_elsewhere(void *async) {
        ck_assert_int_eq(rouse_async_send(async), 0);
}

static void send_here(rouse_async_t *async) {
        ck_assert_int_eq(rouse_async_send(async), 0);
}

static void others_and_own_sends_share_an_order(void) {
        open_three();
        send_here(c);
        fixture_elsewhere(send_elsewhere, a);
        send_here(b);
        fixture_pass(&fixture);
        fixture_expect(&fixture, "c:1 a:1 b:1 ");
        fixture_elsewhere(send_elsewhere, b);
        send_here(a);
        fixture_elsewhere(send_elsewhere, c);
        fixture_pass(&fixture);
        fixture_expect(&fixture, "b:1 a:1 c:1 ");
        close_three();
}

static void others_and_own_sends_share_a_wake(void) {
        open_three();
        send_here(a);
        send_here(a);
        fixture_elsewhere(send_elsewhere, a);
        send_here(a);
        fixture_elsewhere(send_elsewhere, b);
        send_here(b);
        send_here(b);
        fixture_pass(&fixture);
        fixture_expect(&fixture, "a:4 b:3 ");
        fixture_pass(&fixture);
        fixture_expect(&fixture, "");
        close_three();
}

static void on_wake_send_to_all(rouse_async_t *async, uint64_t n_sends) {
        fixture_on_wake(async, n_sends);
        send_here(a); /* waits for its turn in this pass */
        send_here(b); /* waits, from elsewhere */
        send_here(async);
        send_here(c); /* does not wait */
}

static void a_callback_adds_to_what_waits_and_starts_nothing_new_in_its_pass(void) {
        rouse_async_t *first;

        open_three();
        ck_assert_int_eq(
                rouse_async_create(fixture.hub, "first", on_wake_send_to_all, &fixture, &first), 0);
        send_here(first);
        send_here(a);
        fixture_elsewhere(send_elsewhere, b);
        fixture_pass(&fixture);
        fixture_expect(&fixture, "first:1 a:2 b:2 ");
        rouse_async_release(first); /* with a send of its own pending */
        fixture_pass(&fixture);
        fixture_expect(&fixture, "c:1 ");
        close_three();
}

static void more_handles_than_slots_are_woken_in_order(void) {
        rouse_async_t *many[N_MANY];
        char name[16], expected[sizeof(fixture.trace)];
        size_t n = 0;

        open_three();
        for (unsigned int i = 0; i < N_MANY; i++) {
                snprintf(name, sizeof(name), "h%x", i);
                many[i] = fixture_create(&fixture, name);
        }
        for (int round = 0; round < 3; round++) {
                unsigned int n_used = round == 0 ? 200 : round == 1 ? 300 : N_MANY / 2;

                n = 0;
                for (unsigned int i = 0; i < n_used; i++) {
                        send_here(many[i]);
                        n += (size_t)snprintf(expected + n, sizeof(expected) - n, "h%x:2 ", i);
                }
                for (unsigned int i = n_used; i > 0; i--)
                        send_here(many[i - 1]);
                fixture_pass(&fixture);
                fixture_expect(&fixture, expected);
        }
        for (unsigned int i = 0; i < N_MANY; i++)
                rouse_async_release(many[i]);
        close_three();
}

static void expect_counts(rouse_async_t *async, uint64_t wakes, uint64_t coalesced,
                          uint64_t pending) {
        rouse_async_stats_t stats;

        rouse_async_stats(async, &stats);
        ck_assert_uint_eq(stats.wakes, wakes);
        ck_assert_uint_eq(stats.coalesced, coalesced);
        ck_assert_uint_eq(stats.pending, pending);
        ck_assert_uint_eq(stats.sends, wakes + coalesced + pending);
}

static void a_handle_counts_more_than_its_byte_holds(void) {
        static const struct {
                unsigned int n_before, n_at_once;
        } sends[] = {{254, 1}, {255, 1}, {256, 1}, {1, 255}, {0, 255}, {0, 256}, {100, 100000}};
        char expected[64];

        open_three();
        for (size_t i = 0; i < sizeof(sends) / sizeof(*sends); i++) {
                unsigned int n = sends[i].n_before + sends[i].n_at_once;
                rouse_async_stats_t stats;

                for (unsigned int k = 0; k < sends[i].n_before; k++)
                        send_here(a);
                ck_assert_int_eq(rouse__async_send_many(a, sends[i].n_at_once), 0);
                send_here(b);
                send_here(a);
                rouse_async_stats(a, &stats);
                ck_assert_uint_eq(stats.pending, n + 1);
                fixture_pass(&fixture);
                snprintf(expected, sizeof(expected), "a:%u b:1 ", n + 1);
                fixture_expect(&fixture, expected);
                fixture_pass(&fixture);
                fixture_expect(&fixture, "");
        }
        for (unsigned int k = 0; k < 600; k++)
                send_here(c);
        ck_assert_int_eq(rouse_async_close(c), 0);
        ck_assert_int_eq(rouse_async_send(c), UV_EBADF);
        expect_counts(c, 0, 0, 600);
        fixture_pass(&fixture);
        fixture_expect(&fixture, "");
        close_three();
}

static void closing_drops_what_is_pending_and_counts_it(void) {
        open_three();
        send_here(a);
        send_here(b);
        send_here(b);
        fixture_elsewhere(send_elsewhere, b);
        expect_counts(b, 0, 0, 3);
        send_here(c);
        ck_assert_int_eq(rouse_async_close(b), 0);
        ck_assert_int_eq(rouse_async_send(b), UV_EBADF);
        expect_counts(b, 0, 0, 3);
        fixture_pass(&fixture);
        fixture_expect(&fixture, "a:1 c:1 ");
        expect_counts(a, 1, 0, 0);
        expect_counts(b, 0, 0, 3);
        close_three();
}

static void on_wake_close_and_release(rouse_async_t *async, uint64_t n_sends) {
        fixture_on_wake(async, n_sends);
        send_here(b);
        ck_assert_int_eq(rouse_async_close(b), 0);
        rouse_async_release(b); /* its memory goes, and its place in the queue is nobody's */
        b = fixture_create(&fixture, "b");
        send_here(b);
}

static void what_goes_while_it_waits_leaves_its_place(void) {
        rouse_async_t *first;

        open_three();
        ck_assert_int_eq(rouse_async_create(fixture.hub, "first", on_wake_close_and_release,
                                            &fixture, &first),
                         0);
        for (int i = 0; i < 300; i++) {
                send_here(first);
                send_here(b);
                send_here(c);
                fixture_pass(&fixture);
                fixture_expect(&fixture, "first:1 c:1 ");
                /* The new b was sent to in that pass. */
                send_here(a);
                fixture_pass(&fixture);
                fixture_expect(&fixture, "b:1 a:1 ");
        }
        rouse_async_release(first);
        close_three();
}

/* Another thread takes snapshots all the time. */

static atomic_bool is_over;
static uint64_t n_told;

static void watch(void *arg) {
        rouse_async_stats_t stats, last = {0};
        uint64_t n_looks = 0;

        (void)arg;
        while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
                rouse_async_stats(a, &stats);
                ck_assert_uint_eq(stats.sends, stats.wakes + stats.coalesced + stats.pending);
                ck_assert_uint_ge(stats.sends, last.sends);
                ck_assert_uint_ge(stats.wakes, last.wakes);
                ck_assert_uint_ge(stats.coalesced, last.coalesced);
                last = stats;
                n_looks++;
        }
        ck_assert_uint_gt(n_looks, 0);
}

static void on_wake_count(rouse_async_t *async, uint64_t n_sends) {
        (void)async;
        n_told += n_sends;
}

static void send_many_elsewhere(void *arg) {
        (void)arg;
        for (int i = 0; i < 50000; i++)
                ck_assert_int_eq(rouse_async_send(a), 0);
}

static void snapshots_are_steady_under_mixed_sends(void) {
        const uint64_t n_here = test_slow_ms(1) > 1 ? 20000 : 200000;
        uv_thread_t watcher, sender;
        rouse_async_stats_t stats;
        uint64_t n_turn = 5;

        fixture_open(&fixture);
        fixture_keep(&fixture);
        ck_assert_int_eq(rouse_async_create(fixture.hub, NULL, on_wake_count, NULL, &a), 0);
        ck_assert_int_eq(uv_thread_create(&watcher, watch, NULL), 0);
        ck_assert_int_eq(uv_thread_create(&sender, send_many_elsewhere, NULL), 0);
        for (uint64_t i = 0; i < n_here; i++) {
                send_here(a);
                if (i % n_turn == 0) {
                        fixture_pass(&fixture);
                        n_turn = n_turn == 5 ? 700 : 5; /* few, or more than it holds */
                }
        }
        uv_thread_join(&sender);
        fixture_pass(&fixture);
        atomic_store_explicit(&is_over, true, memory_order_relaxed);
        uv_thread_join(&watcher);
        rouse_async_stats(a, &stats);
        ck_assert_uint_eq(stats.sends, n_here + 50000);
        ck_assert_uint_eq(stats.pending, 0);
        ck_assert_uint_eq(n_told, n_here + 50000);
        rouse_async_release(a);
        fixture_let_go(&fixture);
        fixture_close(&fixture);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(others_and_own_sends_share_an_order),
                TEST(others_and_own_sends_share_a_wake),
                TEST(a_callback_adds_to_what_waits_and_starts_nothing_new_in_its_pass),
                TEST(more_handles_than_slots_are_woken_in_order),
                TEST(a_handle_counts_more_than_its_byte_holds),
                TEST(closing_drops_what_is_pending_and_counts_it),
                TEST(what_goes_while_it_waits_leaves_its_place),
                TEST(snapshots_are_steady_under_mixed_sends),
                {0},
        };

        return test_main("hub-loopside", tests, argc, argv);
}
