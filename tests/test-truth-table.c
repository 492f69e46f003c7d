/* The library's promises, row by row: each test's name states one. */

#include "tests/hub-fixture.h"
#include "tests/support.h"

static struct fixture fixture;
static rouse_async_t *a, *b, *c;

static void open_one(void) {
        fixture_open(&fixture);
        a = fixture_create(&fixture, "a");
}

static void open_three(void) {
        open_one();
        b = fixture_create(&fixture, "b");
        c = fixture_create(&fixture, "c");
}

static void close_all(void) {
        rouse_async_release(a);
        rouse_async_release(b);
        rouse_async_release(c);
        fixture_close(&fixture);
}

static void send_n(rouse_async_t *async, int n) {
        for (int i = 0; i < n; i++)
                ck_assert_int_eq(rouse_async_send(async), 0);
}

static void after_create_it_is_active_and_holds_nothing(void) {
        open_one();
        ck_assert(rouse_async_is_active(a));
        ck_assert(!rouse_async_has_ref(a));
        close_all();
}

static void start_and_ref_make_it_hold_the_loop(void) {
        open_one();
        ck_assert_int_eq(rouse_async_start(a), 0);
        ck_assert(rouse_async_has_ref(a));
        ck_assert(uv_loop_alive(&fixture.loop));
        rouse_async_unref(a);
        ck_assert(!rouse_async_has_ref(a));
        ck_assert(!uv_loop_alive(&fixture.loop));
        rouse_async_ref(a);
        ck_assert(rouse_async_has_ref(a));
        ck_assert(uv_loop_alive(&fixture.loop));
        close_all();
}

static void the_hold_is_a_flag_and_not_a_counter(void) {
        open_one();
        ck_assert_int_eq(rouse_async_start(a), 0);
        ck_assert_int_eq(rouse_async_start(a), 0);
        rouse_async_ref(a);
        ck_assert_int_eq(rouse_async_stop(a), 0);
        ck_assert(!rouse_async_has_ref(a));
        ck_assert(!uv_loop_alive(&fixture.loop));
        ck_assert_int_eq(rouse_async_stop(a), 0);
        rouse_async_unref(a);
        ck_assert(!rouse_async_has_ref(a));
        close_all();
}

static void each_handle_holds_the_loop_for_itself(void) {
        open_three();
        rouse_async_ref(a);
        rouse_async_ref(b);
        rouse_async_unref(a);
        ck_assert(uv_loop_alive(&fixture.loop));
        rouse_async_close(b);
        ck_assert(!uv_loop_alive(&fixture.loop));
        close_all();
}

static void after_stop_it_is_active_and_sends_still_wake(void) {
        open_one();
        fixture_keep(&fixture);
        ck_assert_int_eq(rouse_async_start(a), 0);
        ck_assert_int_eq(rouse_async_stop(a), 0);
        ck_assert(rouse_async_is_active(a));
        send_n(a, 1);
        fixture_pass(&fixture);
        fixture_expect(&fixture, "a:1 ");
        close_all();
}

static void a_send_before_start_wakes_once_anything_runs_the_loop(void) {
        open_one();
        send_n(a, 1);
        fixture_run(&fixture);
        fixture_expect(&fixture, ""); /* nothing keeps the loop alive */
        fixture_keep(&fixture);
        fixture_pass(&fixture);
        fixture_expect(&fixture, "a:1 ");
        close_all();
}

static void a_send_after_stop_stays_pending_until_the_next_run(void) {
        open_one();
        rouse_async_start(a);
        rouse_async_stop(a);
        send_n(a, 2);
        fixture_run(&fixture);
        fixture_expect(&fixture, "");
        rouse_async_start(a);
        fixture_pass(&fixture);
        fixture_expect(&fixture, "a:2 ");
        close_all();
}

static void five_sends_make_one_callback_that_is_told_five(void) {
        open_one();
        fixture_keep(&fixture);
        send_n(a, 5);
        fixture_pass(&fixture);
        fixture_expect(&fixture, "a:5 ");
        fixture_pass(&fixture);
        fixture_expect(&fixture, "");
        close_all();
}

static void on_wake_send_again(rouse_async_t *async, uint64_t n_sends) {
        fixture_on_wake(async, n_sends);
        if (n_sends > 1)
                send_n(async, 1);
}

static void a_send_from_its_own_callback_wakes_in_a_later_pass(void) {
        rouse_async_t *async;

        open_one();
        fixture_keep(&fixture);
        rouse_async_create(fixture.hub, "self", on_wake_send_again, &fixture, &async);
        send_n(async, 2);
        fixture_pass(&fixture);
        fixture_expect(&fixture, "self:2 ");
        fixture_pass(&fixture);
        fixture_expect(&fixture, "self:1 ");
        fixture_pass(&fixture);
        fixture_expect(&fixture, "");
        rouse_async_release(async);
        close_all();
}

static void on_wake_send_to_all(rouse_async_t *async, uint64_t n_sends) {
        fixture_on_wake(async, n_sends);
        send_n(c, 1);
        send_n(a, 1);
}

static void a_send_to_another_from_a_callback_wakes_in_a_later_pass(void) {
        rouse_async_t *async;

        open_three();
        fixture_keep(&fixture);
        rouse_async_create(fixture.hub, "sender", on_wake_send_to_all, &fixture, &async);
        send_n(async, 1);
        fixture_pass(&fixture);
        fixture_expect(&fixture, "sender:1 ");
        fixture_pass(&fixture);
        fixture_expect(&fixture, "c:1 a:1 ");
        rouse_async_release(async);
        close_all();
}

/* The loop does not sleep over what callbacks send: this ends without anybody's bell. */
static int n_rounds;
static void on_wake_count_down(rouse_async_t *async, uint64_t n_sends) {
        ck_assert_uint_eq(n_sends, 1);
        if (--n_rounds > 0)
                send_n(async, 1);
        else
                rouse_async_stop(async);
}

static void callbacks_that_send_keep_a_blocking_loop_going(void) {
        rouse_async_t *async;

        open_one();
        n_rounds = 1000;
        rouse_async_create(fixture.hub, NULL, on_wake_count_down, &fixture, &async);
        rouse_async_start(async);
        send_n(async, 1);
        fixture_run(&fixture);
        ck_assert_int_eq(n_rounds, 0);
        rouse_async_release(async);
        close_all();
}

static void on_timer_stop(uv_timer_t *timer) {
        rouse_async_close(a);
        uv_close((uv_handle_t *)timer, NULL);
}

static void a_handle_that_sends_to_itself_for_ever_does_not_starve_timers(void) {
        rouse_async_t *async;
        uv_timer_t timer;

        open_one();
        n_rounds = INT32_MAX;
        rouse_async_create(fixture.hub, NULL, on_wake_count_down, &fixture, &async);
        send_n(async, 1);
        rouse_async_start(a); /* until the timer closes it */
        uv_timer_init(&fixture.loop, &timer);
        uv_timer_start(&timer, on_timer_stop, 1, 0);
        fixture_run(&fixture);
        ck_assert(!rouse_async_is_active(a));
        rouse_async_release(async);
        close_all();
}

static void first_sent_is_first_woken(void) {
        open_three();
        fixture_keep(&fixture);
        send_n(c, 1);
        send_n(a, 2);
        send_n(b, 1);
        send_n(c, 1);
        fixture_pass(&fixture);
        fixture_expect(&fixture, "c:2 a:2 b:1 ");
        send_n(b, 1);
        send_n(a, 1);
        fixture_pass(&fixture);
        fixture_expect(&fixture, "b:1 a:1 ");
        close_all();
}

static void a_send_that_is_closed_makes_no_callback(void) {
        open_three();
        fixture_keep(&fixture);
        send_n(a, 1);
        send_n(b, 1);
        send_n(c, 1);
        ck_assert_int_eq(rouse_async_close(b), 0);
        fixture_pass(&fixture);
        fixture_expect(&fixture, "a:1 c:1 ");
        close_all();
}

static void everything_after_close_is_ebadf(void) {
        open_one();
        ck_assert_int_eq(rouse_async_close(a), 0);
        ck_assert_int_eq(rouse_async_close(a), UV_EBADF);
        ck_assert_int_eq(rouse_async_start(a), UV_EBADF);
        ck_assert_int_eq(rouse_async_stop(a), UV_EBADF);
        ck_assert_int_eq(rouse_async_send(a), UV_EBADF);
        ck_assert_int_eq(rouse_async_close_wait(a, NULL, NULL), UV_EBADF);
        rouse_async_close_noerr(a);
        rouse_async_ref(a);
        ck_assert(!rouse_async_has_ref(a));
        rouse_async_unref(a);
        ck_assert_str_eq(rouse_async_name(a), "a");
        ck_assert_ptr_eq(rouse_async_data(a), &fixture);
        close_all();
}

static void after_close_it_is_not_active_and_holds_nothing_at_once(void) {
        open_one();
        rouse_async_start(a);
        ck_assert_int_eq(rouse_async_close(a), 0);
        ck_assert(!rouse_async_is_active(a));
        ck_assert(!rouse_async_has_ref(a));
        ck_assert(!uv_loop_alive(&fixture.loop));
        close_all();
}

static void on_wake_close_self_and_b(rouse_async_t *async, uint64_t n_sends) {
        fixture_on_wake(async, n_sends);
        ck_assert_int_eq(rouse_async_close(async), 0);
        ck_assert_int_eq(rouse_async_close(b), 0);
}

static void the_closed_in_a_callback_get_none_and_the_others_do(void) {
        rouse_async_t *closer;

        open_three();
        fixture_keep(&fixture);
        rouse_async_create(fixture.hub, "closer", on_wake_close_self_and_b, &fixture, &closer);
        send_n(a, 1);
        send_n(closer, 1);
        send_n(b, 1);
        send_n(c, 1);
        fixture_pass(&fixture);
        fixture_expect(&fixture, "a:1 closer:1 c:1 ");
        ck_assert_int_eq(rouse_async_send(closer), UV_EBADF);
        rouse_async_release(closer);
        close_all();
}

static void on_wake_release(rouse_async_t *async, uint64_t n_sends) {
        fixture_on_wake(async, n_sends);
        rouse_async_release(async);
}

static void a_handle_may_be_freed_in_its_own_callback(void) {
        rouse_async_t *async;

        open_one();
        fixture_keep(&fixture);
        rouse_async_create(fixture.hub, "gone", on_wake_release, &fixture, &async);
        send_n(async, 1);
        send_n(a, 1);
        fixture_pass(&fixture);
        fixture_expect(&fixture, "gone:1 a:1 ");
        ck_assert_ptr_null(rouse_hub_find(fixture.hub, "gone"));
        close_all();
}

static void on_closed(void *name) {
        fixture_trace(&fixture, "close:%s ", (const char *)name);
}

static void close_wait_calls_back_in_the_order_of_the_calls(void) {
        open_three();
        send_n(b, 1); /* pending or not */
        ck_assert_int_eq(rouse_async_close_wait(a, on_closed, "a"), 0);
        ck_assert_int_eq(rouse_async_close_wait(b, on_closed, "b"), 0);
        ck_assert_int_eq(rouse_async_close_wait(c, on_closed, "c"), 0);
        fixture_expect(&fixture, ""); /* never from within the call */
        fixture_run(&fixture);        /* which goes on until they came, with nothing else to do */
        fixture_expect(&fixture, "close:a close:b close:c ");
        close_all();
}

static void a_handle_that_everybody_dropped_is_closed_and_freed(void) {
        open_one();
        fixture_keep(&fixture);
        send_n(a, 1);
        rouse_async_retain(a);
        rouse_async_release(a);
        ck_assert_ptr_eq(rouse_hub_find(fixture.hub, "a"), a);
        rouse_async_release(a);
        ck_assert_ptr_null(rouse_hub_find(fixture.hub, "a"));
        a = NULL;
        fixture_pass(&fixture);
        fixture_expect(&fixture, "");
        close_all(); /* a leak would be the sanitizer's to report */
}

static void try_everything_elsewhere(void *arg) {
        rouse_async_t *async = NULL;

        (void)arg;
        ck_assert_int_eq(rouse_async_close(a), UV_EPERM);
        ck_assert_int_eq(rouse_async_close_wait(a, on_closed, "a"), UV_EPERM);
        rouse_async_close_noerr(a);
        ck_assert_int_eq(rouse_async_start(b), UV_EPERM);
        rouse_async_ref(b);
        ck_assert_int_eq(rouse_async_stop(a), UV_EPERM);
        rouse_async_unref(a);
        ck_assert_int_eq(rouse_async_create(fixture.hub, "new", NULL, NULL, &async), UV_EPERM);
        ck_assert_ptr_null(async);
        ck_assert_ptr_null(rouse_hub_find(fixture.hub, "a"));
        ck_assert_int_eq(rouse_hub_close(fixture.hub, on_closed, "hub"), UV_EPERM);
        rouse_hub_awake(fixture.hub);

        ck_assert(rouse_async_is_active(a) && rouse_async_has_ref(a));
        ck_assert(rouse_async_is_active(b) && !rouse_async_has_ref(b));
}

static void from_another_thread_all_but_sends_are_eperm_and_change_nothing(void) {
        open_three();
        rouse_async_start(a);
        fixture_elsewhere(try_everything_elsewhere, NULL);
        ck_assert(rouse_async_is_active(a) && rouse_async_has_ref(a));
        ck_assert_ptr_eq(rouse_hub_find(fixture.hub, "a"), a);
        ck_assert_ptr_null(rouse_hub_find(fixture.hub, "new"));
        send_n(a, 1);
        fixture_pass(&fixture);
        fixture_expect(&fixture, "a:1 ");
        close_all();
}

static void a_loop_with_only_unreferenced_handles_returns(void) {
        open_three();
        fixture_run(&fixture);
        ck_assert_int_eq(uv_run(&fixture.loop, UV_RUN_ONCE), 0);
        close_all();
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(after_create_it_is_active_and_holds_nothing),
                TEST(start_and_ref_make_it_hold_the_loop),
                TEST(the_hold_is_a_flag_and_not_a_counter),
                TEST(each_handle_holds_the_loop_for_itself),
                TEST(after_stop_it_is_active_and_sends_still_wake),
                TEST(a_send_before_start_wakes_once_anything_runs_the_loop),
                TEST(a_send_after_stop_stays_pending_until_the_next_run),
                TEST(five_sends_make_one_callback_that_is_told_five),
                TEST(a_send_from_its_own_callback_wakes_in_a_later_pass),
                TEST(a_send_to_another_from_a_callback_wakes_in_a_later_pass),
                TEST(callbacks_that_send_keep_a_blocking_loop_going),
                TEST(a_handle_that_sends_to_itself_for_ever_does_not_starve_timers),
                TEST(first_sent_is_first_woken),
                TEST(a_send_that_is_closed_makes_no_callback),
                TEST(everything_after_close_is_ebadf),
                TEST(after_close_it_is_not_active_and_holds_nothing_at_once),
                TEST(the_closed_in_a_callback_get_none_and_the_others_do),
                TEST(a_handle_may_be_freed_in_its_own_callback),
                TEST(close_wait_calls_back_in_the_order_of_the_calls),
                TEST(a_handle_that_everybody_dropped_is_closed_and_freed),
                TEST(from_another_thread_all_but_sends_are_eperm_and_change_nothing),
                TEST(a_loop_with_only_unreferenced_handles_returns),
                {0},
        };

        return test_main("truth-table", tests, argc, argv);
}
