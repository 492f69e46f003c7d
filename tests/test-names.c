/* The names of a hub's handles. */

#include <stdio.h>
#include <string.h>

#include "lib/async.h"
#include "lib/hub.h"
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

static void find_many(const struct rouse__text *names, size_t n, rouse_async_t **ret) {
        struct rouse__name *found[NAMES_AT_ONCE];

        rouse__names_find_many(&fixture.hub->names, names, n, found);
        for (size_t i = 0; i < n; i++)
                ret[i] = found[i] ? rouse__async_from_name(found[i]) : NULL;
}

static void names_are_found_together_as_one_by_one(void) {
        enum { N = 500 };
        static char texts[N + 3][32];
        static rouse_async_t *created[N];
        rouse_async_t *found[NAMES_AT_ONCE];
        struct rouse__text names[NAMES_AT_ONCE];

        fixture_open(&fixture);
        /* Of 3 to 30 bytes, some of which differ in one byte only, wherever that is. */
        for (size_t i = 0; i < N + 3; i++)
                snprintf(texts[i], sizeof(texts[i]), "%0*zu%.*s", (int)(3 + i % 6), i,
                         (int)(i / 6 % 23), "/some/more/of/the/name/");
        find_many(&(struct rouse__text){"000", 3}, 1, found);
        ck_assert_ptr_null(found[0]);
        for (size_t i = 0; i < N; i++)
                created[i] = fixture_create(&fixture, texts[i]);
        /* All of them; among them some that are not there, and one twice. */
        for (size_t first = 0; first < N; first += 60) {
                size_t n = 0;

                for (size_t i = first; i < first + 60 && i < N; i++)
                        names[n++] = rouse__text(texts[i]);
                names[n++] = rouse__text(texts[N + first % 3]);
                names[n++] = rouse__text(texts[first]);
                names[n++] = rouse__text("");
                find_many(names, n, found);
                for (size_t i = 0; i < n; i++)
                        ck_assert_ptr_eq(found[i], rouse_hub_find(fixture.hub, names[i].at));
                ck_assert_ptr_eq(found[0], created[first]);
        }
        /* What is behind a NUL belongs to the name that is looked for. */
        find_many(&(struct rouse__text){"000\0", 4}, 1, found);
        ck_assert_ptr_null(found[0]);
        for (size_t i = 0; i < N; i++)
                rouse_async_release(created[i]);
        /* Nobody has them any more. */
        find_many(names, 1, found);
        ck_assert_ptr_null(found[0]);
        fixture_close(&fixture);
}

/* 32 bits of the text, from `at` on; nothing behind its end. */
static uint64_t word_at(const char *text, size_t n, size_t at) {
        uint64_t word = 0;

        for (size_t i = 0; i < 4 && at + i < n; i++)
                word |= (uint64_t)(unsigned char)text[at + i] << (8 * i);
        return word;
}

/* The upper half of a sum of products: of the length, and of 32 bits at a time, the last 64 of
 * which end with the text. */
static uint32_t multilinear(const uint64_t *keys, const char *text, size_t n) {
        uint64_t sum = keys[0] + keys[1] * n;
        size_t k = 2;

        for (size_t at = 0; at < n || at == 0; at += 8, k += 2) {
                size_t from = n >= 8 && at + 8 > n ? n - 8 : at;

                sum += keys[k] * word_at(text, n, from) + keys[k + 1] * word_at(text, n, from + 4);
        }
        sum >>= 32;
        sum = ((sum ^ (sum >> 16)) * 0x85ebca6b) & UINT32_MAX;
        sum = ((sum ^ (sum >> 13)) * 0xc2b2ae35) & UINT32_MAX;
        return (uint32_t)(sum ^ (sum >> 16));
}

static void the_hash_is_multilinear(void) {
        static struct names names;
        char text[NAME_MAX_BYTES + 2];

        rouse__names_init(&names);
        for (size_t n = 0; n <= NAME_MAX_BYTES; n++) {
                for (size_t i = 0; i < n; i++)
                        text[i] = (char)(0xff - 3 * i - n);
                ck_assert_uint_eq(rouse__names_hash(&names, (struct rouse__text){text, n}),
                                  multilinear(names.keys, text, n));
        }
        /* No name, but it may be looked for. */
        (void)rouse__names_hash(&names, (struct rouse__text){text, sizeof(text)});
        rouse__names_deinit(&names);
}

/* As many buckets as names, and no bucket with many. */
static void like_names_have_unlike_hashes(void) {
        static unsigned int n_of[1 << 14];
        struct names names;
        unsigned int n_empty = 0, n_most = 0;
        char text[32];

        rouse__names_init(&names);
        for (int i = 0; i < 1 << 14; i++) {
                snprintf(text, sizeof(text), "handle_%06d", i);
                n_of[rouse__names_hash(&names, rouse__text(text)) % (1 << 14)]++;
        }
        for (int i = 0; i < 1 << 14; i++) {
                n_empty += n_of[i] == 0;
                if (n_of[i] > n_most)
                        n_most = n_of[i];
        }
        rouse__names_deinit(&names);
        /* By chance a 1/e of them are empty, 6027, and the fullest has some 7. */
        ck_assert_uint_lt(n_empty, 7000);
        ck_assert_uint_lt(n_most, 32);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(names_are_checked),
                TEST(a_name_is_taken_until_its_handle_closes),
                TEST(many_names_come_and_go),
                TEST(names_are_found_together_as_one_by_one),
                TEST(the_hash_is_multilinear),
                TEST(like_names_have_unlike_hashes),
                {0},
        };

        return test_main("names", tests, argc, argv);
}
