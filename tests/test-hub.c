/* Hubs: walks, closing in all orders, embedding, references on other threads. */

#include <poll.h>
#include <string.h>

#include "lib/clock.h"
#include "tests/hub-fixture.h"
#include "tests/support.h"

static struct fixture fixture;

/* A walk over a, b, c, d: what the callback closes at which handle, and what is visited. */
static const struct walk_row {
        const char *at;
        const char *closes;
        const char *visited;
} walk_rows[] = {
        {"", "", "abcd"},     {"a", "a", "abcd"}, {"d", "d", "abcd"},   {"a", "b", "acd"},
        {"a", "d", "abc"},    {"b", "a", "abcd"}, {"a", "bc", "ad"},    {"a", "bcd", "a"},
        {"a", "dcb", "a"},    {"c", "d", "abc"},  {"c", "abcd", "abc"}, {"a", "cd", "ab"},
        {"d", "abc", "abcd"}, {"b", "dbc", "ab"}, {"c", "cd", "abc"},
};

static rouse_async_t *walked[4];

static void on_each(rouse_async_t *async, void *arg) {
        const struct walk_row *row = arg;
        const char *name = rouse_async_name(async);
        rouse_async_t *extra;

        fixture_trace(&fixture, "%s", name);
        if (strcmp(name, row->at) != 0)
                return;
        for (const char *p = row->closes; *p; p++) {
                rouse_async_release(walked[*p - 'a']);
                walked[*p - 'a'] = NULL;
        }
        /* Handles that the callback makes are left out. */
        ck_assert_int_eq(rouse_async_create(fixture.hub, "extra", NULL, NULL, &extra), 0);
        rouse_async_close(extra);
        rouse_async_release(extra);
        ck_assert_int_eq(rouse_async_create(fixture.hub, "extra", NULL, NULL, &extra), 0);
        fixture.keeper.data = extra;
}

static void a_walk_goes_in_order_and_leaves_out_the_closed(void) {
        fixture_open(&fixture);
        for (size_t i = 0; i < sizeof(walk_rows) / sizeof(*walk_rows); i++) {
                for (int k = 0; k < 4; k++)
                        walked[k] = fixture_create(&fixture, (const char[]){(char)('a' + k), 0});
                fixture.keeper.data = NULL;
                rouse_hub_each(fixture.hub, on_each, (void *)&walk_rows[i]);
                fixture_expect(&fixture, walk_rows[i].visited);
                rouse_async_release(fixture.keeper.data);
                for (int k = 0; k < 4; k++)
                        rouse_async_release(walked[k]);
        }
        fixture_close(&fixture);
}

static void on_each_nested(rouse_async_t *async, void *arg) {
        static const struct walk_row closes_rest = {"a", "bcd", ""};

        fixture_trace(&fixture, "%s(", rouse_async_name(async));
        if (walked[1])
                rouse_hub_each(fixture.hub, on_each, (void *)&closes_rest);
        fixture_trace(&fixture, ")");
        (void)arg;
}

static void walks_may_be_nested(void) {
        fixture_open(&fixture);
        for (int k = 0; k < 4; k++)
                walked[k] = fixture_create(&fixture, (const char[]){(char)('a' + k), 0});
        rouse_hub_each(fixture.hub, on_each_nested, NULL);
        fixture_expect(&fixture, "a(a)");
        rouse_async_release(walked[0]);
        rouse_async_release(fixture.keeper.data);
        fixture_close(&fixture);
}

static void on_end(void *what) {
        fixture_trace(&fixture, "%s ", (const char *)what);
}

static void closing_a_hub_closes_all_and_ends_after_every_handle(void) {
        rouse_async_t *a, *b, *none = NULL;

        fixture_open(&fixture);
        a = fixture_create(&fixture, "a");
        b = fixture_create(&fixture, "b");
        rouse_async_send(a);
        rouse_async_send(b);
        ck_assert_int_eq(rouse_async_close_wait(a, on_end, "a"), 0);
        ck_assert_int_eq(rouse_hub_close(fixture.hub, on_end, "hub"), 0);
        ck_assert_int_eq(rouse_hub_close(fixture.hub, on_end, "twice"), UV_EBADF);
        ck_assert(!rouse_async_is_active(b));
        ck_assert_int_eq(rouse_async_send(b), UV_EBADF);
        ck_assert_int_eq(rouse_async_create(fixture.hub, "c", NULL, NULL, &none), UV_EBADF);
        ck_assert_ptr_null(rouse_hub_find(fixture.hub, "b"));
        ck_assert_ptr_null(rouse_hub_find(fixture.hub, NULL)); /* no anonymous one */
        rouse_hub_awake(fixture.hub);
        fixture_expect(&fixture, "");
        fixture_run(&fixture);
        fixture_expect(&fixture, "a hub ");
        fixture.hub = NULL;
        /* References outlive the hub. */
        ck_assert_int_eq(rouse_async_send(a), UV_EBADF);
        ck_assert_int_eq(rouse_async_close(b), UV_EBADF);
        ck_assert_int_eq(rouse_async_start(b), UV_EBADF);
        fixture_close(&fixture);
        rouse_async_release(a);
        ck_assert_str_eq(rouse_async_name(b), "b");
        rouse_async_release(b);
}

static void on_wake_close_hub(rouse_async_t *async, uint64_t n_sends) {
        fixture_on_wake(async, n_sends);
        ck_assert_int_eq(rouse_hub_close(fixture.hub, on_end, "hub"), 0);
}

static void a_hub_may_be_closed_in_a_callback(void) {
        rouse_async_t *a, *b;

        fixture_open(&fixture);
        ck_assert_int_eq(rouse_async_create(fixture.hub, "a", on_wake_close_hub, &fixture, &a), 0);
        b = fixture_create(&fixture, "b");
        rouse_async_ref(a);
        rouse_async_send(a);
        rouse_async_send(b);
        fixture_run(&fixture);
        fixture_expect(&fixture, "a:1 hub ");
        fixture.hub = NULL;
        rouse_async_release(a);
        rouse_async_release(b);
        fixture_close(&fixture);
}

static void on_closed_close_hub(void *arg) {
        on_end(arg);
        ck_assert_int_eq(rouse_hub_close(fixture.hub, on_end, "hub"), 0);
}

static void a_hub_may_be_closed_in_a_close_callback(void) {
        rouse_async_t *a, *b;

        fixture_open(&fixture);
        a = fixture_create(&fixture, "a");
        b = fixture_create(&fixture, "b");
        rouse_async_close_wait(a, on_closed_close_hub, "a");
        rouse_async_close_wait(b, on_end, "b");
        rouse_async_release(a);
        rouse_async_release(b);
        fixture_run(&fixture);
        fixture_expect(&fixture, "a b hub ");
        fixture.hub = NULL;
        fixture_close(&fixture);
}

static void two_hubs_share_a_loop(void) {
        rouse_hub_t *other;
        rouse_async_t *a, *b;

        fixture_open(&fixture);
        fixture_keep(&fixture);
        a = fixture_create(&fixture, "same");
        ck_assert_int_eq(rouse_hub_create(&fixture.loop, &other), 0);
        ck_assert_int_eq(rouse_async_create(other, "same", fixture_on_wake, &fixture, &b), 0);
        rouse_async_send(a);
        rouse_async_send(b);
        rouse_async_send(b);
        fixture_pass(&fixture);
        ck_assert(strstr(fixture.trace, "same:1 ") && strstr(fixture.trace, "same:2 "));
        rouse_hub_close(other, NULL, NULL);
        rouse_async_release(a);
        rouse_async_release(b);
        fixture_close(&fixture);
}

static void a_handle_without_a_callback_counts(void) {
        rouse_async_t *a;
        rouse_async_stats_t stats;

        fixture_open(&fixture);
        fixture_keep(&fixture);
        ck_assert_int_eq(rouse_async_create(fixture.hub, NULL, NULL, NULL, &a), 0);
        rouse_async_send(a);
        rouse_async_send(a);
        fixture_pass(&fixture);
        rouse_async_stats(a, &stats);
        ck_assert_uint_eq(stats.sends, 2);
        ck_assert_uint_eq(stats.wakes, 1);
        rouse_async_release(a);
        fixture_close(&fixture);
}

static void statistics_add_up(void) {
        rouse_async_stats_t stats;
        rouse_async_t *a;
        uint64_t before_ns, after_ns;

        fixture_open(&fixture);
        fixture_keep(&fixture);
        a = fixture_create(&fixture, "a");
        before_ns = clock_now_ns();
        for (int i = 0; i < 5; i++)
                rouse_async_send(a);
        rouse_async_stats(a, &stats);
        ck_assert_uint_eq(stats.sends, 5);
        ck_assert_uint_eq(stats.pending, 5);
        ck_assert_uint_eq(stats.wakes, 0);
        ck_assert_uint_eq(stats.latency_ns, 0);
        fixture_pass(&fixture);
        after_ns = clock_now_ns();
        rouse_async_send(a);
        rouse_async_stats(a, &stats);
        ck_assert_uint_eq(stats.sends, 6);
        ck_assert_uint_eq(stats.wakes, 1);
        ck_assert_uint_eq(stats.coalesced, 4);
        ck_assert_uint_eq(stats.pending, 1);
        ck_assert_uint_gt(stats.latency_ns, 0);
        ck_assert_uint_le(stats.latency_ns, after_ns - before_ns);
        ck_assert_uint_eq(stats.latency_max_ns, stats.latency_ns);
        fixture_pass(&fixture);
        rouse_async_close(a);
        rouse_async_send(a);
        rouse_async_stats(a, &stats);
        ck_assert_uint_eq(stats.sends, 6); /* refused ones do not count */
        ck_assert_uint_eq(stats.wakes, 2);
        ck_assert_uint_eq(stats.pending, 0);
        ck_assert_uint_ge(stats.latency_max_ns, stats.latency_ns);
        rouse_async_release(a);
        fixture_close(&fixture);
}

static void send_to(void *async) {
        ck_assert_int_eq(rouse_async_send(async), 0);
}

static bool backend_is_ready(int timeout_ms) {
        struct pollfd pollfd = {.fd = uv_backend_fd(&fixture.loop), .events = POLLIN};

        return poll(&pollfd, 1, timeout_ms) == 1;
}

/* The loop is watched from without: its descriptor must tell of sends by other threads. */
static void an_embedded_loop_is_woken(void) {
        rouse_async_t *a;

        fixture_open(&fixture);
        fixture_keep(&fixture);
        a = fixture_create(&fixture, "a");
        fixture_pass(&fixture);
        for (int i = 0; i < 3; i++) {
                ck_assert_int_ne(uv_backend_timeout(&fixture.loop), 0);
                ck_assert(!backend_is_ready(0));
                fixture_elsewhere(send_to, a);
                ck_assert(backend_is_ready(-1));
                fixture_pass(&fixture);
                fixture_expect(&fixture, "a:1 ");
        }
        rouse_async_release(a);
        fixture_close(&fixture);
}

/* After rouse_hub_awake() the loop must not be left asleep, whoever runs it, and then rings work
 * as before. */
static void an_embedded_loop_that_is_awake_does_not_sleep(void) {
        rouse_async_t *a;

        fixture_open(&fixture);
        fixture_keep(&fixture);
        a = fixture_create(&fixture, "a");
        fixture_pass(&fixture);
        rouse_hub_awake(fixture.hub);
        ck_assert_int_eq(uv_backend_timeout(&fixture.loop), 0);
        fixture_elsewhere(send_to, a);
        rouse_async_send(a);
        ck_assert(!backend_is_ready(0)); /* no bell */
        fixture_pass(&fixture);
        fixture_expect(&fixture, "a:2 ");
        ck_assert_int_ne(uv_backend_timeout(&fixture.loop), 0);
        rouse_hub_awake(fixture.hub);
        rouse_hub_awake(fixture.hub);
        fixture_pass(&fixture);
        ck_assert_int_ne(uv_backend_timeout(&fixture.loop), 0);
        fixture_elsewhere(send_to, a);
        ck_assert(backend_is_ready(-1));
        fixture_pass(&fixture);
        fixture_expect(&fixture, "a:1 ");
        rouse_async_release(a);
        fixture_close(&fixture);
}

static void on_timer_awake_and_send(uv_timer_t *timer) {
        rouse_hub_awake(fixture.hub);
        rouse_async_send(timer->data);
        rouse_async_send(timer->data);
}

static void on_wake_let_go(rouse_async_t *async, uint64_t n_sends) {
        fixture_on_wake(async, n_sends);
        rouse_async_unref(async);
}

/* A blocking loop, whose timer makes sends without a bell, sees them before it sleeps. */
static void sends_of_an_awake_timer_are_not_slept_over(void) {
        uv_timer_t timer;
        rouse_async_t *a;

        fixture_open(&fixture);
        ck_assert_int_eq(rouse_async_create(fixture.hub, "a", on_wake_let_go, &fixture, &a), 0);
        rouse_async_ref(a);
        uv_timer_init(&fixture.loop, &timer);
        timer.data = a;
        uv_timer_start(&timer, on_timer_awake_and_send, 1, 0);
        fixture_run(&fixture);
        fixture_expect(&fixture, "a:2 ");
        uv_close((uv_handle_t *)&timer, NULL);
        rouse_async_release(a);
        fixture_close(&fixture);
}

static void release_it(void *async) {
        rouse_async_release(async);
}

static void the_last_release_on_another_thread_closes_it(void) {
        rouse_async_t *a, *b;

        fixture_open(&fixture);
        a = fixture_create(&fixture, "a");
        b = fixture_create(&fixture, "b");
        rouse_async_ref(a);
        rouse_async_ref(b);
        rouse_async_send(b);
        fixture_elsewhere(release_it, a);
        fixture_elsewhere(release_it, b); /* while it is pending */
        ck_assert_ptr_null(rouse_hub_find(fixture.hub, "a"));
        fixture_run(&fixture); /* their holds are gone with them */
        fixture_expect(&fixture, "");
        a = fixture_create(&fixture, "a");
        b = fixture_create(&fixture, "b");
        rouse_async_send(a);
        rouse_async_close(a);
        rouse_async_close(b);
        fixture_elsewhere(release_it, a); /* closed, and still on the list */
        fixture_elsewhere(release_it, b);
        fixture_close(&fixture);
}

static void a_name_is_free_at_once_when_it_was_released_elsewhere(void) {
        rouse_async_t *a;

        fixture_open(&fixture);
        for (int i = 0; i < 3; i++) {
                a = fixture_create(&fixture, "a");
                if (i > 0)
                        rouse_async_send(a);
                fixture_elsewhere(release_it, a);
                ck_assert_ptr_null(rouse_hub_find(fixture.hub, "a"));
        }
        fixture_close(&fixture);
        fixture_expect(&fixture, "");
}

static void references_may_be_released_elsewhere_after_the_hub(void) {
        rouse_async_t *a, *b;

        fixture_open(&fixture);
        a = fixture_create(&fixture, "a");
        b = fixture_create(&fixture, NULL);
        fixture_close(&fixture);
        fixture_elsewhere(release_it, a);
        rouse_async_release(b);
        rouse_async_release(NULL);
}

static void the_base_type_does_the_same(void) {
        rouse_async_t *a, *b;
        rouse_handle_t *handle;

        fixture_open(&fixture);
        a = fixture_create(&fixture, "a");
        b = fixture_create(&fixture, "b");
        handle = rouse_async_to_handle(a);
        ck_assert(rouse_handle_is_active(handle));
        rouse_handle_ref(handle);
        ck_assert(rouse_handle_has_ref(handle) && rouse_async_has_ref(a));
        rouse_handle_unref(handle);
        ck_assert(!rouse_handle_has_ref(handle));
        ck_assert_int_eq(rouse_handle_close(handle), 0);
        ck_assert(!rouse_async_is_active(a));
        ck_assert_int_eq(rouse_handle_close_wait(rouse_async_to_handle(b), on_end, "b"), 0);
        rouse_handle_close_noerr(handle);
        fixture_run(&fixture);
        fixture_expect(&fixture, "b ");
        rouse_async_release(a);
        rouse_async_release(b);
        fixture_close(&fixture);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(a_walk_goes_in_order_and_leaves_out_the_closed),
                TEST(walks_may_be_nested),
                TEST(closing_a_hub_closes_all_and_ends_after_every_handle),
                TEST(a_hub_may_be_closed_in_a_callback),
                TEST(a_hub_may_be_closed_in_a_close_callback),
                TEST(two_hubs_share_a_loop),
                TEST(a_handle_without_a_callback_counts),
                TEST(statistics_add_up),
                TEST(an_embedded_loop_is_woken),
                TEST(an_embedded_loop_that_is_awake_does_not_sleep),
                TEST(sends_of_an_awake_timer_are_not_slept_over),
                TEST(the_last_release_on_another_thread_closes_it),
                TEST(a_name_is_free_at_once_when_it_was_released_elsewhere),
                TEST(references_may_be_released_elsewhere_after_the_hub),
                TEST(the_base_type_does_the_same),
                {0},
        };

        return test_main("hub", tests, argc, argv);
}
