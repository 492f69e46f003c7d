/* Freed memory goes back to the system when it is worth it, and only then. */

#include "daemon/surplus.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support.h"

#define N_USERS 64
#define N_PARTS 4096 /* of a user: too small to be given back by themselves */
#define PART    256

static unsigned int n_looked;

int __real_malloc_trim(size_t n);
int __wrap_malloc_trim(size_t n);

int __wrap_malloc_trim(size_t n) {
        n_looked++;
        return __real_malloc_trim(n);
}

static struct surplus surplus;
static char *parts[N_USERS][N_PARTS], *last;

/* One MiB each, between that of all the others. */
static void all_come(void) {
        for (int i = 0; i < N_USERS; i++)
                surplus_user_came(&surplus);
        for (int k = 0; k < N_PARTS; k++)
                for (int i = 0; i < N_USERS; i++) {
                        parts[i][k] = malloc(PART);
                        ck_assert_ptr_nonnull(parts[i][k]);
                        memset(parts[i][k], 'x', PART);
                }
        last = malloc(PART); /* what is at the end keeps the rest from going by itself */
        ck_assert_ptr_nonnull(last);
}

static void goes(int i) {
        for (int k = 0; k < N_PARTS; k++)
                free(parts[i][k]);
        surplus_user_went(&surplus);
}

static unsigned long resident_mib(void) {
        char *text = test_read_file("/proc/self/statm");
        unsigned long n_pages;

        ck_assert_int_eq(sscanf(text, "%*u %lu", &n_pages), 1);
        free(text);
        return n_pages / 256;
}

static void what_many_needed_goes_back_when_they_have_gone(void) {
        unsigned long before = resident_mib();

        all_come();
        ck_assert_uint_ge(resident_mib(), before + N_USERS);
        for (int i = N_USERS - 1; i > 0; i--)
                goes(i);
        /* One stays, and a part of his on most pages. */
        ck_assert_uint_ge(n_looked, 1);
        ck_assert_uint_le(n_looked, 7);
        goes(0);
        ck_assert_uint_le(n_looked, 8);
        if (test_has_address_sanitizer() || test_has_thread_sanitizer())
                test_skip("the sanitizer has its own memory");
        else
                ck_assert_uint_le(resident_mib(), before + 8);
        free(last);
}

static void little_is_not_looked_for(void) {
        for (int i = 0; i < 1000; i++) {
                surplus_user_came(&surplus);
                surplus_user_went(&surplus);
        }
        ck_assert_uint_le(n_looked, 1); /* the size of the process is new to it */
}

static void what_is_in_use_is_looked_for_once(void) {
        enum { N = 32 << 20 };
        char *in_use = malloc(N);

        little_is_not_looked_for();
        ck_assert_ptr_nonnull(in_use);
        explicit_bzero(in_use, N); /* which is not left out, though nobody reads it */
        n_looked = 0;
        little_is_not_looked_for();
        ck_assert_uint_eq(n_looked, 1);
        free(in_use);
}

static const struct test tests[] = {
        TEST(what_many_needed_goes_back_when_they_have_gone),
        TEST(little_is_not_looked_for),
        TEST(what_is_in_use_is_looked_for_once),
        {0},
};

int main(int argc, char **argv) {
        return test_main("surplus", tests, argc, argv);
}
