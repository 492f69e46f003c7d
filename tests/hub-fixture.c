/* See the header. The keeper is a timer that never comes due. */

#include "tests/hub-fixture.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/support.h"

static void on_keeper(uv_timer_t *timer) {
        (void)timer;
        ck_abort_msg("the keeper's time is up");
}

void fixture_open(struct fixture *fixture) {
        *fixture = (struct fixture){0};
        ck_assert_int_eq(uv_loop_init(&fixture->loop), 0);
        ck_assert_int_eq(uv_timer_init(&fixture->loop, &fixture->keeper), 0);
        ck_assert_int_eq(rouse_hub_create(&fixture->loop, &fixture->hub), 0);
}

void fixture_keep(struct fixture *fixture) {
        ck_assert_int_eq(uv_timer_start(&fixture->keeper, on_keeper, 1000000, 0), 0);
}

void fixture_let_go(struct fixture *fixture) {
        uv_timer_stop(&fixture->keeper);
}

void fixture_pass(struct fixture *fixture) {
        ck_assert(uv_loop_alive(&fixture->loop));
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
}

void fixture_run(struct fixture *fixture) {
        ck_assert_int_eq(uv_run(&fixture->loop, UV_RUN_DEFAULT), 0);
}

void fixture_close(struct fixture *fixture) {
        uv_close((uv_handle_t *)&fixture->keeper, NULL);
        if (fixture->hub)
                ck_assert_int_eq(rouse_hub_close(fixture->hub, NULL, NULL), 0);
        fixture_run(fixture);
        ck_assert_int_eq(uv_loop_close(&fixture->loop), 0);
}

rouse_async_t *fixture_create(struct fixture *fixture, const char *name) {
        rouse_async_t *async = NULL;

        ck_assert_int_eq(rouse_async_create(fixture->hub, name, fixture_on_wake, fixture, &async),
                         0);
        return async;
}

void fixture_on_wake(rouse_async_t *async, uint64_t n_sends) {
        const char *name = rouse_async_name(async);

        fixture_trace(rouse_async_data(async), "%s:%llu ", name ? name : "?",
                      (unsigned long long)n_sends);
}

void fixture_trace(struct fixture *fixture, const char *format, ...) {
        size_t n = strlen(fixture->trace);
        va_list args;
        int r;

        va_start(args, format);
        r = vsnprintf(fixture->trace + n, sizeof(fixture->trace) - n, format, args);
        va_end(args);
        ck_assert_int_lt(r, (int)(sizeof(fixture->trace) - n));
}

void fixture_expect(struct fixture *fixture, const char *trace) {
        ck_assert_str_eq(fixture->trace, trace);
        fixture->trace[0] = '\0';
}

void fixture_elsewhere(void (*fn)(void *arg), void *arg) {
        uv_thread_t thread;

        ck_assert_int_eq(uv_thread_create(&thread, fn, arg), 0);
        ck_assert_int_eq(uv_thread_join(&thread), 0);
}
