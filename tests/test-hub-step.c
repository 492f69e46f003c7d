/*
 * A signal handler of the loop's thread that sends to a handle while that is being closed: before
 * each single instruction of the close, one after the other. What it sends is delivered before the
 * close, dropped or refused; no callback comes after.
 */

#include <signal.h>
#include <stdbool.h>

#include "tests/hub-fixture.h"
#include "tests/support.h"

#ifdef __x86_64__

#define TRAP_FLAG 0x100L

static struct fixture fixture;
static rouse_async_t *target;
static bool is_closed, is_freed, has_sent;
static unsigned long n_steps, send_at; /* instructions */

static void on_trap(int signo, siginfo_t *info, void *context) {
        greg_t *flags = &((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL];

        (void)signo;
        (void)info;
        if (n_steps++ < send_at)
                return;
        *flags &= ~TRAP_FLAG;
        has_sent = true;
        (void)rouse_async_send(target);
}

/* The processor traps after each instruction from here on. Below the stack pointer are 128 bytes
 * that the compiler may use. */
static inline void trap(void) {
        __asm__ volatile("subq $128, %%rsp; pushfq; orq %0, (%%rsp); popfq; addq $128, %%rsp" ::"i"(
                                 TRAP_FLAG)
                         : "memory", "cc");
}

static inline void trap_no_more(void) {
        __asm__ volatile(
                "subq $128, %%rsp; pushfq; andq %0, (%%rsp); popfq; addq $128, %%rsp" ::"i"(
                        ~TRAP_FLAG)
                : "memory", "cc");
}

static void on_wake(rouse_async_t *async, uint64_t n_sends) {
        (void)async;
        (void)n_sends;
        ck_assert_msg(!is_closed, "a callback after the close: sent at instruction %lu", send_at);
}

/* The ways to close. */

static void by_close(void) {
        trap();
        rouse_async_close_noerr(target);
        trap_no_more();
        is_closed = true;
}

static void on_freed(void *arg) {
        (void)arg;
        is_freed = true;
}

static void by_close_wait(void) {
        trap();
        (void)rouse_async_close_wait(target, on_freed, NULL);
        trap_no_more();
        is_closed = true;
}

static void on_wake_close(rouse_async_t *async, uint64_t n_sends) {
        on_wake(async, n_sends);
        by_close_wait();
}

static void in_a_callback(void) {
        (void)rouse_async_send(target);
        fixture_pass(&fixture);
}

static void by_hub_close(void) {
        trap();
        (void)rouse_hub_close(fixture.hub, NULL, NULL);
        trap_no_more();
        fixture.hub = NULL;
        is_closed = true;
}

/* Closes a handle while it is sent to at one instruction. False: the close has fewer. */
static bool close_with_a_send_at(unsigned long k, rouse_async_cb cb, void (*close)(void)) {
        is_closed = is_freed = has_sent = false;
        n_steps = 0;
        send_at = k;
        fixture_open(&fixture);
        fixture_keep(&fixture);
        ck_assert_int_eq(rouse_async_create(fixture.hub, "target", cb, NULL, &target), 0);
        close();
        ck_assert(is_closed);
        rouse_async_release(target);
        fixture_pass(&fixture);
        fixture_pass(&fixture);
        ck_assert(is_freed == (close == by_close_wait || close == in_a_callback));
        fixture_let_go(&fixture);
        fixture_close(&fixture);
        return has_sent;
}

static void close_with_a_send_at_each(rouse_async_cb cb, void (*close)(void)) {
        const struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
        /* The sanitizer's own instructions are many; those between are not all of them. */
        const unsigned long step = test_has_address_sanitizer() ? 11 : 1;
        unsigned long k = 0;

        if (test_has_thread_sanitizer()) {
                test_skip("the sanitizer keeps signals back");
                return;
        }
        ck_assert_int_eq(sigaction(SIGTRAP, &action, NULL), 0);
        while (close_with_a_send_at(k, cb, close))
                k += step;
        ck_assert_uint_gt(k, 50);
}

static void close_drops_what_comes_in_its_midst(void) {
        close_with_a_send_at_each(on_wake, by_close);
}

static void close_wait_is_the_end(void) {
        close_with_a_send_at_each(on_wake, by_close_wait);
}

static void close_wait_in_the_own_callback_is_the_end(void) {
        close_with_a_send_at_each(on_wake_close, in_a_callback);
}

static void the_close_of_a_hub_closes_its_handles(void) {
        close_with_a_send_at_each(on_wake, by_hub_close);
}

#else

static void nothing_is_stepped(void) {
        test_skip("this processor is not known to step");
}

#endif

int main(int argc, char **argv) {
        static const struct test tests[] = {
#ifdef __x86_64__
                TEST(close_drops_what_comes_in_its_midst),
                TEST(close_wait_is_the_end),
                TEST(close_wait_in_the_own_callback_is_the_end),
                TEST(the_close_of_a_hub_closes_its_handles),
#else
                TEST(nothing_is_stepped),
#endif
                {0},
        };

        return test_main("hub-step", tests, argc, argv);
}
