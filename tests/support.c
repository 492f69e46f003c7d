/*
 * The test runner: check's, with one test case a test, so that each has its own name and timeout.
 *
 * A test runs in a process of its own. Descriptors are counted before and after the test's
 * function; that is exact there, because nothing else opens any. Children of the test are its own
 * business; the directory is removed by the process that made it.
 */

#include "config.h"

#include "tests/support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "lib/clock.h"

static const struct test *running;
static const char *running_name;
static char *directory;

int test_n_fds(void) {
        DIR *dir = opendir("/proc/self/fd");
        int n = 0;

        ck_assert_ptr_nonnull(dir);
        while (readdir(dir))
                n++;
        closedir(dir);
        return n - 3; /* ".", ".." and the directory itself */
}

static struct rlimit fds_before;

/* Descriptors are the lowest numbers that are free, and the limit is one of numbers. */
void test_leave_fds(unsigned int n) {
        int *fds = calloc(n + 1, sizeof(*fds));
        struct rlimit limit;

        ck_assert_ptr_nonnull(fds);
        for (unsigned int i = 0; i <= n; i++) {
                fds[i] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
                ck_assert_int_ge(fds[i], 0);
        }
        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &fds_before), 0);
        limit = (struct rlimit){(rlim_t)fds[n], fds_before.rlim_max};
        for (unsigned int i = 0; i <= n; i++)
                close(fds[i]);
        free(fds);
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

void test_restore_fds(void) {
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &fds_before), 0);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void)st;
        (void)type;
        (void)ftw;
        return remove(path);
}

const char *test_dir(void) {
        if (!directory) {
                const char *base = getenv("TMPDIR");

                ck_assert_int_ge(asprintf(&directory, "%s/rouse-test-XXXXXX", base ? base : "/tmp"),
                                 0);
                ck_assert_ptr_nonnull(mkdtemp(directory));
        }
        return directory;
}

const char *test_path(const char *format, ...) {
        static char *paths[64];
        static size_t n_paths;
        char *tail;
        va_list args;

        va_start(args, format);
        ck_assert_int_ge(vasprintf(&tail, format, args), 0);
        va_end(args);
        ck_assert_uint_lt(n_paths, sizeof(paths) / sizeof(*paths));
        ck_assert_int_ge(asprintf(&paths[n_paths], "%s/%s", test_dir(), tail), 0);
        free(tail);
        return paths[n_paths++];
}

void test_write_file(const char *path, const char *content) {
        FILE *file = fopen(path, "we");

        ck_assert_msg(file != NULL, "cannot write %s: %s", path, strerror(errno));
        ck_assert_int_ge(fputs(content, file), 0);
        ck_assert_int_eq(fclose(file), 0);
}

char *test_read_file(const char *path) {
        FILE *file = fopen(path, "re");
        char *content = NULL;
        size_t n = 0;
        FILE *memory;
        int c;

        if (!file)
                return NULL;
        memory = open_memstream(&content, &n);
        ck_assert_ptr_nonnull(memory);
        while ((c = getc(file)) != EOF)
                putc(c, memory);
        fclose(file);
        fclose(memory);
        return content;
}

bool test_exists(const char *path) {
        struct stat st;

        return lstat(path, &st) == 0;
}

void test_skip(const char *why) {
        fprintf(stderr, "%s is skipped: %s\n", running_name, why);
}

bool test_is_root(void) {
        if (geteuid() == 0)
                return true;
        test_skip("who is not root cannot become somebody else");
        return false;
}

bool test_until(bool (*condition)(void *arg), void *arg, unsigned int timeout_ms) {
        uint64_t deadline_ns = clock_now_ns() + timeout_ms * NS_PER_MS;

        while (!condition(arg)) {
                if (clock_now_ns() > deadline_ns)
                        return condition(arg);
                nanosleep(&(struct timespec){.tv_nsec = 2 * (long)NS_PER_MS}, NULL);
        }
        return true;
}

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define HAS_THREAD_SANITIZER 1
#else
#define HAS_THREAD_SANITIZER 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define HAS_ADDRESS_SANITIZER 1
#else
#define HAS_ADDRESS_SANITIZER 0
#endif
#if HAS_THREAD_SANITIZER
#define SLOWNESS 5
#elif HAS_ADDRESS_SANITIZER
#define SLOWNESS 3
#else
#define SLOWNESS 1
#endif

/* As the build is, unless somebody knows better: under valgrind, or on a machine that is busy. */
static unsigned int slowness(void) {
        const char *factor = getenv("ROUSE_TEST_SLOWNESS");
        int n = factor ? atoi(factor) : SLOWNESS;

        return n > 0 ? (unsigned int)n : SLOWNESS;
}

int test_max_queued_events(void) {
        char *text = test_read_file("/proc/sys/fs/inotify/max_queued_events");
        int n = text ? atoi(text) : 0;

        free(text);
        ck_assert_int_gt(n, 0);
        if (n <= 100000)
                return n;
        test_skip("fs.inotify.max_queued_events is too high");
        return 0;
}

bool test_has_thread_sanitizer(void) {
        return HAS_THREAD_SANITIZER;
}

bool test_has_address_sanitizer(void) {
        return HAS_ADDRESS_SANITIZER;
}

unsigned int test_slow_ms(unsigned int ms) {
        return ms * slowness();
}

/* The name that check knows it by is not the test's: the test case has that. */
START_TEST(run_one) {
        const struct test *test = running + _i;
        int before, after;

        running_name = test->name;
        before = test_n_fds();
        test->fn();
        after = test_n_fds();
        if (directory)
                nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        ck_assert_msg(after == before, "%s leaves %d descriptors open", test->name, after - before);
}
END_TEST

int test_main(const char *suite_name, const struct test *tests, int argc, char **argv) {
        Suite *suite = suite_create(suite_name);
        SRunner *runner;
        uv_loop_t loop;
        int n_failed;

        /* libuv's pipe for signals comes with the first loop and stays: it is not the test's. */
        if (uv_loop_init(&loop) < 0 || uv_loop_close(&loop) < 0)
                return EXIT_FAILURE;
        running = tests;
        for (int i = 0; tests[i].fn; i++) {
                TCase *tcase;
                bool wanted = argc < 2;

                for (int k = 1; k < argc; k++)
                        wanted = wanted || strcmp(argv[k], tests[i].name) == 0;
                if (!wanted)
                        continue;
                tcase = tcase_create(tests[i].name);
                tcase_set_timeout(tcase,
                                  (tests[i].timeout_s ?: TEST_TIMEOUT_S) * (double)slowness());
                tcase_add_loop_test(tcase, run_one, i, i + 1);
                suite_add_tcase(suite, tcase);
        }
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        n_failed = srunner_ntests_failed(runner);
        if (srunner_ntests_run(runner) == 0) {
                fprintf(stderr, "%s: no such test\n", suite_name);
                n_failed = 1;
        }
        srunner_free(runner);
        return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
