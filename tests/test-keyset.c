#include "daemon/keyset.h"

#include <stdio.h>
#include <string.h>

#include "tests/support.h"

static const struct keyset_limits wide = {.max = 1000, .max_bytes = 1 << 20};

static void add(struct keyset **keyset, const struct keyset_limits *limits, const char *key) {
        keyset_add(keyset, limits, key, strlen(key));
}

static void expect(const struct keyset *keyset, const char *text, size_t n_keys, bool overflow) {
        size_t n;
        const char *found = keyset_text(keyset, &n);

        ck_assert_uint_eq(n, strlen(text));
        ck_assert_mem_eq(found, text, n);
        ck_assert_uint_eq(keyset_count(keyset), n_keys);
        ck_assert(keyset_has_overflown(keyset) == overflow);
}

static void nothing_is_the_empty_set(void) {
        struct keyset *keyset = NULL;

        expect(NULL, "", 0, false);
        keyset_add(&keyset, &wide, "", 0);
        keyset_merge(&keyset, &wide, NULL);
        keyset_add_all(&keyset, &wide, NULL);
        ck_assert_ptr_null(keyset);
        ck_assert_ptr_null(keyset_free(NULL));
}

static void keys_are_kept_once_in_the_order_in_which_they_first_came(void) {
        struct keyset *keyset = NULL;

        add(&keyset, &wide, "b");
        add(&keyset, &wide, "a");
        add(&keyset, &wide, "b");
        add(&keyset, &wide, "ab"); /* has others in it, and is in none */
        add(&keyset, &wide, "a");
        add(&keyset, &wide, "b a");
        expect(keyset, "b\na\nab\nb a\n", 4, false);
        ck_assert_ptr_null(keyset_free(keyset));
}

static void many_keys_are_found_again(void) {
        static const struct keyset_limits limits = {.max = 20000, .max_bytes = 1 << 20};
        struct keyset *keyset = NULL;
        const char *text;
        size_t n;

        for (unsigned int round = 0; round < 2; round++)
                for (unsigned int i = 0; i < 20000; i++) {
                        char key[16];

                        snprintf(key, sizeof(key), "key %u", i);
                        add(&keyset, &limits, key);
                }
        ck_assert_uint_eq(keyset_count(keyset), 20000);
        ck_assert(!keyset_has_overflown(keyset));
        text = keyset_text(keyset, &n);
        for (unsigned int i = 0; i < 20000; i++) {
                char key[16];
                int n_key = snprintf(key, sizeof(key), "key %u\n", i);

                ck_assert_mem_eq(text, key, (size_t)n_key);
                text += n_key;
        }
        keyset_free(keyset);
}

static void what_passes_a_bound_is_said_and_not_kept(void) {
        static const struct {
                struct keyset_limits limits;
                const char *keys[5];
                const char *text;
                bool overflow;
        } cases[] = {
                {{.max = 2, .max_bytes = 100}, {"a", "b"}, "a\nb\n", false},
                {{.max = 2, .max_bytes = 100}, {"a", "b", "a", "b"}, "a\nb\n", false},
                {{.max = 2, .max_bytes = 100}, {"a", "b", "c", "a"}, "a\nb\n", true},
                {{.max = 9, .max_bytes = 4}, {"a", "b"}, "a\nb\n", false},
                {{.max = 9, .max_bytes = 4}, {"a", "b", "c"}, "a\nb\n", true},
                {{.max = 9, .max_bytes = 4}, {"abc"}, "abc\n", false},
                {{.max = 9, .max_bytes = 4}, {"abcd", "b"}, "b\n", true},
                {{.max = 9, .max_bytes = 5}, {"ab", "cd", "e"}, "ab\ne\n", true},
                {{.max = 9, .max_bytes = 9}, {"a\nb", "c"}, "c\n", true},
                {{.max = 9, .max_bytes = 9}, {"\n"}, "", true},
                {{.max = 0, .max_bytes = 9}, {"a"}, "", false}, /* keys are not wanted */
                {{.max = 9, .max_bytes = 0}, {"a"}, "", true},
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct keyset *keyset = NULL;
                size_t n_keys = 0;

                for (const char *const *key = cases[i].keys; *key; key++)
                        add(&keyset, &cases[i].limits, *key);
                for (const char *p = cases[i].text; *p; p++)
                        n_keys += *p == '\n';
                expect(keyset, cases[i].text, n_keys, cases[i].overflow);
                keyset_free(keyset);
        }
}

static void bounds_may_be_lowered(void) {
        static const struct keyset_limits before = {.max = 9, .max_bytes = 9},
                                          after = {.max = 9, .max_bytes = 3};
        struct keyset *keyset = NULL;

        add(&keyset, &before, "a");
        add(&keyset, &before, "b");
        expect(keyset, "a\nb\n", 2, false);
        add(&keyset, &after, "b");
        expect(keyset, "a\nb\n", 2, false);
        add(&keyset, &after, "c");
        expect(keyset, "a\nb\n", 2, true);
        keyset_free(keyset);
}

static void a_set_goes_behind_another(void) {
        static const struct keyset_limits three = {.max = 3, .max_bytes = 100};
        struct keyset *to = NULL, *from = NULL;

        add(&from, &wide, "a");
        add(&from, &wide, "b");
        keyset_merge(&to, &wide, from); /* into nothing: as it is */
        expect(to, "a\nb\n", 2, false);
        from = NULL;
        add(&from, &wide, "b");
        add(&from, &wide, "c");
        keyset_merge(&to, &three, from);
        expect(to, "a\nb\nc\n", 3, false);
        from = NULL;
        add(&from, &wide, "d");
        keyset_merge(&to, &three, from);
        expect(to, "a\nb\nc\n", 3, true);
        keyset_free(to);
}

static void an_overflow_goes_along(void) {
        struct keyset *to = NULL, *from = NULL;

        add(&to, &wide, "a");
        keyset_overflow(&from);
        expect(from, "", 0, true);
        keyset_merge(&to, &wide, from);
        expect(to, "a\n", 1, true);
        add(&to, &wide, "b"); /* what comes later has its place */
        expect(to, "a\nb\n", 2, true);
        keyset_free(to);
}

static void a_copy_leaves_the_other_set_alone(void) {
        static const struct keyset_limits none = {.max = 0, .max_bytes = 100};
        struct keyset *to = NULL, *from = NULL;

        add(&from, &wide, "a");
        keyset_overflow(&from);
        keyset_add_all(&to, &none, from); /* where keys are not wanted, none are missing */
        ck_assert_ptr_null(to);
        keyset_add_all(&to, &wide, from);
        expect(to, "a\n", 1, true);
        expect(from, "a\n", 1, true);
        keyset_free(from);
        expect(to, "a\n", 1, true);
        keyset_free(to);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(nothing_is_the_empty_set),
                TEST(keys_are_kept_once_in_the_order_in_which_they_first_came),
                TEST(many_keys_are_found_again),
                TEST(what_passes_a_bound_is_said_and_not_kept),
                TEST(bounds_may_be_lowered),
                TEST(a_set_goes_behind_another),
                TEST(an_overflow_goes_along),
                TEST(a_copy_leaves_the_other_set_alone),
                {0},
        };

        return test_main("keyset", tests, argc, argv);
}
