/*
 * Sends from signal handlers, which interrupt the loop's thread wherever it is.
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/hub-fixture.h"
#include "tests/support.h"

static struct fixture fixture;
static rouse_async_t *target;
static volatile sig_atomic_t n_handled; /* only this thread's */
static uint64_t n_received, n_wanted;
static uv_sem_t handled;

static void on_signal(int signo) {
        int saved_errno = errno;

        (void)signo;
        errno = ENOTTY;
        if (rouse_async_send(target) == 0)
                n_handled++;
        if (errno != ENOTTY)
                _exit(99);
        uv_sem_post(&handled);
        errno = saved_errno;
}

static void handle(int signo, int flags) {
        struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};

        sigemptyset(&action.sa_mask);
        ck_assert_int_eq(sigaction(signo, &action, NULL), 0);
}

static void on_wake_stop_at_wanted(rouse_async_t *async, uint64_t n_sends) {
        n_received += n_sends;
        if (n_received >= n_wanted)
                rouse_async_unref(async);
}

static void open_target(rouse_async_cb cb) {
        ck_assert_int_eq(uv_sem_init(&handled, 0), 0);
        fixture_open(&fixture);
        ck_assert_int_eq(rouse_async_create(fixture.hub, "target", cb, NULL, &target), 0);
        rouse_async_ref(target);
}

static void close_target(void) {
        rouse_async_release(target);
        fixture_close(&fixture);
        uv_sem_destroy(&handled);
}

static void a_handler_that_this_thread_raises_wakes(void) {
        open_target(on_wake_stop_at_wanted);
        handle(SIGUSR1, 0);
        n_wanted = 3;
        for (int i = 0; i < 3; i++)
                raise(SIGUSR1);
        fixture_run(&fixture);
        ck_assert_uint_eq(n_received, 3);
        close_target();
}

/* It has a copy of the hub, and the same eventfd. */
static void raise_in_a_child(void) {
        pid_t child = fork();
        int status;

        ck_assert_int_ge(child, 0);
        if (child == 0) {
                raise(SIGUSR1);
                _exit(0);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
}

static void on_time(uv_timer_t *timer) {
        (void)timer;
}

/* How often the loop turns until a timer of so many ms is due. */
static unsigned int count_turns(unsigned int ms) {
        uv_timer_t timer;
        unsigned int n = 0;

        uv_timer_init(&fixture.loop, &timer);
        uv_timer_start(&timer, on_time, ms, 0);
        for (; uv_is_active((uv_handle_t *)&timer); n++)
                uv_run(&fixture.loop, UV_RUN_ONCE);
        uv_close((uv_handle_t *)&timer, NULL);
        fixture_pass(&fixture);
        return n;
}

static void a_handler_in_a_child_after_fork_costs_one_turn(void) {
        open_target(on_wake_stop_at_wanted);
        handle(SIGUSR1, 0);
        n_wanted = 1;
        fixture_pass(&fixture);
        raise_in_a_child();
        ck_assert_uint_le(count_turns(100), 4);
        ck_assert_uint_eq(n_received, 0);
        /* And beside a ring of one's own. */
        raise_in_a_child();
        raise(SIGUSR1);
        fixture_run(&fixture);
        ck_assert_uint_eq(n_received, 1);
        close_target(); /* closes the hub, and the loop is empty then */
}

static bool loop_sleeps(void *arg) {
        char *stat = test_read_file(arg);
        const char *after = stat ? strrchr(stat, ')') : NULL;
        bool sleeps = after && after[1] == ' ' && after[2] == 'S';

        free(stat);
        return sleeps;
}

static pthread_t loop_thread;
static char loop_stat[64];

static void interrupt_each_sleep(void *arg) {
        (void)arg;
        for (int i = 0; i < 20; i++) {
                ck_assert(test_until(loop_sleeps, loop_stat, test_slow_ms(10000)));
                ck_assert_int_eq(pthread_kill(loop_thread, SIGUSR1), 0);
                uv_sem_wait(&handled); /* or two signals become one */
        }
}

/* The loop's thread lies in epoll_wait(), and the handler is all that runs on it: it rings the bell
 * of its own loop. With SA_RESTART or without, epoll_wait() fails with EINTR, and libuv calls it
 * again. */
static void a_handler_that_interrupts_the_sleeping_loop_wakes_it(void) {
        uv_thread_t thread;

        open_target(on_wake_stop_at_wanted);
        handle(SIGUSR1, 0);
        loop_thread = pthread_self();
        snprintf(loop_stat, sizeof(loop_stat), "/proc/self/task/%d/stat", (int)gettid());
        n_wanted = 20;
        ck_assert_int_eq(uv_thread_create(&thread, interrupt_each_sleep, NULL), 0);
        fixture_run(&fixture);
        uv_thread_join(&thread);
        ck_assert_uint_eq(n_received, (uint64_t)n_handled);
        close_target();
}

#define N_OTHERS 64

static rouse_async_t *others[N_OTHERS];
static uint64_t n_sent_on;

/* Keeps the loop in the middle of its passes: every wake sends to all. */
static void on_wake_send_on(rouse_async_t *async, uint64_t n_sends) {
        n_received += n_sends;
        for (int i = 0; i < N_OTHERS; i++)
                rouse_async_send(others[i]);
        if (n_handled >= 2000)
                rouse_async_unref(async);
}

static void on_other(rouse_async_t *async, uint64_t n_sends) {
        uint64_t *n = rouse_async_data(async);

        *n += n_sends;
        if (rouse_async_has_ref(target) && rouse_async_send(target) == 0)
                n_sent_on++;
}

/* A timer fires as fast as it can while the loop dispatches, sends, arms and disarms, with no other
 * thread to make up for a lost wake: each wake depends on the one before. */
static void a_handler_that_hammers_the_dispatching_loop_loses_nothing(void) {
        const struct itimerspec period = {.it_interval.tv_nsec = 20000, .it_value.tv_nsec = 20000};
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
        rouse_async_stats_t stats;
        uint64_t n_others = 0;
        timer_t timer;

        open_target(on_wake_send_on);
        for (int i = 0; i < N_OTHERS; i++)
                ck_assert_int_eq(
                        rouse_async_create(fixture.hub, NULL, on_other, &n_others, &others[i]), 0);
        handle(SIGALRM, SA_RESTART);
        ck_assert_int_eq(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
        ck_assert_int_eq(timer_settime(timer, 0, &period, NULL), 0);
        fixture_run(&fixture);
        ck_assert_int_eq(timer_delete(timer), 0);
        /* What came after the hold was dropped waits for the next run. */
        fixture_keep(&fixture);
        fixture_pass(&fixture);
        fixture_pass(&fixture);
        rouse_async_stats(target, &stats);
        ck_assert_uint_eq(stats.pending, 0);
        ck_assert_uint_eq(stats.sends, n_received);
        ck_assert_uint_eq(n_received, (uint64_t)n_handled + n_sent_on);
        for (int i = 0; i < N_OTHERS; i++)
                rouse_async_release(others[i]);
        close_target();
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(a_handler_in_a_child_after_fork_costs_one_turn),
                TEST(a_handler_that_this_thread_raises_wakes),
                TEST(a_handler_that_interrupts_the_sleeping_loop_wakes_it),
                TEST(a_handler_that_hammers_the_dispatching_loop_loses_nothing),
                {0},
        };

        return test_main("hub-signal", tests, argc, argv);
}
