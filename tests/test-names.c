/* The names of a hub's handles. */

#include <stdio.h>
#include <string.h>

#include "tests/hub-fixture.h"
#include "tests/support.h"

static struct fixture fixture;

static void names_are_checked(void) {
        static const struct {
                const char *name;
                int r;
        } rows[] = {
                {"", UV_EINVAL},
                {"-a", UV_EINVAL},
                {"a b", UV_EINVAL},
                {"a\n", UV_EINVAL},
                {"ä", UV_EINVAL},
                {"a*", UV_EINVAL},
                {"a-", 0},
                {"_", 0},
                {".", 0},
                {"@", 0},
                {"/", 0},
                {":", 0},
                {"AZaz09._-:@/", 0},
        };
        char name[257];
        rouse_async_t *async;

        fixture_open(&fixture);
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
                async = NULL;
                ck_assert_msg(rouse_async_create(fixture.hub, rows[i].name, NULL, NULL, &async) ==
                                      rows[i].r,
                              "\"%s\"", rows[i].name);
                ck_assert_int_eq(async == NULL, rows[i].r != 0);
                if (async)
                        ck_assert_str_eq(rouse_async_name(async), rows[i].name);
                rouse_async_release(async);
        }
        memset(name, 'n', 256);
        name[256] = '\0';
        ck_assert_int_eq(rouse_async_create(fixture.hub, name, NULL, NULL, &async), UV_EINVAL);
        name[255] = '\0';
        ck_assert_int_eq(rouse_async_create(fixture.hub, name, NULL, NULL, &async), 0);
        ck_assert_ptr_eq(rouse_hub_find(fixture.hub, name), async);
        rouse_async_release(async);
        fixture_close(&fixture);
}

static void a_name_is_taken_until_its_handle_closes(void) {
        rouse_async_t *first, *second = NULL, *other;

        fixture_open(&fixture);
        first = fixture_create(&fixture, "x");
        ck_assert_int_eq(rouse_async_create(fixture.hub, "x", NULL, NULL, &second), UV_EEXIST);
        ck_assert_ptr_null(second);
        ck_assert_int_eq(rouse_async_close(first), 0);
        ck_assert_ptr_null(rouse_hub_find(fixture.hub, "x"));
        second = fixture_create(&fixture, "x");
        ck_assert_ptr_eq(rouse_hub_find(fixture.hub, "x"), second);
        other = fixture_create(&fixture, NULL);
        ck_assert_ptr_null(rouse_async_name(other));
        rouse_async_release(first);
        ck_assert_ptr_eq(rouse_hub_find(fixture.hub, "x"), second);
        rouse_async_release(second);
        rouse_async_release(other);
        fixture_close(&fixture);
}

#define N_MANY 5000

static void many_names_come_and_go(void) {
        static rouse_async_t *handles[N_MANY];
        char name[32];

        fixture_open(&fixture);
        for (int round = 0; round < 3; round++) {
                for (int i = 0; i < N_MANY; i++) {
                        snprintf(name, sizeof(name), "handle/%d", i);
                        if (!handles[i])
                                handles[i] = fixture_create(&fixture, name);
                }
                for (int i = 0; i < N_MANY; i++) {
                        snprintf(name, sizeof(name), "handle/%d", i);
                        ck_assert_ptr_eq(rouse_hub_find(fixture.hub, name), handles[i]);
                }
                for (int i = round; i < N_MANY; i += round + 2) {
                        snprintf(name, sizeof(name), "handle/%d", i);
                        rouse_async_release(handles[i]);
                        handles[i] = NULL;
                        ck_assert_ptr_null(rouse_hub_find(fixture.hub, name));
                }
        }
        for (int i = 0; i < N_MANY; i++)
                rouse_async_release(handles[i]);
        fixture_close(&fixture);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(names_are_checked),
                TEST(a_name_is_taken_until_its_handle_closes),
                TEST(many_names_come_and_go),
                {0},
        };

        return test_main("names", tests, argc, argv);
}
