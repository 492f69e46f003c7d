/*
 * The litmus test of the promise: a payload is stored with a weak order, then the handle is sent
 * to; a wake that starts after the send must see the payload. Senders that only look whether a wake
 * is pending fail it, libuv's among them (its issue 4584): the look may pass the store before it.
 *
 * That takes a wake which begins just between the two. So each round sends once to set a wake off,
 * waits for about as long as it takes to come, writes to many places that are in no cache, which
 * holds up the stores after it, stores the payload and sends again. A payload that no wake sees,
 * with no more sends to come, is a lost one.
 */

#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#include "lib/clock.h"
#include "tests/hub-fixture.h"
#include "tests/support.h"

#define N_ROUNDS     100000
#define MAX_PAUSE_NS 16384
#define MAX_STORES   48 /* about as many as a processor keeps waiting */
#define N_COLD       (16U << 20)
#define DEADLINE_S   10
#define BUDGET_S     5 /* then fewer rounds must do, on slow builds and busy machines */

static struct fixture fixture;
static rouse_async_t *target;
static _Atomic uint64_t payload;
static _Atomic uint64_t seen; /* the last payload that a wake has seen */
static atomic_bool is_over;
static bool with_release;
static volatile char cold[N_COLD];
static sem_t looked;

static void on_wake_look(rouse_async_t *async, uint64_t n_sends) {
        uint64_t value = atomic_load_explicit(&payload, memory_order_relaxed);

        (void)n_sends;
        ck_assert_uint_ge(value, atomic_load_explicit(&seen, memory_order_relaxed));
        atomic_store_explicit(&seen, value, memory_order_release);
        if (atomic_load_explicit(&is_over, memory_order_relaxed))
                rouse_async_unref(async);
        sem_post(&looked);
}

static unsigned int next_random(unsigned int *seed) {
        *seed = *seed * 1664525U + 1013904223U;
        return *seed >> 4;
}

static void wait_until_seen(uint64_t value) {
        struct timespec deadline;

        clock_gettime(CLOCK_REALTIME, &deadline);
        deadline.tv_sec += DEADLINE_S;
        while (atomic_load_explicit(&seen, memory_order_acquire) < value)
                ck_assert_msg(sem_timedwait(&looked, &deadline) == 0, "payload %llu is lost",
                              (unsigned long long)value);
}

static void send_payloads(void *arg) {
        uint64_t end_ns = clock_now_ns() + BUDGET_S * NS_PER_S;
        unsigned int seed = 1;

        (void)arg;
        for (uint64_t i = 1; i <= N_ROUNDS && (i < 1000 || clock_now_ns() < end_ns); i++) {
                uint64_t pause_ns = next_random(&seed) % MAX_PAUSE_NS;
                uint64_t start_ns = clock_now_ns();

                ck_assert_int_eq(rouse_async_send(target), 0);
                while (clock_now_ns() - start_ns < pause_ns)
                        ;
                for (unsigned int n = next_random(&seed) % MAX_STORES; n > 0; n--)
                        cold[next_random(&seed) % N_COLD] = (char)i;
                /* The order has to be a constant: compilers take a variable for seq_cst. */
                if (with_release)
                        atomic_store_explicit(&payload, i, memory_order_release);
                else
                        atomic_store_explicit(&payload, i, memory_order_relaxed);
                ck_assert_int_eq(rouse_async_send(target), 0);
                wait_until_seen(i);
        }
        atomic_store_explicit(&is_over, true, memory_order_relaxed);
        ck_assert_int_eq(rouse_async_send(target), 0);
}

static void payloads_arrive(bool release) {
        uv_thread_t thread;

        with_release = release;
        fixture_open(&fixture);
        ck_assert_int_eq(sem_init(&looked, 0, 0), 0);
        ck_assert_int_eq(rouse_async_create(fixture.hub, NULL, on_wake_look, NULL, &target), 0);
        rouse_async_ref(target);
        ck_assert_int_eq(uv_thread_create(&thread, send_payloads, NULL), 0);
        fixture_run(&fixture);
        uv_thread_join(&thread);
        rouse_async_release(target);
        sem_destroy(&looked);
        fixture_close(&fixture);
}

static void a_payload_stored_relaxed_is_seen(void) {
        payloads_arrive(false);
}

static void a_payload_stored_with_release_is_seen(void) {
        payloads_arrive(true);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(a_payload_stored_relaxed_is_seen),
                TEST(a_payload_stored_with_release_is_seen),
                {0},
        };

        return test_main("hub-litmus", tests, argc, argv);
}
