/*
 * The litmus test of the promise: a payload is stored with a weak order, then the handle is sent
 * to; a wake that starts after the send must see the payload. It is known to fail with senders that
 * only look whether a wake is pending, because such a look may pass the store before it.
 *
 * Two threads run free: the sender counts up, and now and then waits until the count has arrived. A
 * payload that no wake has seen, with no more sends to come, is a lost one.
 */

#include <stdatomic.h>
#include <stdlib.h>

#include "tests/hub-fixture.h"
#include "tests/support.h"

#define N_ROUNDS 300000
#define N_FREE   8 /* sends between two waits */

static struct fixture fixture;
static rouse_async_t *target;
static _Atomic uint64_t payload;
static _Atomic uint64_t seen; /* the highest payload that a wake has seen */
static memory_order store_order;
static uv_sem_t arrived;

static void on_wake_look(rouse_async_t *async, uint64_t n_sends) {
        uint64_t value = atomic_load_explicit(&payload, memory_order_relaxed);

        (void)n_sends;
        ck_assert_uint_ge(value, atomic_load_explicit(&seen, memory_order_relaxed));
        atomic_store_explicit(&seen, value, memory_order_release);
        if (value % N_FREE == 0)
                uv_sem_post(&arrived);
        if (value == N_ROUNDS)
                rouse_async_unref(async);
}

static void send_payloads(void *arg) {
        (void)arg;
        for (uint64_t i = 1; i <= N_ROUNDS; i++) {
                atomic_store_explicit(&payload, i, store_order);
                ck_assert_int_eq(rouse_async_send(target), 0);
                /* A spurious post is one from a wake that found nothing new. If a wake is lost,
                 * nobody posts, and the test's time runs out. */
                while (i % N_FREE == 0 && atomic_load_explicit(&seen, memory_order_acquire) < i)
                        uv_sem_wait(&arrived);
        }
}

static void payloads_arrive(memory_order order) {
        uv_thread_t thread;

        store_order = order;
        fixture_open(&fixture);
        uv_sem_init(&arrived, 0);
        ck_assert_int_eq(rouse_async_create(fixture.hub, NULL, on_wake_look, NULL, &target), 0);
        rouse_async_ref(target);
        ck_assert_int_eq(uv_thread_create(&thread, send_payloads, NULL), 0);
        fixture_run(&fixture);
        uv_thread_join(&thread);
        ck_assert_uint_eq(seen, N_ROUNDS);
        rouse_async_release(target);
        uv_sem_destroy(&arrived);
        fixture_close(&fixture);
}

static void a_payload_stored_relaxed_is_seen(void) {
        payloads_arrive(memory_order_relaxed);
}

static void a_payload_stored_with_release_is_seen(void) {
        payloads_arrive(memory_order_release);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(a_payload_stored_relaxed_is_seen),
                TEST(a_payload_stored_with_release_is_seen),
                {0},
        };

        return test_main("hub-litmus", tests, argc, argv);
}
