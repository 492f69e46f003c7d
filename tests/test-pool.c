/* The pool: items are whole, apart from each other, and used again; any thread gives them back. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "lib/pool.h"
#include "tests/support.h"

#define ITEM_BYTES 88
#define N_ITEMS    60000 /* some blocks of 2 MiB */

static struct pool pool;
static unsigned char *items[N_ITEMS];

static void fill(size_t i) {
        memset(items[i], (int)(i % 251), ITEM_BYTES);
}

/* Without check's assertions, each of which takes as long as the rest of the test together. */
static void expect_filled(size_t i) {
        unsigned char expected[ITEM_BYTES];

        memset(expected, (int)(i % 251), ITEM_BYTES);
        if (memcmp(items[i], expected, ITEM_BYTES) != 0)
                ck_abort_msg("item %zu is not as it was left", i);
}

static void take(size_t i) {
        items[i] = rouse__pool_alloc(&pool);
        if (!items[i] || (uintptr_t)items[i] % sizeof(void *) != 0)
                ck_abort_msg("item %zu is %p", i, (void *)items[i]);
        fill(i);
}

static void alloc_all(void) {
        for (size_t i = 0; i < N_ITEMS; i++)
                take(i);
        for (size_t i = 0; i < N_ITEMS; i++)
                expect_filled(i);
}

static void free_all(void) {
        for (size_t i = 0; i < N_ITEMS; i++)
                rouse__pool_free(&pool, items[i]);
}

static void items_are_apart_and_used_again(void) {
        rouse__pool_init(&pool, ITEM_BYTES);
        for (int round = 0; round < 3; round++) {
                alloc_all();
                free_all();
        }
        rouse__pool_deinit(&pool);
}

static void free_a_part(void *arg) {
        for (size_t i = (size_t)(uintptr_t)arg; i < N_ITEMS; i += 3) {
                expect_filled(i);
                rouse__pool_free(&pool, items[i]);
        }
}

/* Two threads give back, and a third part is given back and taken again meanwhile. */
static void other_threads_give_back(void) {
        uv_thread_t threads[2];

        rouse__pool_init(&pool, ITEM_BYTES);
        alloc_all();
        for (uintptr_t k = 0; k < 2; k++)
                ck_assert_int_eq(uv_thread_create(&threads[k], free_a_part, (void *)k), 0);
        for (size_t i = 2; i < N_ITEMS; i += 3) {
                rouse__pool_free(&pool, items[i]);
                take(i);
        }
        for (int k = 0; k < 2; k++)
                uv_thread_join(&threads[k]);
        for (size_t i = 2; i < N_ITEMS; i += 3) {
                expect_filled(i);
                rouse__pool_free(&pool, items[i]);
        }
        rouse__pool_deinit(&pool);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(items_are_apart_and_used_again),
                TEST(other_threads_give_back),
                {0},
        };

        return test_main("pool", tests, argc, argv);
}
