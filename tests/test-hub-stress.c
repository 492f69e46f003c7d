/* Many threads send to one, to some and to many handles: the counts are exact, and the callbacks
 * run on the loop thread only. */

#include <pthread.h>
#include <stdlib.h>

#include "tests/hub-fixture.h"
#include "tests/support.h"

#define N_THREADS 8
#define N_SENDS   20000

static struct fixture fixture;
static pthread_t loop_thread;

static rouse_async_t **targets;
static size_t n_targets;
static uint64_t n_received, n_wakes;
static uv_barrier_t barrier;

static void on_wake_count(rouse_async_t *async, uint64_t n_sends) {
        ck_assert(pthread_equal(pthread_self(), loop_thread));
        ck_assert_uint_gt(n_sends, 0);
        *(uint64_t *)rouse_async_data(async) += n_sends;
        n_received += n_sends;
        n_wakes++;
        if (n_received == N_THREADS * N_SENDS)
                fixture_let_go(&fixture);
}

static void send_all(void *arg) {
        size_t i = *(unsigned int *)arg;

        uv_barrier_wait(&barrier);
        for (int n = 0; n < N_SENDS; n++) {
                ck_assert_int_eq(rouse_async_send(targets[i % n_targets]), 0);
                i += 7919; /* a prime: each thread goes through all targets in its own order */
        }
}

static void count_sends_to(size_t n) {
        uint64_t *counts = calloc(n, sizeof(*counts));
        uv_thread_t threads[N_THREADS];
        unsigned int starts[N_THREADS];

        ck_assert_ptr_nonnull(counts);
        fixture_open(&fixture);
        loop_thread = pthread_self();
        n_targets = n;
        targets = calloc(n, sizeof(*targets));
        for (size_t i = 0; i < n; i++)
                ck_assert_int_eq(rouse_async_create(fixture.hub, NULL, on_wake_count, &counts[i],
                                                    &targets[i]),
                                 0);
        fixture_keep(&fixture);
        uv_barrier_init(&barrier, N_THREADS);
        for (unsigned int i = 0; i < N_THREADS; i++) {
                starts[i] = i * 1237;
                ck_assert_int_eq(uv_thread_create(&threads[i], send_all, &starts[i]), 0);
        }
        fixture_run(&fixture);
        for (int i = 0; i < N_THREADS; i++)
                uv_thread_join(&threads[i]);
        uv_barrier_destroy(&barrier);
        ck_assert_uint_eq(n_received, N_THREADS * N_SENDS);
        for (size_t i = 0; i < n; i++) {
                rouse_async_stats_t stats;

                rouse_async_stats(targets[i], &stats);
                ck_assert_uint_eq(stats.sends, counts[i]);
                ck_assert_uint_eq(stats.pending, 0);
                n_wakes -= stats.wakes;
                rouse_async_release(targets[i]);
        }
        ck_assert_uint_eq(n_wakes, 0);
        free(targets);
        free(counts);
        fixture_close(&fixture);
}

static void every_send_to_1_handle_is_counted(void) {
        count_sends_to(1);
}

static void every_send_to_100_handles_is_counted(void) {
        count_sends_to(100);
}

static void every_send_to_10000_handles_is_counted(void) {
        count_sends_to(10000);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(every_send_to_1_handle_is_counted),
                TEST(every_send_to_100_handles_is_counted),
                TEST(every_send_to_10000_handles_is_counted),
                {0},
        };

        return test_main("hub-stress", tests, argc, argv);
}
