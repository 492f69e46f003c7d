/* What recurs is kept once, and nothing is lost when it is not found again. */

#include "daemon/conf-pool.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf-arena.h"
#include "daemon/strv-pack.h"
#include "tests/support.h"

static void equal_values_are_one(void) {
        struct conf_arena arena = CONF_ARENA_NULL;
        struct conf_pool pool;
        uint64_t a[3] = {1, 2, 3}, b[3] = {1, 2, 3}, c[3] = {1, 2, 4};
        const uint64_t *kept;

        conf_pool_init(&pool, &arena);
        kept = conf_pool_keep(&pool, a, sizeof(a));
        ck_assert_ptr_nonnull(kept);
        ck_assert_ptr_ne(kept, a);
        ck_assert_ptr_eq(conf_pool_keep(&pool, b, sizeof(b)), kept);
        ck_assert_ptr_ne(conf_pool_keep(&pool, c, sizeof(c)), kept);
        ck_assert_ptr_ne(conf_pool_keep(&pool, a, sizeof(a) - 1), kept);
        conf_pool_deinit(&pool);
        ck_assert_mem_eq(kept, a, sizeof(a)); /* the arena's */
        conf_arena_deinit(&arena);
}

static void a_text_ends_and_a_struct_is_aligned(void) {
        struct conf_arena arena = CONF_ARENA_NULL;
        const char bytes[] = "12345678"; /* as a struct the same but for the end */
        struct conf_pool pool;
        const char *text;
        const void *kept;

        conf_pool_init(&pool, &arena);
        ck_assert_ptr_nonnull(conf_pool_keep_text(&pool, "x", 1));
        text = conf_pool_keep_text(&pool, bytes, 8);
        kept = conf_pool_keep(&pool, bytes, 8);
        ck_assert_str_eq(text, bytes);
        ck_assert_ptr_ne(text, kept);
        ck_assert_uint_eq((uintptr_t)kept % sizeof(void *), 0);
        text = conf_pool_keep_text(&pool, bytes, 8);
        ck_assert_ptr_ne(text, kept);
        ck_assert_str_eq(text, bytes);
        ck_assert_str_eq(conf_pool_keep_text(&pool, "", 0), "");
        conf_pool_deinit(&pool);
        conf_arena_deinit(&arena);
}

static void more_values_than_it_remembers_are_all_kept(void) {
        enum { N = 20000 };
        struct conf_arena arena = CONF_ARENA_NULL;
        const uint32_t **kept = calloc(N, sizeof(*kept));
        struct conf_pool pool;

        conf_pool_init(&pool, &arena);
        for (uint32_t i = 0; i < N; i++) {
                kept[i] = conf_pool_keep(&pool, &i, sizeof(i));
                test_expect(kept[i]);
                test_expect(conf_pool_keep(&pool, &i, sizeof(i)) == kept[i]);
        }
        conf_pool_deinit(&pool);
        for (uint32_t i = 0; i < N; i++)
                test_expect(*kept[i] == i);
        conf_arena_deinit(&arena);
        free(kept);
}

static void lists_of_strings_come_back_as_they_were(void) {
        static char *const lists[][4] = {
                {NULL},
                {"one", NULL},
                {"", NULL},
                {"/bin/sh", "-c", "echo 'a b'", NULL},
                {"a", "", "", NULL},
                {"a", "", NULL},
        };
        const size_t n_lists = sizeof(lists) / sizeof(lists[0]);
        char packed[sizeof(lists) / sizeof(lists[0])][64];

        for (size_t i = 0; i < n_lists; i++) {
                size_t n = 0;
                char **list;

                memset(packed[i], 'x', sizeof(packed[i]));
                strv_pack(lists[i], packed[i]);
                ck_assert_int_eq(packed[i][strv_packed_size(lists[i])], 'x');
                list = strv_unpack(packed[i]);
                for (; lists[i][n]; n++)
                        ck_assert_str_eq(list[n], lists[i][n]);
                ck_assert_ptr_null(list[n]);
                ck_assert_uint_eq(strv_packed_count(packed[i]), n);
                if (n > 0)
                        ck_assert_str_eq(strv_packed_first(packed[i]), lists[i][0]);
                free(list);
                for (size_t k = 0; k <= i; k++) {
                        ck_assert_int_eq(strv_packed_equal(packed[i], packed[k]), i == k);
                        ck_assert_int_eq(strv_packed_equal(packed[k], packed[i]), i == k);
                }
                ck_assert(!strv_packed_equal(packed[i], NULL));
                ck_assert(!strv_packed_equal(NULL, packed[i]));
        }
        ck_assert(strv_packed_equal(NULL, NULL));
        ck_assert_uint_eq(strv_packed_count(NULL), 0);
}

static void no_list_unpacks_to_nothing(void) {
        char **list = strv_unpack(NULL);

        ck_assert_ptr_nonnull(list);
        ck_assert_ptr_null(list[0]);
        free(list);
}

static const struct test tests[] = {
        TEST(equal_values_are_one),
        TEST(a_text_ends_and_a_struct_is_aligned),
        TEST(more_values_than_it_remembers_are_all_kept),
        TEST(lists_of_strings_come_back_as_they_were),
        TEST(no_list_unpacks_to_nothing),
        {0},
};

int main(int argc, char **argv) {
        return test_main("conf-pool", tests, argc, argv);
}
