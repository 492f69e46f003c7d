/* What every test needs: a runner that notices descriptors left over, a directory, deadlines. */
#pragma once

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

/* A test by name, in an array that ends with a row without a function. */
struct test {
        const char *name;
        void (*fn)(void);
        int timeout_s; /* 0: TEST_TIMEOUT_S */
};

#define TEST(f) \
        { .name = #f, .fn = f }
#define TEST_TIMEOUT_S 60

/* For main(): runs the tests (each in a process of its own) and returns the exit status. A test
 * that leaves descriptors open fails. Arguments are names of tests to run alone. */
int test_main(const char *suite, const struct test *tests, int argc, char **argv);

/* A new directory for this test, which is removed with all it holds when the test ends. */
const char *test_dir(void);
/* A path below it; valid until the test ends. */
const char *test_path(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Writes a file, whole. */
void test_write_file(const char *path, const char *content);
/* Reads a file, whole; free() it. NULL if it is not there. */
char *test_read_file(const char *path);
/* Whether something has this name, be it a link that leads nowhere. */
bool test_exists(const char *path);

/* Says why a test, or the rest of it, is not made here. */
void test_skip(const char *why);
/* Whether the test can become somebody else; if not, it says so. */
bool test_is_root(void);

/* Calls `condition` until it is true, at most `timeout_ms`; says whether it was. The pause between
 * two calls is short: this is for what no event tells. */
bool test_until(bool (*condition)(void *arg), void *arg, unsigned int timeout_ms);

/* The number of open descriptors. */
int test_n_fds(void);
/* Lets the process open n more descriptors and not one besides, until test_restore_fds(). */
void test_leave_fds(unsigned int n);
void test_restore_fds(void);

/* How many events inotify queues before it loses some; 0, and it says so: too many for a test. */
int test_max_queued_events(void);

/* Whether this build has the thread sanitizer, or that of addresses. */
bool test_has_thread_sanitizer(void);
bool test_has_address_sanitizer(void);
/* The time that slow builds (valgrind, sanitizers) may take instead of `ms`. */
unsigned int test_slow_ms(unsigned int ms);

/* Like ck_assert(), for checks by the million: check tells the parent process of each assertion
 * that holds, this tells only of one that does not. */
#define test_expect(condition)                                \
        do {                                                  \
                if (!(condition))                             \
                        ck_abort_msg("%s fails", #condition); \
        } while (0)
