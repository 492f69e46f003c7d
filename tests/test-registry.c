/* The index of handles: open ones, and closed ones that are still shown. */

#include "daemon/registry.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/handle.h"
#include "daemon/limits.h"
#include "tests/control-fixture.h"
#include "tests/support.h"

#define N_MORE     76 /* than are shown when they are closed */
#define N_HANDLES  (LIMIT_CLOSED_HANDLES + N_MORE)
#define N_LOOK_UPS 10000000

static struct daemon d;

static const char *name_of(unsigned int i) {
        static char name[32];

        snprintf(name, sizeof(name), "h%u", i);
        return name;
}

/* Handles that are all closed; the first ones are forgotten, the last is still open. */
static struct registry *begin(void) {
        char *text = malloc(N_HANDLES * 16 + 100), *at = text;

        at += sprintf(at, "handles:\n");
        for (unsigned int i = 0; i <= N_HANDLES; i++)
                at += sprintf(at, "  %s: {}\n", name_of(i));
        fixture_init(&d, text);
        free(text);
        for (unsigned int i = 0; i < N_HANDLES; i++)
                ck_assert_int_eq(handle_close(fixture_handle(&d, name_of(i))), 0);
        fixture_turn(&d);
        return d.core.registry;
}

static void count_closed(struct handle *handle, void *arg) {
        unsigned int *n = arg;

        *n += !handle_is_active(handle);
}

static unsigned int n_closed(struct registry *registry) {
        unsigned int n = 0;

        registry_each(registry, count_closed, &n);
        return n;
}

static void the_last_that_were_closed_are_found(void) {
        struct registry *registry = begin();

        ck_assert_uint_eq(n_closed(registry), LIMIT_CLOSED_HANDLES);
        for (unsigned int i = 0; i <= N_HANDLES; i++) {
                struct rouse__text names[] = {rouse__text(name_of(i)), {"h", 1}};
                struct handle *handle = registry_find(registry, name_of(i)), *found[2];

                registry_find_many(registry, names, 2, found);
                ck_assert_ptr_eq(found[0], handle);
                ck_assert_ptr_null(found[1]);
                ck_assert_int_eq(handle != NULL, i >= N_MORE);
                if (!handle)
                        continue;
                ck_assert_str_eq(handle_name(handle), name_of(i));
                ck_assert_int_eq(handle_is_active(handle), i == N_HANDLES);
        }
        ck_assert_uint_eq(registry_n_handles(registry), 1);
        fixture_deinit(&d);
}

static void one_that_is_made_anew_is_not_closed(void) {
        struct registry *registry = begin();
        struct handle *handle;

        for (unsigned int i = N_MORE; i < N_HANDLES; i += 2) {
                ck_assert_int_eq(registry_create(registry, name_of(i), false, &handle), 0);
                ck_assert_ptr_eq(registry_find(registry, name_of(i)), handle);
                ck_assert(handle_is_active(handle));
                ck_assert(!handle_is_active(registry_find(registry, name_of(i + 1))));
        }
        ck_assert_uint_eq(n_closed(registry), LIMIT_CLOSED_HANDLES / 2);
        /* Those that were created are not shown when they are closed. */
        ck_assert_int_eq(handle_close(handle), 0);
        ck_assert_ptr_null(registry_find(registry, name_of(N_HANDLES - 2)));
        ck_assert_uint_eq(n_closed(registry), LIMIT_CLOSED_HANDLES / 2);
        fixture_deinit(&d);
}

/* So many that a walk through all that are closed, for each, would take longer than a test may. */
static void names_that_are_unknown_are_not_found_beside_closed_ones(void) {
        struct registry *registry = begin();
        struct rouse__text names[NAMES_AT_ONCE];
        struct handle *found[NAMES_AT_ONCE];

        for (size_t i = 0; i < NAMES_AT_ONCE; i++)
                names[i] = rouse__text("x");
        for (size_t i = 0; i < N_LOOK_UPS / NAMES_AT_ONCE; i++) {
                registry_find_many(registry, names, NAMES_AT_ONCE, found);
                ck_assert_ptr_null(found[i % NAMES_AT_ONCE]);
        }
        fixture_deinit(&d);
}

static void close_it(struct handle_watch *watch, uint64_t seq, uint64_t n_sends) {
        ck_assert_uint_eq(seq, 1);
        ck_assert_uint_eq(n_sends, 1);
        ck_assert_int_eq(handle_close(watch->handle), 0);
}

/* Its wake was the last of it: it neither runs nor waits for a place in its group. */
static void one_that_is_closed_in_its_wake_does_not_run(void) {
        static const struct handle_watch_ops ops = {.wake = close_it};
        struct handle_watch watch;
        struct handle *a, *b;
        struct handle_stats stats;
        struct handle_why why;

        fixture_init(
                &d,
                "groups: {g: {max: 1}}\n"
                "handles: {a: {group: g, run: [sleep, '1000']}, b: {group: g, run: ['true']}}\n");
        a = fixture_handle(&d, "a");
        b = fixture_handle(&d, "b");
        fixture_wake(&d, "a");
        handle_watch_add(b, &watch, &ops);
        fixture_wake(&d, "b");
        ck_assert(!handle_is_active(b));
        ck_assert_int_eq(registry_create(d.core.registry, "b", false, &b), 0);
        fixture_turn(&d); /* the closed one is forgotten */
        handle_get_why(a, &why);
        ck_assert_int_eq(kill(why.run_pid, SIGKILL), 0);
        while (handle_state(a) == HANDLE_RUNNING)
                uv_run(&d.core.loop, UV_RUN_ONCE);
        fixture_turn(&d);
        registry_get_stats(d.core.registry, &stats);
        ck_assert_uint_eq(stats.wakes, 2);
        ck_assert_uint_eq(stats.runs, 1);
        fixture_deinit(&d);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(the_last_that_were_closed_are_found),
                TEST(one_that_is_made_anew_is_not_closed),
                TEST(names_that_are_unknown_are_not_found_beside_closed_ones),
                TEST(one_that_is_closed_in_its_wake_does_not_run),
                {},
        };

        return test_main("registry", tests, argc, argv);
}
