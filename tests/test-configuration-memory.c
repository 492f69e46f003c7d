/*
 * Loading when memory runs out, at every place where it can: each allocation fails once. The
 * linker's --wrap leads the daemon's own calls here; libyaml's and libc's go on as they are. An
 * arena seldom asks for more, so what is taken of one counts as an allocation too. With the real
 * kinds of actions and sources.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/access.h"
#include "daemon/conf-arena.h"
#include "daemon/conf-error.h"
#include "daemon/configuration.h"
#include "daemon/source.h"
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
int __real_getgrouplist(const char *user, gid_t gid, gid_t *groups, int *n);
void *__real_conf_arena_alloc(struct conf_arena *arena, size_t n);
char *__real_conf_arena_strndup(struct conf_arena *arena, const char *text, size_t n);

void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t n);
void *__wrap_mmap(void *p, size_t n, int protection, int flags, int fd, off_t offset);
int __wrap_getgrouplist(const char *user, gid_t gid, gid_t *groups, int *n);
int __wrap_asprintf(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap___asprintf_chk(char **text, int flag, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
FILE *__wrap_open_memstream(char **text, size_t *n);
void *__wrap_conf_arena_alloc(struct conf_arena *arena, size_t n);
char *__wrap_conf_arena_strndup(struct conf_arena *arena, const char *text, size_t n);

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

/* Without memory it says no more than that. */
int __wrap_getgrouplist(const char *user, gid_t gid, gid_t *groups, int *n) {
        return fails() ? -1 : __real_getgrouplist(user, gid, groups, n);
}

void *__wrap_conf_arena_alloc(struct conf_arena *arena, size_t n) {
        return fails() ? NULL : __real_conf_arena_alloc(arena, n);
}

char *__wrap_conf_arena_strndup(struct conf_arena *arena, const char *text, size_t n) {
        return fails() ? NULL : __real_conf_arena_strndup(arena, text, n);
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

static void expect_equal_workers(const struct worker_conf *a, const struct worker_conf *b) {
        ck_assert_str_eq(a->name, b->name);
        ck_assert_uint_eq(a->n_sources, b->n_sources);
        for (size_t i = 0; i < a->n_sources; i++)
                ck_assert(source_conf_equal(a->sources[i], b->sources[i]));
}

/* Half of a configuration must not count as one. */
static void expect_equal(const struct configuration *a, const struct configuration *b) {
        ck_assert_uint_eq(a->n_handles, b->n_handles);
        for (size_t i = 0; i < a->n_handles; i++)
                ck_assert(handle_conf_equal(&a->handles[i], &b->handles[i]));
        ck_assert_uint_eq(a->n_groups, b->n_groups);
        for (size_t i = 0; i < a->n_groups; i++) {
                ck_assert_str_eq(a->groups[i].name, b->groups[i].name);
                ck_assert_uint_eq(a->groups[i].max, b->groups[i].max);
        }
        ck_assert_uint_eq(a->n_workers, b->n_workers);
        for (size_t i = 0; i < a->n_workers; i++)
                expect_equal_workers(a->workers[i], b->workers[i]);
        ck_assert(access_rules_equal(a->access, b->access));
}

/* Loads a file while its n-th allocation fails (0: none). NULL if it has errors, or on -ENOMEM. */
static struct configuration *load(const char *file, unsigned int n, int expected) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct configuration *configuration = NULL;
        int r;

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
        conf_errors_deinit(&errors);
        return configuration;
}

/* Lets each allocation of one load fail, until a load gets through without. */
static void expect_no_memory(const char *file, int expected, unsigned int n_at_least) {
        struct configuration *whole = load(file, 0, expected), *configuration;
        unsigned int n = 0;

        do {
                ck_assert_uint_lt(n, 10000);
                configuration = load(file, ++n, expected);
                if (configuration)
                        expect_equal(configuration, whole);
                configuration_unref(configuration);
        } while (*has_failed);
        ck_assert_uint_gt(n, n_at_least);
        configuration_unref(whole);
}

/* Every key that there is. */
static const char rich[] =
        "handles:\n"
        "  a:\n"
        "    run: [x, y]\n"
        "    description: d\n"
        "    started: true\n"
        "    access: {read: ['*'], send: [1, '@2', root, '@root'], admin: 3}\n"
        "    timeout: 5\n"
        "    kill_after: 2\n"
        "    success_exit: [0, 3]\n"
        "    env: {A: b, C: d}\n"
        "    cwd: here\n"
        "    user: %u:%u\n"
        "    umask: 077\n"
        "    nice: 5\n"
        "    rlimits: {nofile: 100, as: 1G}\n"
        "    stdout: ./out\n"
        "    stderr: ./err\n"
        "    quiet: 1s\n"
        "    max_wait: 2s\n"
        "    leading: true\n"
        "    min_interval: 3s\n"
        "    jitter: 1s\n"
        "    on_busy: {signal: USR1}\n"
        "    retry: {attempts: 3, backoff: 1s, max_backoff: 5s}\n"
        "    group: g\n"
        "    keys: {max: 10, max_bytes: 1K}\n"
        "  b: {send: [a, c]}\n"
        "  c: {signal: {pidfile: p, signal: HUP}}\n"
        "  e: {run: [x], on_busy: signal USR1, group: g, keys: false}\n"
        "groups: {g: {max: 2}, h: }\n"
        "workers:\n"
        "  w: [{every: 5, send: a}, {cron: '0 0 * * *', send: b}, {fifo: f, mode: 0600}]\n"
        "  v: [{watch: x, recursive: true, send: b}, {signal: USR1, send: d}]\n"
        "access: {read: [root, '@root', '*']}\n";

static void expect_in_rich(void *arg, const char *section, const char *key) {
        char *with_colon;

        (void)arg;
        (void)section;
        ck_assert_int_gt(asprintf(&with_colon, "%s: ", key), 0);
        ck_assert_msg(strstr(rich, with_colon) || strcmp(key, "handles") == 0 ||
                              strcmp(key, "workers") == 0,
                      "the key '%s' is missing here", key);
        free(with_colon);
}

static void a_good_configuration_survives(void) {
        char *text;

        configuration_each_key(expect_in_rich, NULL);
        ck_assert_int_gt(asprintf(&text, rich, geteuid(), getegid()), 0);
        test_write_file(test_path("main.yaml"), text);
        free(text);
        ck_assert_int_eq(mkdir(test_path("conf.d"), 0755), 0);
        test_write_file(test_path("conf.d/x.yaml"), "handles: {d: {send: a}}\n");
        expect_no_memory(test_path("main.yaml"), 0, 200);
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
        expect_no_memory(test_path("main.yaml"), -EINVAL, 20);
}

static void bad_references_survive(void) {
        test_write_file(test_path("main.yaml"), "handles:\n"
                                                "  a: {send: [b, x]}\n"
                                                "  c: {run: [x], group: x, keys: 5, on_busy: 5}\n"
                                                "  b: {send: a}\n"
                                                "workers:\n"
                                                "  w: [{every: 1, send: y}]\n"
                                                "groups: {y: {max: 0}, y: }\n");
        expect_no_memory(test_path("main.yaml"), -EINVAL, 20);
}

static void a_missing_file_survives(void) {
        expect_no_memory(test_path("main.yaml"), -ENOENT, 5);
}

static const struct test tests[] = {
        TEST(a_good_configuration_survives),
        TEST(a_bad_configuration_survives),
        TEST(bad_references_survive),
        TEST(a_missing_file_survives),
        {0},
};

int main(int argc, char **argv) {
        has_failed = __real_mmap(NULL, sizeof(*has_failed), PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (has_failed == MAP_FAILED)
                return EXIT_FAILURE;
        return test_main("configuration-memory", tests, argc, argv);
}
