/*
 * Loading when memory runs out, at every place where it can: each allocation fails once. The
 * linker's --wrap leads the configuration's own calls here; libyaml's and libc's go on as they are.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "daemon/conf-error.h"
#include "daemon/configuration.h"
#include "tests/support.h"

static unsigned int n_until_failure; /* 0: none fails */
/* Shared: a part of the work is done in a child. */
static bool *has_failed;

static bool fails(void) {
        if (n_until_failure == 0 || --n_until_failure > 0)
                return false;
        *has_failed = true;
        errno = ENOMEM;
        return true;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t n);
void *__real_mmap(void *p, size_t n, int protection, int flags, int fd, off_t offset);
FILE *__real_open_memstream(char **text, size_t *n);

void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t n);
void *__wrap_mmap(void *p, size_t n, int protection, int flags, int fd, off_t offset);
int __wrap_asprintf(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap___asprintf_chk(char **text, int flag, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
FILE *__wrap_open_memstream(char **text, size_t *n);

void *__wrap_malloc(size_t n) {
        return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size) {
        return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n) {
        return fails() ? NULL : __real_realloc(p, n);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size) {
        return fails() ? NULL : __real_reallocarray(p, n, size);
}

char *__wrap_strdup(const char *text) {
        return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t n) {
        return fails() ? NULL : __real_strndup(text, n);
}

void *__wrap_mmap(void *p, size_t n, int protection, int flags, int fd, off_t offset) {
        return fails() ? MAP_FAILED : __real_mmap(p, n, protection, flags, fd, offset);
}

FILE *__wrap_open_memstream(char **text, size_t *n) {
        return fails() ? NULL : __real_open_memstream(text, n);
}

int __wrap_asprintf(char **text, const char *format, ...) {
        va_list args;
        int n;

        if (fails())
                return -1;
        va_start(args, format);
        n = vasprintf(text, format, args);
        va_end(args);
        return n;
}

int __wrap___asprintf_chk(char **text, int flag, const char *format, ...) {
        va_list args;
        int n;

        (void)flag;
        if (fails())
                return -1;
        va_start(args, format);
        n = vasprintf(text, format, args);
        va_end(args);
        return n;
}

/* Lets each allocation of one load fail, until a load gets through without. */
static void expect_no_memory(const char *file, int expected) {
        for (unsigned int n = 1;; n++) {
                struct conf_errors errors = CONF_ERRORS_NULL;
                struct configuration *configuration = NULL;
                int r;

                ck_assert_uint_lt(n, 10000);
                *has_failed = false;
                n_until_failure = n;
                r = configuration_load(file, &errors, &configuration);
                n_until_failure = 0;
                /* Giving back what is too much may fail: nothing is lost by it. */
                if (r == 0 || !*has_failed)
                        ck_assert_int_eq(r, expected);
                else
                        ck_assert_int_eq(r, -ENOMEM);
                ck_assert_int_eq(r == 0, configuration != NULL);
                configuration_unref(configuration);
                conf_errors_deinit(&errors);
                if (!*has_failed) {
                        ck_assert_uint_gt(n, 20);
                        break;
                }
        }
}

static void a_good_configuration_survives(void) {
        test_write_file(
                test_path("main.yaml"),
                "handles:\n"
                "  a: {run: [x, y], timeout: 5, description: d, access: {send: [1, '@2']}}\n"
                "  b: {send: [a, c]}\n"
                "  c: {signal: {pidfile: p, signal: HUP}}\n"
                "  e: {run: [x], quiet: 1s, on_busy: signal USR1, group: g}\n"
                "groups: {g: {max: 2}, h: }\n"
                "workers:\n"
                "  w: [{every: 5, send: a}, {fifo: f}, {watch: /x, send: b}]\n"
                "access: {read: [root, '@root', '*']}\n");
        ck_assert_int_eq(mkdir(test_path("conf.d"), 0755), 0);
        test_write_file(test_path("conf.d/x.yaml"), "handles: {d: {send: a}}\n");
        expect_no_memory(test_path("main.yaml"), 0);
}

static void a_bad_configuration_survives(void) {
        test_write_file(
                test_path("main.yaml"),
                "handles:\n"
                "  a: {run: [x, []], timeot: 5, access: {send: [nobody.at.all]}, send: b}\n"
                "  b: {send: [a, b, d]}\n"
                "  c: {signal: {pidfile: '~', signal: HUPP}, started: 1, started: true}\n"
                "  b: &x {kill_after: 5}\n"
                "  'b b': *x\n"
                "  -c: !x {<<: 5, [a]: 5, \"\\0\": 7}\n"
                "workers:\n"
                "  w: [{every: 0, send: a}, {fifo: f, send: x}, {watch: /x, every: 4}, {}]\n"
                "  w: [{evry: 0}, 5]\n"
                "access: {read: [root, [], '@nobody.at.all', {}]}\n");
        ck_assert_int_eq(mkdir(test_path("conf.d"), 0755), 0);
        test_write_file(test_path("conf.d/x.yaml"), "handles: [\n");
        ck_assert_int_eq(mkdir(test_path("conf.d/y.yaml"), 0755), 0);
        test_write_file(test_path("conf.d/z.yaml"), "access: {}\nx\xff");
        expect_no_memory(test_path("main.yaml"), -EINVAL);
}

static void bad_references_survive(void) {
        test_write_file(test_path("main.yaml"), "handles:\n"
                                                "  a: {send: [b, x]}\n"
                                                "  c: {run: [x], group: x, keys: 5, on_busy: 5}\n"
                                                "  b: {send: a}\n"
                                                "workers:\n"
                                                "  w: [{every: 1, send: y}]\n"
                                                "groups: {y: {max: 0}, y: }\n");
        expect_no_memory(test_path("main.yaml"), -EINVAL);
}

static const struct test tests[] = {
        TEST(a_good_configuration_survives),
        TEST(a_bad_configuration_survives),
        TEST(bad_references_survive),
        {0},
};

int main(int argc, char **argv) {
        has_failed = __real_mmap(NULL, sizeof(*has_failed), PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (has_failed == MAP_FAILED)
                return EXIT_FAILURE;
        return test_main("configuration-memory", tests, argc, argv);
}
