/*
 * Reloads: a worker gets other sources, and those that stay the same do not notice.
 */

#include "daemon/worker.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/limits.h"
#include "daemon/workforce.h"
#include "tests/worker-fixture.h"

/* What sources ask of the kernel; relaxed: the worker is joined or waited for before it is read. */
static atomic_uint n_watched, n_made;

int __real_inotify_add_watch(int fd, const char *path, uint32_t mask);
int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask);
int __real_inotify_rm_watch(int fd, int wd);
int __wrap_inotify_rm_watch(int fd, int wd);
int __real_mkfifo(const char *path, mode_t mode);
int __wrap_mkfifo(const char *path, mode_t mode);

int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask) {
        atomic_fetch_add_explicit(&n_watched, 1, memory_order_relaxed);
        return __real_inotify_add_watch(fd, path, mask);
}

int __wrap_inotify_rm_watch(int fd, int wd) {
        atomic_fetch_add_explicit(&n_watched, 1, memory_order_relaxed);
        return __real_inotify_rm_watch(fd, wd);
}

int __wrap_mkfifo(const char *path, mode_t mode) {
        atomic_fetch_add_explicit(&n_made, 1, memory_order_relaxed);
        return __real_mkfifo(path, mode);
}

static unsigned int count(atomic_uint *counter) {
        return atomic_load_explicit(counter, memory_order_relaxed);
}

static struct worker *start_with(const char *sources) {
        struct configuration *configuration = configure(sources);
        struct worker *worker = start(configuration);

        configuration_unref(configuration); /* the worker keeps what it needs of it */
        return worker;
}

static void what_is_the_same_goes_on(void) {
        static const char *const others[] = {
                "    - {watch: tree, send: b}\n    - {fifo: in}\n    - {every: 1h, send: a}\n",
                "    - {every: 1h, send: b}\n    - {fifo: in}\n    - {watch: tree, send: b}\n",
                "    - {fifo: in}\n    - {watch: tree, send: b}\n",
        };
        struct worker *worker;
        unsigned int n;
        int before, fd;

        set_up();
        ok(mkdir(test_path("tree"), 0755));
        worker = start_with(others[0]);
        before = test_n_fds();
        /* The fifo that was made is looked at once more. After the second answer that is over. */
        ok(mkdir(test_path("tree/one"), 0755));
        ck_assert_reaches(n_b, 1);
        ok(mkdir(test_path("tree/two"), 0755));
        ck_assert_reaches(n_b, 2);
        n = count(&n_watched);
        ck_assert_uint_eq(count(&n_made), 1);
        fd = open(test_path("in"), O_WRONLY | O_CLOEXEC);
        ok(fd);
        before++;
        ck_assert_int_eq(write(fd, "a one\na tw", 10), 10);
        for (size_t i = 1; i < 30; i++) {
                change(worker, others[i % 3]);
                ck_assert_int_eq(test_n_fds(), before);
        }
        ck_assert_int_eq(write(fd, "o\n", 2), 2);
        close(fd);
        ok(mkdir(test_path("tree/three"), 0755));
        ck_assert_reaches(n_b, 3);
        expect_letters(2, "a|one\na|two\n");
        ck_assert_uint_eq(n_b, 3);
        ck_assert_uint_eq(count(&n_watched), n);
        ck_assert_uint_eq(count(&n_made), 1);
        worker_free(worker);
        tear_down();
}

static void many_that_are_the_same_stay(void) {
        char *sources = malloc(LIMIT_SOURCES * 40), *at = sources;
        struct configuration *configuration;
        struct worker *worker;

        set_up();
        for (unsigned int i = 0; i < LIMIT_SOURCES; i++)
                at += sprintf(at, "    - {every: %us, send: a}\n", 3600 + i);
        configuration = configure(sources);
        worker = start(configuration);
        for (int i = 0; i < 50; i++)
                ck_assert_int_eq(try_change(worker, configuration), 0);
        worker_free(worker);
        configuration_unref(configuration);
        free(sources);
        tear_down();
}

/* With a phase that began anew at each change, it would hardly ever come to its end. */
static void a_timer_keeps_its_phase(void) {
        uint64_t n_changes = 0;
        struct worker *worker;

        set_up();
        worker = start_with("    - {every: 300ms, send: a}\n");
        while (n_a < 3) {
                change(worker, n_changes++ % 2 ? "    - {every: 300ms, send: a}\n"
                                               : "    - {every: 1h, send: b}\n"
                                                 "    - {every: 300ms, send: a}\n");
                uv_run(&loop, UV_RUN_NOWAIT);
        }
        ck_assert_uint_gt(n_changes, 3);
        worker_free(worker);
        tear_down();
}

static void what_is_removed_sends_nothing_more(void) {
        struct worker *worker;
        uint64_t n;

        set_up();
        worker = start_with("    - {every: 1ms, send: a}\n    - {every: 1ms, send: b}\n");
        ck_assert_reaches(n_a, 3);
        change(worker, "    - {every: 1ms, send: b}\n");
        uv_run(&loop, UV_RUN_NOWAIT);
        n = n_a;
        ck_assert_reaches(n_b, n_b + 20);
        ck_assert_uint_eq(n_a, n);
        change(worker, "    []\n");
        uv_run(&loop, UV_RUN_NOWAIT);
        n = n_b;
        change(worker, "    - {every: 1ms, send: a}\n");
        ck_assert_reaches(n_a, n_a + 20);
        ck_assert_uint_eq(n_b, n);
        worker_free(worker);
        tear_down();
}

/* The worker is hardly given the time to read in between: what has happened is sent by whoever was
 * there. */
static void what_has_happened_is_sent_before_the_end(void) {
        char path[4096];
        struct worker *worker;

        set_up();
        ok(mkdir(test_path("tree"), 0755));
        for (uint64_t i = 0; i < 200; i++) {
                worker = start_with("    - {watch: tree, send: a}\n");
                snprintf(path, sizeof(path), "%s/tree/%d", test_dir(), (int)i);
                ok(mkdir(path, 0755));
                if (i % 2)
                        change(worker, "    - {watch: tree, send: b}\n");
                worker_free(worker);
                mailbox_deliver(mailbox);
                uv_run(&loop, UV_RUN_NOWAIT);
                ck_assert_uint_eq(n_a, i + 1);
        }
        ck_assert_uint_eq(n_b, 0); /* it came after all of it */
        tear_down();
}

static void a_handle_made_anew_is_found(void) {
        static const char sources[] = "    - {every: 1ms, send: b}\n    - {watch: file, send: a}\n";
        struct worker *worker;
        uint64_t n;

        set_up();
        worker = start_with(sources);
        ck_assert_int_eq(rouse_async_close(b), 0);
        rouse_async_release(b);
        uv_run(&loop, UV_RUN_NOWAIT);
        n = count(&n_watched);
        make_handle("b", &n_b, &b);
        change(worker, sources);
        ck_assert_reaches(n_b, n_b + 3);
        ck_assert_uint_eq(count(&n_watched), n);
        worker_free(worker);
        tear_down();
}

static void what_cannot_be_opened_changes_nothing(void) {
        static const char before[] = "    - {every: 1ms, send: a}\n    - {fifo: in}\n";
        struct configuration *gone = configure("    - {every: 1ms, send: b}\n"
                                               "    - {every: 1h, send: gone}\n");
        struct configuration *costly = configure("    - {fifo: other}\n"
                                                 "    - {every: 1ms, send: b}\n"
                                                 "    - {cron: '* * * * *', send: b}\n");
        int n_fds;
        struct worker *worker;

        set_up();
        worker = start_with(before);
        n_fds = test_n_fds();
        ck_assert_int_eq(try_change(worker, gone), -ENOENT);
        test_leave_fds(2); /* enough for the first */
        ck_assert_int_eq(try_change(worker, costly), -EMFILE);
        test_restore_fds();
        ck_assert_int_eq(test_n_fds(), n_fds);
        ck_assert(!test_exists(test_path("other")));
        ck_assert_reaches(n_a, n_a + 3);
        put_text(test_path("in"), "a still\n");
        expect_letters(1, "a|still\n");
        ck_assert_uint_eq(n_b, 0);

        ck_assert_int_eq(try_change(worker, costly), 0);
        ck_assert(!test_exists(test_path("in")));
        ck_assert_reaches(n_b, 3);
        worker_free(worker);
        configuration_unref(gone);
        configuration_unref(costly);
        tear_down();
}

/* While others change, one writes lines, and makes directories in a watched one: each is one event,
 * and no two have the same name, which would be told as one. */

#define N_DIRS  2000
#define N_LINES 20000

static void *make_dirs(void *arg) {
        char path[4096];

        (void)arg;
        for (int i = 0; i < N_DIRS; i++) {
                snprintf(path, sizeof(path), "%s/tree/%d", test_dir(), i);
                ok(mkdir(path, 0755));
        }
        return NULL;
}

static unsigned int n_told[N_DIRS];

static void count_dir(const char *key, size_t n_key) {
        char text[4096] = "", *name;

        ck_assert_uint_lt(n_key, sizeof(text));
        memcpy(text, key, n_key);
        name = strrchr(text, '/');
        ck_assert_ptr_nonnull(name);
        n_told[strtoul(name + 1, NULL, 10) % N_DIRS]++;
}

static void *write_lines(void *arg) {
        int fd = open(arg, O_WRONLY | O_CLOEXEC);
        char line[64];

        ok(fd);
        for (int i = 0; i < N_LINES; i++) {
                int n = snprintf(line, sizeof(line), "key %d\n", i);

                ck_assert_int_eq(write(fd, line, (size_t)n), n);
        }
        close(fd);
        return NULL;
}

/* Every line once, whole, in order. */
static void check_lines(void) {
        char *rest, *line = strtok_r(letters, "\n", &rest);

        ck_assert_uint_eq(n_letters, N_LINES);
        for (int i = 0; i < N_LINES; i++) {
                char expected[64];

                snprintf(expected, sizeof(expected), "key|%d", i);
                ck_assert_ptr_nonnull(line);
                ck_assert_str_eq(line, expected);
                line = strtok_r(NULL, "\n", &rest);
        }
}

struct busy {
        pthread_t maker, writer;
};

static void begin(struct busy *busy) {
        const char *in = test_path("in");

        ck_assert_int_eq(pthread_create(&busy->maker, NULL, make_dirs, NULL), 0);
        ck_assert_int_eq(pthread_create(&busy->writer, NULL, write_lines, (void *)in), 0);
}

static void end(struct busy *busy) {
        ck_assert_int_eq(pthread_join(busy->maker, NULL), 0);
        ck_assert_int_eq(pthread_join(busy->writer, NULL), 0);
}

static void nothing_is_lost_or_doubled_beside_a_change(void) {
        size_t n_lines = N_LINES;
        struct worker *worker;
        struct busy busy;
        char sources[256];

        set_up();
        on_key = count_dir;
        ok(mkdir(test_path("tree"), 0755));
        worker = start_with("    - {watch: tree, send: a}\n    - {fifo: in}\n");
        begin(&busy);
        for (int i = 0; n_letters < n_lines || n_a < N_DIRS; i++) {
                snprintf(sources, sizeof(sources),
                         "%s    - {watch: tree, send: a}\n%s    - {fifo: in}\n%s",
                         i & 1 ? "    - {watch: tree, recursive: true, send: b}\n" : "",
                         i & 2 ? "    - {every: 1ms, send: b}\n" : "",
                         i & 4 ? "    - {fifo: other}\n    - {signal: USR1, send: b}\n" : "");
                change(worker, sources);
                uv_run(&loop, UV_RUN_NOWAIT);
        }
        end(&busy);
        worker_free(worker);
        mailbox_deliver(mailbox);
        uv_run(&loop, UV_RUN_NOWAIT);
        for (int i = 0; i < N_DIRS; i++)
                ck_assert_msg(n_told[i] == 1, "%d came %u times", i, n_told[i]);
        check_lines();
        tear_down();
}

/* The sources move to another worker, and what they are changes, too. */
static void nothing_is_lost_by_a_move(void) {
        struct workforce *workforce;
        size_t n_lines = N_LINES;
        struct busy busy;
        char workers[256];

        set_up();
        on_key = count_dir;
        ok(mkdir(test_path("tree"), 0755));
        ck_assert_int_eq(workforce_new(hub, mailbox, &workforce), 0);
        for (int i = 0; i == 0 || n_letters < n_lines || n_a < N_DIRS; i++) {
                struct configuration *configuration;

                snprintf(workers, sizeof(workers),
                         "  v%d:\n    - {watch: tree, recursive: %s, send: a}\n"
                         "  w%d:\n    - {fifo: in, mode: %s}\n",
                         i % 2, i & 2 ? "true" : "false", i & 4 ? i % 2 : 3,
                         i & 2 ? "0600" : "0622");
                configuration = configure_workers(workers);
                workforce_apply(workforce, configuration);
                configuration_unref(configuration);
                uv_run(&loop, UV_RUN_NOWAIT);
                if (i == 0)
                        begin(&busy);
        }
        end(&busy);
        workforce = workforce_free(workforce);
        mailbox_deliver(mailbox);
        uv_run(&loop, UV_RUN_NOWAIT);
        for (int i = 0; i < N_DIRS; i++)
                ck_assert_msg(n_told[i] > 0, "%d is lost", i); /* some come twice: both watch */
        check_lines();
        tear_down();
}

static const struct test tests[] = {
        TEST(what_is_the_same_goes_on),
        TEST(many_that_are_the_same_stay),
        TEST(a_timer_keeps_its_phase),
        TEST(what_is_removed_sends_nothing_more),
        TEST(what_has_happened_is_sent_before_the_end),
        TEST(a_handle_made_anew_is_found),
        TEST(what_cannot_be_opened_changes_nothing),
        TEST(nothing_is_lost_or_doubled_beside_a_change),
        TEST(nothing_is_lost_by_a_move),
        {0},
};

int main(int argc, char **argv) {
        return test_main("worker-change", tests, argc, argv);
}
