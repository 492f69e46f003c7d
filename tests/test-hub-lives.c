/*
 * Handles that are made, closed and dropped, and hubs that are closed, while other threads send to
 * them. The sanitizers watch the memory; the tests, that callbacks come where and when they may.
 */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "tests/hub-fixture.h"
#include "tests/support.h"

#define N_THREADS 4
#define N_SLOTS   8
#define N_STEPS   4000
#define N_HUBS    150
#define N_NAMES   4000

static struct fixture fixture;
static pthread_t loop_thread;
static atomic_bool is_over; /* relaxed: it carries nothing, the threads are joined */

/* Where senders find handles. */
static struct slot {
        uv_mutex_t mutex;
        rouse_async_t *async; /* a reference, or NULL */
} slots[N_SLOTS];

static rouse_async_t *slot_get(struct slot *slot) {
        rouse_async_t *async;

        uv_mutex_lock(&slot->mutex);
        async = slot->async ? rouse_async_retain(slot->async) : NULL;
        uv_mutex_unlock(&slot->mutex);
        return async;
}

/* Returns what was there. */
static rouse_async_t *slot_swap(struct slot *slot, rouse_async_t *async) {
        rouse_async_t *old;

        uv_mutex_lock(&slot->mutex);
        old = slot->async;
        slot->async = async;
        uv_mutex_unlock(&slot->mutex);
        return old;
}

static void send_some(rouse_async_t *async, unsigned int *seed) {
        rouse_async_stats_t stats;

        for (int i = rand_r(seed) % 4; i >= 0; i--) {
                int r = rouse_async_send(async);

                ck_assert(r == 0 || r == UV_EBADF);
                ck_assert(r == 0 || !rouse_async_is_active(async));
        }
        rouse_async_stats(async, &stats);
        ck_assert_uint_eq(stats.sends, stats.wakes + stats.coalesced + stats.pending);
        ck_assert(!rouse_async_has_ref(async));
}

static void send_to_slots(void *arg) {
        unsigned int *seed = arg;

        while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
                rouse_async_t *async = slot_get(&slots[rand_r(seed) % N_SLOTS]);

                if (!async)
                        continue;
                send_some(async, seed);
                rouse_async_release(async);
        }
}

static void send_to_slots_and_drop(void *arg) {
        unsigned int *seed = arg;

        while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
                struct slot *slot = &slots[rand_r(seed) % N_SLOTS];
                rouse_async_t *async = slot_get(slot);

                if (!async)
                        continue;
                send_some(async, seed);
                if (rand_r(seed) % 8 == 0)
                        rouse_async_release(slot_swap(slot, NULL));
                rouse_async_release(async);
        }
}

/* Runs the loop with `step` at each pass, beside threads of `fn`. */
static void run_beside(uv_thread_cb fn, uv_idle_cb step) {
        uv_thread_t threads[N_THREADS];
        unsigned int seeds[N_THREADS];
        uv_idle_t idle;

        fixture_open(&fixture);
        loop_thread = pthread_self();
        for (int i = 0; i < N_SLOTS; i++)
                uv_mutex_init(&slots[i].mutex);
        uv_idle_init(&fixture.loop, &idle);
        uv_idle_start(&idle, step);
        for (unsigned int i = 0; i < N_THREADS; i++) {
                seeds[i] = i + 1;
                ck_assert_int_eq(uv_thread_create(&threads[i], fn, &seeds[i]), 0);
        }
        fixture_run(&fixture);
        for (int i = 0; i < N_THREADS; i++)
                uv_thread_join(&threads[i]);
        uv_close((uv_handle_t *)&idle, NULL);
        for (int i = 0; i < N_SLOTS; i++)
                rouse_async_release(slot_swap(&slots[i], NULL));
        fixture_close(&fixture);
        for (int i = 0; i < N_SLOTS; i++)
                uv_mutex_destroy(&slots[i].mutex);
}

/* Whether this was the last step. */
static bool is_last_step(uv_idle_t *idle) {
        static int n_steps;

        if (++n_steps < N_STEPS)
                return false;
        uv_idle_stop(idle);
        atomic_store_explicit(&is_over, true, memory_order_relaxed);
        return true;
}

/* What a handle's data points to. It is freed in the close callback: would one more wake come, the
 * sanitizers would see it. */
struct life {
        uint64_t n_sends, number;
};

static rouse_async_t *own[N_SLOTS]; /* the loop's references */
static uint64_t n_closed, n_ended;

static void on_life_wake(rouse_async_t *async, uint64_t n_sends) {
        struct life *life = rouse_async_data(async);

        ck_assert(pthread_equal(pthread_self(), loop_thread));
        ck_assert(rouse_async_is_active(async));
        life->n_sends += n_sends;
}

static void on_life_end(void *arg) {
        struct life *life = arg;

        ck_assert_uint_eq(life->number, n_ended++); /* in the order of the calls */
        free(life);
}

static void close_life(int i) {
        struct life *life;

        if (!own[i])
                return;
        life = rouse_async_data(own[i]);
        life->number = n_closed++;
        ck_assert_int_eq(rouse_async_close_wait(own[i], on_life_end, life), 0);
        rouse_async_release(own[i]);
        own[i] = NULL;
}

static void step_life(uv_idle_t *idle) {
        static unsigned int seed = 4711;
        int i = rand_r(&seed) % N_SLOTS;

        if (is_last_step(idle)) {
                for (i = 0; i < N_SLOTS; i++)
                        close_life(i);
                return;
        }
        close_life(i);
        ck_assert_int_eq(rouse_async_create(fixture.hub, NULL, on_life_wake,
                                            calloc(1, sizeof(struct life)), &own[i]),
                         0);
        rouse_async_release(slot_swap(&slots[i], rouse_async_retain(own[i])));
}

static void data_may_be_freed_in_the_close_callback(void) {
        run_beside(send_to_slots, step_life);
        ck_assert_uint_eq(n_closed, n_ended);
        ck_assert_uint_gt(n_ended, 0);
}

static uint64_t n_open;

static void on_each_count(rouse_async_t *async, void *arg) {
        (void)async;
        ++*(uint64_t *)arg;
}

static void step_drop(uv_idle_t *idle) {
        static unsigned int seed = 4712;
        struct slot *slot = &slots[rand_r(&seed) % N_SLOTS];
        rouse_async_t *async;
        uint64_t n = 0;

        if (is_last_step(idle))
                return;
        ck_assert_int_eq(rouse_async_create(fixture.hub, NULL, NULL, NULL, &async), 0);
        if (rand_r(&seed) % 3 == 0)
                rouse_async_close(async);
        rouse_async_release(slot_swap(slot, async));
        rouse_hub_each(fixture.hub, on_each_count, &n);
        n_open = n > n_open ? n : n_open;
}

static void dropped_handles_are_closed_and_freed(void) {
        run_beside(send_to_slots_and_drop, step_drop);
        /* In the slots, in senders' hands, and on their way to the loop: far from all. */
        ck_assert_uint_lt(n_open, N_STEPS / 4);
}

/* A name whose last reference is given back elsewhere, while the loop's thread wants it again. */

static _Atomic(rouse_async_t *) handed_over;

static void send_and_release(void *arg) {
        (void)arg;
        for (unsigned int n = 0; n < N_NAMES;) {
                rouse_async_t *async =
                        atomic_exchange_explicit(&handed_over, NULL, memory_order_acquire);

                if (!async)
                        continue;
                if (n % 3 != 0)
                        ck_assert_int_eq(rouse_async_send(async), 0);
                rouse_async_release(async);
                n++;
        }
}

static void a_name_is_free_with_its_last_reference(void) {
        uv_thread_t thread;

        fixture_open(&fixture);
        fixture_keep(&fixture);
        ck_assert_int_eq(uv_thread_create(&thread, send_and_release, NULL), 0);
        for (unsigned int n = 0; n < N_NAMES;) {
                rouse_async_t *async;
                int r = rouse_async_create(fixture.hub, "name", NULL, NULL, &async);

                if (r == 0) {
                        ck_assert_ptr_eq(rouse_hub_find(fixture.hub, "name"), async);
                        atomic_store_explicit(&handed_over, async, memory_order_release);
                        n++;
                } else {
                        ck_assert_int_eq(r, UV_EEXIST);
                        sched_yield();
                }
                if (n % 7 == 0)
                        fixture_pass(&fixture);
        }
        uv_thread_join(&thread);
        /* Without a pass. */
        ck_assert_ptr_null(rouse_hub_find(fixture.hub, "name"));
        fixture_pass(&fixture);
        fixture_let_go(&fixture);
        fixture_close(&fixture);
}

/* A hub that is closed under its senders. */

static rouse_async_t *shared;
static uv_barrier_t barrier;

static void send_until_closed(void *arg) {
        rouse_async_t *async = shared;

        (void)arg;
        uv_barrier_wait(&barrier);
        while (rouse_async_send(async) == 0)
                ;
        ck_assert(!rouse_async_is_active(async));
        rouse_async_release(async);
}

static void on_wake_close_hub(rouse_async_t *async, uint64_t n_sends) {
        unsigned int *n_left = rouse_async_data(async);

        (void)n_sends;
        if (--*n_left == 0)
                ck_assert_int_eq(rouse_hub_close(fixture.hub, NULL, NULL), 0);
}

static void a_hub_may_be_closed_under_its_senders(void) {
        unsigned int n_left;

        for (unsigned int round = 0; round < N_HUBS; round++) {
                uv_thread_t threads[2];

                fixture_open(&fixture);
                n_left = 1 + round % 5;
                ck_assert_int_eq(rouse_async_create(fixture.hub, "shared", on_wake_close_hub,
                                                    &n_left, &shared),
                                 0);
                rouse_async_ref(shared);
                uv_barrier_init(&barrier, 3);
                for (int i = 0; i < 2; i++) {
                        rouse_async_retain(shared);
                        ck_assert_int_eq(uv_thread_create(&threads[i], send_until_closed, NULL), 0);
                }
                uv_barrier_wait(&barrier);
                rouse_async_release(shared);
                fixture_run(&fixture);
                fixture.hub = NULL;
                fixture_close(&fixture); /* the senders may not have noticed yet */
                for (int i = 0; i < 2; i++)
                        uv_thread_join(&threads[i]);
                uv_barrier_destroy(&barrier);
        }
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(data_may_be_freed_in_the_close_callback),
                TEST(dropped_handles_are_closed_and_freed),
                TEST(a_name_is_free_with_its_last_reference),
                TEST(a_hub_may_be_closed_under_its_senders),
                {0},
        };

        return test_main("hub-lives", tests, argc, argv);
}
