/*
 * Workers from end to end: sources as the configuration has them, on threads of their own, waking
 * handles on a real hub.
 */

#include "daemon/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/conf-node.h"
#include "daemon/configuration.h"
#include "daemon/limits.h"
#include "daemon/mailbox.h"
#include "daemon/period.h"
#include "daemon/source.h"
#include "lib/clock.h"
#include "tests/log-recorder.h"
#include "tests/support.h"

#define ok(call) ck_assert_msg((call) >= 0, "%s: %s", #call, strerror(errno))

static bool was_logged(void *arg) {
        return log_recorder_has(arg);
}

static uv_loop_t loop;
static rouse_hub_t *hub;
static struct mailbox *mailbox;
static rouse_async_t *a, *b;
static uint64_t n_a, n_b; /* sends that woke them */

/* Letters as they came: "NAME|KEY\n". */
static char *letters;
static size_t n_letters, n_letter_bytes, n_letter_room;

static void on_wake(rouse_async_t *async, uint64_t n_sends) {
        *(uint64_t *)rouse_async_data(async) += n_sends;
}

static void on_letter(void *arg, rouse_async_t *async, const char *name, const char *key,
                      size_t n_key) {
        ck_assert_ptr_eq(arg, &n_letters);
        ck_assert_ptr_null(async);
        if (n_letter_room - n_letter_bytes < LIMIT_KEY_BYTES + 300) {
                n_letter_room = 2 * n_letter_room + 2 * LIMIT_KEY_BYTES;
                letters = realloc(letters, n_letter_room);
                ck_assert_ptr_nonnull(letters);
        }
        n_letter_bytes +=
                (size_t)sprintf(letters + n_letter_bytes, "%s|%.*s\n", name, (int)n_key, key ?: "");
        n_letters++;
        async = rouse_hub_find(hub, name);
        if (async)
                ck_assert_int_eq(rouse_async_send(async), 0);
}

static void set_up(void) {
        ck_assert_int_eq(uv_loop_init(&loop), 0);
        ck_assert_int_eq(rouse_hub_create(&loop, &hub), 0);
        ck_assert_int_eq(rouse_async_create(hub, "a", on_wake, &n_a, &a), 0);
        ck_assert_int_eq(rouse_async_create(hub, "b", on_wake, &n_b, &b), 0);
        ck_assert_int_eq(rouse_async_start(a), 0);
        ck_assert_int_eq(mailbox_new(hub, on_letter, &n_letters, &mailbox), 0);
}

static void tear_down(void) {
        mailbox = mailbox_free(mailbox);
        rouse_async_release(a);
        rouse_async_release(b);
        ck_assert_int_eq(rouse_hub_close(hub, NULL, NULL), 0);
        ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
        ck_assert_int_eq(uv_loop_close(&loop), 0);
        free(letters);
}

static rouse_async_t *resolve(void *arg, const char *name) {
        rouse_async_t *async = rouse_hub_find(arg, name);

        return async ? rouse_async_retain(async) : NULL;
}

/* A configuration with one worker, "w", and these sources. */
static struct configuration *configure(const char *sources) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct configuration *configuration;
        static const char *file;
        char *text;
        int r;

        if (!file)
                file = test_path(
                        "test.yaml"); /* so relative paths are below the test's directory */

        ck_assert_int_gt(
                asprintf(&text, "handles: {a: {}, b: {}, gone: {}}\nworkers:\n  w:\n%s", sources),
                0);
        r = configuration_parse(file, text, strlen(text), &errors, &configuration);
        ck_assert_msg(r == 0, "%s\n%s", text, errors.n_items ? errors.items[0].message : "");
        ck_assert_uint_eq(configuration->n_workers, 1);
        conf_errors_deinit(&errors);
        free(text);
        return configuration;
}

static int try_start(struct configuration *configuration, struct worker **ret) {
        return worker_new(configuration->workers[0], mailbox, resolve, hub, ret);
}

static struct worker *start(struct configuration *configuration) {
        struct worker *worker;

        ck_assert_int_eq(try_start(configuration, &worker), 0);
        ck_assert_ptr_eq(worker_get_conf(worker), configuration->workers[0]);
        return worker;
}

/* Runs the loop until the condition holds or it is too late; whether it does. */
static bool run_until(bool (*condition)(void *arg), void *arg) {
        uint64_t deadline_ns = clock_now_ns() + test_slow_ms(10000) * NS_PER_MS;

        while (!condition(arg)) {
                if (clock_now_ns() > deadline_ns)
                        return false;
                uv_run(&loop, UV_RUN_NOWAIT);
                nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
        }
        return true;
}

struct at_least {
        const uint64_t *count;
        uint64_t n;
};

static bool reached(void *arg) {
        const struct at_least *at_least = arg;

        return *at_least->count >= at_least->n;
}

#define ck_assert_reaches(counter, number)                                             \
        ck_assert_msg(run_until(reached, &(struct at_least){&(counter), (number)}),    \
                      "%s is %llu, not %llu", #counter, (unsigned long long)(counter), \
                      (unsigned long long)(number))

static bool letters_reached(void *arg) {
        return n_letters >= *(size_t *)arg;
}

/* Waits for that many letters, looks at them, and forgets them. */
static void expect_letters(size_t n, const char *text) {
        ck_assert_msg(run_until(letters_reached, &n), "%zu letters, not %zu", n_letters, n);
        ck_assert_uint_eq(n_letters, n);
        ck_assert_str_eq(letters, text);
        n_letters = n_letter_bytes = 0;
}

static void periods(void) {
        static const struct {
                uint64_t due_ns, period_ns, now_ns, next_ns;
        } rows[] = {
                {100, 10, 0, 100},
                {100, 10, 99, 100},
                {100, 10, 100, 110},
                {100, 10, 101, 110},
                {100, 10, 109, 110},
                {100, 10, 110, 120},
                {100, 10, 1005, 1010},
                {100, 7, 1000, 1003},
                {100, UINT64_MAX, 100, UINT64_MAX},
                {100, UINT64_MAX - 100, 100, UINT64_MAX},
                {100, UINT64_MAX - 101, 100, UINT64_MAX - 1},
                {0, 1, UINT64_MAX - 1, UINT64_MAX},
                {0, 1, UINT64_MAX, UINT64_MAX},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
                uint64_t next_ns = period_next(rows[i].due_ns, rows[i].period_ns, rows[i].now_ns);

                ck_assert_msg(next_ns == rows[i].next_ns, "row %zu: %llu", i,
                              (unsigned long long)next_ns);
        }
}

static void keys_are_checked(void) {
        static const struct {
                const char *source, *message;
        } rows[] = {
                {"{every: 0s, send: a}", "a period must be at least 1ms"},
                {"{every: 999us, send: a}", "a period must be at least 1ms"},
                {"{every: soon, send: a}", "soon"},
                {"{every: 1s}", "send"},
                {"{every: 1s, sent: a}", "send"},
                {"{cron: \"* * *\", send: a}", "3 fields where five"},
                {"{cron: \"0 0 30 2 *\", send: a}", "day of the month: never comes"},
                {"{cron: \"61 0 * * *\", send: a}", "minute: \"61\" is out of range (0-59)"},
                {"{cron: \"@reboot\", send: a}", "@reboot is not a time"},
                {"{cron: [a], send: a}", "expected"},
                {"{signal: TERM, send: a}", "signal TERM cannot be a source: it ends roused"},
                {"{signal: SIGINT, send: a}", "signal SIGINT cannot be a source"},
                {"{signal: HUP, send: a}", "it makes roused read its configuration again"},
                {"{signal: CHLD, send: a}", "it tells roused of the end of runs"},
                {"{signal: PIPE, send: a}", "roused ignores it"},
                {"{signal: KILL, send: a}", "no program can catch it"},
                {"{signal: STOP, send: a}", "no program can catch it"},
                {"{signal: SEGV, send: a}", "a fault"},
                {"{signal: BUS, send: a}", "a fault"},
                {"{signal: FPE, send: a}", "a fault"},
                {"{signal: ILL, send: a}", "a fault"},
                {"{signal: ABRT, send: a}", "a fault"},
                {"{signal: TRAP, send: a}", "a fault"},
                {"{signal: SYS, send: a}", "a fault"},
                {"{signal: 32, send: a}", "signal 32 belongs to the C library"},
                {"{watch: /a, recursiv: true, send: a}", "recursive"},
                {"{watch: /a, recursive: perhaps, send: a}", "perhaps"},
                {"{fifo: /a, mode: rw}", "mode"},
                {"{fifo: /a, send: a}", "send"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
                struct conf_errors errors = CONF_ERRORS_NULL;
                struct configuration *configuration = NULL;
                char *text;

                ck_assert_int_gt(
                        asprintf(&text, "handles: {a: {}}\nworkers: {w: [%s]}\n", rows[i].source),
                        0);
                ck_assert_msg(configuration_parse("test", text, strlen(text), &errors,
                                                  &configuration) == -EINVAL,
                              "%s is taken", rows[i].source);
                ck_assert_uint_ge(errors.n_items, 1);
                ck_assert_msg(strstr(errors.items[0].message, rows[i].message), "%s: %s",
                              rows[i].source, errors.items[0].message);
                ck_assert_uint_eq(errors.items[0].line, 2);
                conf_errors_deinit(&errors);
                free(text);
        }
}

static void equal_sources(void) {
        static const char *const rows[] = {
                "{every: 1s, send: a}",
                "{every: 2s, send: a}",
                "{every: 1s, send: b}",
                "{cron: '@daily', send: a}",
                "{cron: '@hourly', send: a}",
                "{watch: /a, send: a}",
                "{watch: /b, send: a}",
                "{watch: /a, recursive: true, send: a}",
                "{signal: USR1, send: a}",
                "{signal: USR2, send: a}",
                "{fifo: /a}",
                "{fifo: /b}",
                "{fifo: /a, mode: 0620}",
        };
        char text[128], spaced[128];

        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
                for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++) {
                        struct configuration *x, *y;

                        snprintf(text, sizeof(text), "    - %s\n", rows[i]);
                        snprintf(spaced, sizeof(spaced), "\n\n    - %s\n", rows[k]);
                        x = configure(text);
                        y = configure(spaced);
                        ck_assert_msg(source_conf_equal(x->workers[0]->sources[0],
                                                        y->workers[0]->sources[0]) == (i == k),
                                      "%s, %s", rows[i], rows[k]);
                        configuration_unref(x);
                        configuration_unref(y);
                }
}

static void every(void) {
        struct configuration *configuration = configure("    - {every: 20ms, send: a}\n"
                                                        "    - {every: 1h, send: b}\n");
        uint64_t before_ns, passed_ns;
        struct worker *worker;

        set_up();
        before_ns = clock_now_ns();
        worker = start(configuration);
        uv_run(&loop, UV_RUN_NOWAIT);
        ck_assert_uint_le(n_a, (clock_now_ns() - before_ns) / (20 * NS_PER_MS));
        ck_assert_reaches(n_a, 10);
        worker = worker_free(worker);
        uv_run(&loop, UV_RUN_NOWAIT);
        passed_ns = clock_now_ns() - before_ns;
        ck_assert_uint_ge(passed_ns, 200 * NS_PER_MS);
        ck_assert_uint_le(n_a, passed_ns / (20 * NS_PER_MS));
        ck_assert_uint_eq(n_b, 0);
        tear_down();
        configuration_unref(configuration);
}

static void a_signal(void) {
        struct configuration *configuration = configure("    - {signal: USR1, send: a}\n"
                                                        "    - {signal: RTMIN+3, send: b}\n"
                                                        "    - {signal: USR1, send: b}\n");
        struct worker *worker;

        set_up();
        worker = start(configuration);
        ok(kill(getpid(), SIGUSR1));
        ck_assert_reaches(n_a, 1);
        ck_assert_reaches(n_b, 1);
        ok(kill(getpid(), SIGRTMIN + 3));
        ck_assert_reaches(n_b, 2);
        ck_assert_uint_eq(n_a, 1);
        worker_free(worker);
        /* nobody waits for it any more, and it still ends nothing */
        ok(kill(getpid(), SIGUSR1));
        ok(kill(getpid(), SIGRTMIN + 3));
        uv_run(&loop, UV_RUN_NOWAIT);
        ck_assert_uint_eq(n_a, 1);
        tear_down();
        configuration_unref(configuration);
}

static void a_blocked_signal_waits_for_the_next_worker(void) {
        struct configuration *configuration = configure("    - {signal: USR1, send: a}\n");
        struct worker *worker;
        sigset_t set;

        set_up();
        worker = start(configuration);
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
        worker_free(worker);
        ok(kill(getpid(), SIGUSR1));
        worker = start(configuration);
        ck_assert_uint_eq(n_a, 0);
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
        ck_assert_reaches(n_a, 1);
        worker_free(worker);
        tear_down();
        configuration_unref(configuration);
}

static void a_watch(void) {
        struct configuration *configuration = configure("    - {watch: deep/er/file, send: a}\n"
                                                        "    - watch: tree\n"
                                                        "      recursive: true\n"
                                                        "      send: b\n");
        const char *path = test_path("deep/er/file"), *new = test_path("deep/er/new");
        struct worker *worker;
        uint64_t n;

        set_up();
        ok(mkdir(test_path("tree"), 0755));
        ok(mkdir(test_path("tree/a"), 0755));
        worker = start(configuration);
        ok(mkdir(test_path("deep"), 0755));
        ok(mkdir(test_path("deep/er"), 0755));
        test_write_file(path, "1");
        ck_assert_reaches(n_a, 1);
        test_write_file(test_path("tree/a/file"), "1");
        ck_assert_reaches(n_b, 1);
        for (int i = 0; i < 20; i++) {
                n = n_a;
                test_write_file(new, "2");
                ok(rename(new, path));
                ck_assert_reaches(n_a, n + 1);
        }
        worker_free(worker);
        tear_down();
        configuration_unref(configuration);
}

static void put(const char *path, const char *text, size_t n) {
        int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

        ok(fd);
        ck_assert_int_eq(write(fd, text, n), (ssize_t)n);
        close(fd);
}

static void put_text(const char *path, const char *text) {
        put(path, text, strlen(text));
}

static void a_fifo(void) {
        struct configuration *configuration = configure("    - {fifo: in, mode: 0622}\n");
        const char *path = test_path("in");
        struct worker *worker;
        struct stat st;
        int fd;

        set_up();
        umask(077);
        worker = start(configuration);
        ok(stat(path, &st));
        ck_assert(S_ISFIFO(st.st_mode));
        ck_assert_uint_eq(st.st_mode & 07777, 0622);

        put_text(path, "a\n");
        ck_assert_reaches(n_a, 1);
        put_text(path, "b some key \nunknown\n\n\r\na\r\na \n");
        expect_letters(5, "a|\nb|some key \nunknown|\na|\na|\n");

        /* half a line disturbs nobody before it is whole */
        fd = open(path, O_WRONLY | O_CLOEXEC);
        ok(fd);
        ck_assert_int_eq(write(fd, "b\nb ke", 6), 6);
        expect_letters(1, "b|\n");
        ck_assert_int_eq(write(fd, "y\n", 2), 2);
        close(fd);
        expect_letters(1, "b|key\n");

        worker_free(worker);
        ck_assert_int_eq(stat(path, &st), -1);
        ck_assert_int_eq(errno, ENOENT);
        ck_assert_uint_eq(log_recorder_count(), 0);
        tear_down();
        configuration_unref(configuration);
}

static void bad_lines_of_a_fifo(void) {
        static const char zero[] = "a\0b\na\0\nb key\0\n";
        struct configuration *configuration = configure("    - {fifo: in}\n");
        const char *path = test_path("in");
        char line[3 * LIMIT_FIFO_LINE], expected[LIMIT_FIFO_LINE + 16];
        struct worker *worker;

        set_up();
        worker = start(configuration);
        put_text(path, "-a\nno name!\n key\n\xc3\xa4\na\n");
        expect_letters(2, "no|name!\na|\n");
        ck_assert(was_logged("a line that does not begin with a name"));
        put(path, zero, sizeof(zero) - 1);
        expect_letters(1, "b|key\n"); /* what printf shows of a key with a NUL in it */

        /* the longest that is legal, and then one byte more */
        memset(line, 'k', sizeof(line));
        memcpy(line, "a ", 2);
        line[LIMIT_FIFO_LINE] = '\n';
        put(path, line, LIMIT_FIFO_LINE + 1);
        snprintf(expected, sizeof(expected), "a|%.*s\n", LIMIT_FIFO_LINE - 2, line + 2);
        expect_letters(1, expected);
        line[LIMIT_FIFO_LINE] = 'k';
        line[LIMIT_FIFO_LINE + 1] = '\n';
        put(path, line, LIMIT_FIFO_LINE + 2);
        put_text(path, "b\n");
        expect_letters(1, "b|\n");
        line[LIMIT_FIFO_LINE + 1] = 'k';
        put(path, line, sizeof(line));
        put_text(path, "a\nb\n");
        expect_letters(1, "b|\n");
        worker_free(worker);
        tear_down();
        configuration_unref(configuration);
}

static void a_fifo_that_was_there_stays(void) {
        struct configuration *configuration = configure("    - {fifo: in, mode: 0666}\n");
        const char *path = test_path("in");
        struct worker *worker;
        struct stat st;

        set_up();
        ok(mkfifo(path, 0600));
        worker = start(configuration);
        put_text(path, "a\n");
        expect_letters(1, "a|\n");
        worker_free(worker);
        ok(stat(path, &st));
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
        tear_down();
        configuration_unref(configuration);
}

struct same_inode {
        const char *path;
        ino_t not_ino;
};

static bool is_another_fifo(void *arg) {
        const struct same_inode *same = arg;
        struct stat st;

        return stat(same->path, &st) == 0 && S_ISFIFO(st.st_mode) && st.st_ino != same->not_ino;
}

static void a_fifo_that_is_removed_or_replaced(void) {
        struct configuration *configuration = configure("    - {fifo: dir/in}\n");
        const char *path = test_path("dir/in");
        struct worker *worker;
        struct stat st;

        set_up();
        /* no directory yet */
        worker = start(configuration);
        ck_assert(was_logged("cannot open the fifo"));
        ok(mkdir(test_path("dir"), 0755));
        ck_assert(run_until(is_another_fifo, &(struct same_inode){path, 0}));
        put_text(path, "a 1\n");
        expect_letters(1, "a|1\n");

        ok(stat(path, &st));
        ok(link(path, test_path("kept"))); /* keeps the number of the inode in use */
        ok(unlink(path));
        ck_assert(run_until(is_another_fifo, &(struct same_inode){path, st.st_ino}));
        put_text(path, "a 2\n");
        expect_letters(1, "a|2\n");

        /* a fifo of somebody else's, and something that is none */
        ok(mkfifo(test_path("dir/other"), 0600));
        ok(rename(test_path("dir/other"), path));
        put_text(path, "a 3\n");
        expect_letters(1, "a|3\n");
        test_write_file(test_path("dir/plain"), "a 4\n");
        ok(rename(test_path("dir/plain"), path));
        ck_assert(run_until(was_logged, "is not a fifo"));
        ok(unlink(path));
        ck_assert(run_until(is_another_fifo, &(struct same_inode){path, 0}));
        put_text(path, "a 5\n");
        expect_letters(1, "a|5\n");
        worker_free(worker);
        tear_down();
        configuration_unref(configuration);
}

static void a_full_mailbox_makes_writers_wait(void) {
        struct configuration *configuration = configure("    - {fifo: in}\n");
        char line[1024];
        size_t n_written = 0;
        struct worker *worker;
        int fd, n_idle = 0;

        set_up();
        worker = start(configuration);
        fd = open(test_path("in"), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        ok(fd);
        /* nobody empties the mailbox, so it fills up, and then the pipe does */
        while (n_idle < 100) {
                int n = snprintf(line, sizeof(line), "a %08zu", n_written);

                memset(line + n, '.', sizeof(line) - 1 - (size_t)n);
                line[sizeof(line) - 1] = '\n';
                if (write(fd, line, sizeof(line)) == sizeof(line)) {
                        n_written++;
                        n_idle = 0;
                } else {
                        ck_assert_int_eq(errno, EAGAIN);
                        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
                        n_idle++;
                }
        }
        close(fd);
        ck_assert_uint_ge(n_written * sizeof(line), LIMIT_MAILBOX_BYTES / 2);
        ck_assert_uint_eq(n_letters, 0);
        ck_assert(run_until(letters_reached, &n_written));
        ck_assert_uint_eq(n_letters, n_written);
        for (size_t i = 0; i < n_written; i++) {
                char expected[32];

                snprintf(expected, sizeof(expected), "a|%08zu.", i);
                ck_assert_mem_eq(letters + i * sizeof(line), expected, strlen(expected));
        }
        worker_free(worker);
        ck_assert_uint_eq(log_recorder_count(), 0);
        tear_down();
        configuration_unref(configuration);
}

static void what_a_fifo_holds_at_the_end_is_read(void) {
        struct configuration *configuration = configure("    - {fifo: in}\n");
        struct worker *worker;

        set_up();
        worker = start(configuration);
        put_text(test_path("in"), "a\nb\na\n");
        worker_free(worker);
        mailbox_deliver(mailbox);
        expect_letters(3, "a|\nb|\na|\n");
        tear_down();
        configuration_unref(configuration);
}

static void a_target_that_is_gone(void) {
        struct configuration *configuration = configure("    - {every: 1ms, send: a}\n"
                                                        "    - {every: 1ms, send: gone}\n");
        struct worker *worker = NULL;

        set_up();
        ck_assert_int_eq(try_start(configuration, &worker), -ENOENT);
        ck_assert_ptr_null(worker);
        tear_down();
        configuration_unref(configuration);
}

static void a_closed_target_harms_nobody(void) {
        struct configuration *configuration = configure("    - {every: 1ms, send: a}\n"
                                                        "    - {every: 1ms, send: b}\n");
        struct worker *worker;

        set_up();
        worker = start(configuration);
        ck_assert_int_eq(rouse_async_close(b), 0);
        ck_assert_reaches(n_a, 5);
        worker_free(worker);
        tear_down();
        configuration_unref(configuration);
}

static void threads_have_names(void) {
        struct configuration *configuration = configure("    - {every: 1h, send: a}\n");
        char name[16] = "", expected[16];
        struct worker *worker;
        bool found = false;

        snprintf(expected, sizeof(expected), "rouse:w\n");
        set_up();
        worker = start(configuration);
        for (int tid = getpid(); tid < getpid() + 50 && !found; tid++) {
                char path[64];
                FILE *file;

                snprintf(path, sizeof(path), "/proc/self/task/%d/comm", tid);
                file = fopen(path, "re");
                if (!file)
                        continue;
                found = fgets(name, sizeof(name), file) && strcmp(name, expected) == 0;
                fclose(file);
        }
        ck_assert(found);
        worker_free(worker);
        tear_down();
        configuration_unref(configuration);
}

static const char everything[] = "    - {every: 1ms, send: a}\n"
                                 "    - {cron: '* * * * *', send: a}\n"
                                 "    - {watch: file, send: a}\n"
                                 "    - {watch: tree, recursive: true, send: b}\n"
                                 "    - {signal: USR1, send: a}\n"
                                 "    - {signal: USR2, send: b}\n"
                                 "    - {fifo: in}\n";

static void workers_leave_nothing_behind(void) {
        struct configuration *configuration = configure(everything);
        int before;

        set_up();
        before = test_n_fds();
        for (int i = 0; i < 100; i++) {
                struct worker *worker = start(configuration);

                ck_assert_int_gt(test_n_fds(), before);
                worker_free(worker);
                ck_assert_int_eq(test_n_fds(), before);
        }
        tear_down();
        configuration_unref(configuration);
}

static void without_descriptors_nothing_is_left(void) {
        struct configuration *configuration = configure(everything);
        int fds[1024], n = 0, before;
        struct worker *worker;
        bool started = false;

        set_up();
        before = test_n_fds();
        for (n = 0; n < 1024; n++) {
                fds[n] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
                if (fds[n] < 0)
                        break;
        }
        if (n == 1024) { /* the limit is far away */
                while (n > 0)
                        close(fds[--n]);
        }
        /* with every number of free descriptors, down from enough */
        while (n > 0 && !started) {
                int r;

                close(fds[--n]);
                r = try_start(configuration, &worker);
                ck_assert_msg(r == 0 || r == -EMFILE || r == -ENOMEM, "%s", strerror(-r));
                started = r == 0;
                if (started)
                        worker_free(worker);
        }
        while (n > 0)
                close(fds[--n]);
        ck_assert_int_eq(test_n_fds(), before);
        tear_down();
        configuration_unref(configuration);
}

#define N_LINES    20000
#define N_REPLACED 40

static atomic_bool stop_disturbing;

static void *write_lines(void *arg) {
        int fd = open(arg, O_WRONLY | O_CLOEXEC);
        char line[64];

        ok(fd);
        for (int i = 0; i < N_LINES; i++) {
                int n = snprintf(line, sizeof(line), "b key-%d\n", i);

                ck_assert_int_eq(write(fd, line, (size_t)n), n);
        }
        close(fd);
        return NULL;
}

static void *disturb(void *arg) {
        (void)arg;
        /* relaxed: it only ends the loop */
        while (!atomic_load_explicit(&stop_disturbing, memory_order_relaxed)) {
                char path[4096];

                snprintf(path, sizeof(path), "%s/tree/a", test_dir());
                (void)mkdir(path, 0755);
                snprintf(path, sizeof(path), "%s/tree/a/file", test_dir());
                test_write_file(path, "x");
                (void)unlink(path);
                snprintf(path, sizeof(path), "%s/tree/a", test_dir());
                (void)rmdir(path);
                snprintf(path, sizeof(path), "%s/file", test_dir());
                test_write_file(path, "x");
                ok(kill(getpid(), SIGUSR1));
                ok(kill(getpid(), SIGUSR2));
                nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
        }
        return NULL;
}

/* Workers are replaced, the new one first, while everything happens. */
static void replaced_in_the_middle_of_everything(void) {
        struct configuration *configuration = configure(everything);
        pthread_t writer, disturber;
        struct worker *worker, *next;
        sigset_t all, before;
        char *line, *rest;
        size_t n_lines = N_LINES;

        set_up();
        ok(mkdir(test_path("tree"), 0755));
        worker = start(configuration);
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before); /* signals come to the main thread */
        ck_assert_int_eq(pthread_create(&writer, NULL, write_lines, (void *)test_path("in")), 0);
        ck_assert_int_eq(pthread_create(&disturber, NULL, disturb, NULL), 0);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        for (int i = 0; i < N_REPLACED; i++) {
                uint64_t n = n_a;

                next = start(configuration);
                worker_free(worker);
                worker = next;
                ck_assert_reaches(n_a, n + 1);
        }
        ck_assert(run_until(letters_reached, &n_lines));
        ck_assert_int_eq(pthread_join(writer, NULL), 0);
        atomic_store_explicit(&stop_disturbing, true, memory_order_relaxed);
        ck_assert_int_eq(pthread_join(disturber, NULL), 0);
        worker_free(worker);
        mailbox_deliver(mailbox);

        /* every line once, whole, in order */
        ck_assert_uint_eq(n_letters, N_LINES);
        line = strtok_r(letters, "\n", &rest);
        for (int i = 0; i < N_LINES; i++) {
                char expected[64];

                snprintf(expected, sizeof(expected), "b|key-%d", i);
                ck_assert_ptr_nonnull(line);
                ck_assert_str_eq(line, expected);
                line = strtok_r(NULL, "\n", &rest);
        }
        ck_assert_int_eq(access(test_path("in"), F_OK), -1);
        tear_down();
        configuration_unref(configuration);
}

static const struct test tests[] = {
        TEST(periods),
        TEST(keys_are_checked),
        TEST(equal_sources),
        TEST(every),
        TEST(a_signal),
        TEST(a_blocked_signal_waits_for_the_next_worker),
        TEST(a_watch),
        TEST(a_fifo),
        TEST(bad_lines_of_a_fifo),
        TEST(a_fifo_that_was_there_stays),
        TEST(a_fifo_that_is_removed_or_replaced),
        TEST(a_full_mailbox_makes_writers_wait),
        TEST(what_a_fifo_holds_at_the_end_is_read),
        TEST(a_target_that_is_gone),
        TEST(a_closed_target_harms_nobody),
        TEST(threads_have_names),
        TEST(workers_leave_nothing_behind),
        TEST(without_descriptors_nothing_is_left),
        TEST(replaced_in_the_middle_of_everything),
        {0},
};

int main(int argc, char **argv) {
        return test_main("worker", tests, argc, argv);
}
