/*
 * Workers from end to end: sources as the configuration has them, on threads of their own, waking
 * handles on a real hub.
 */

#include "daemon/worker.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/conf-node.h"
#include "daemon/period.h"
#include "daemon/source.h"
#include "lib/clock.h"
#include "tests/worker-fixture.h"

static void a_period_keeps_its_beat_however_late_it_is(void) {
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

static void wrong_keys_are_refused_with_a_reason(void) {
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

static void sources_are_equal_if_they_say_the_same(void) {
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

static void every_sends_no_more_often_than_it_says(void) {
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

static void a_signal_reaches_all_who_wait_and_ends_nothing(void) {
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

static void a_watch_sends_for_each_change(void) {
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

static void a_target_that_is_gone_is_an_error(void) {
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
        int before, r = -EMFILE;
        struct worker *worker;

        set_up();
        before = test_n_fds();
        /* with every number of free descriptors, up to enough */
        for (unsigned int n = 0; r != 0; n++) {
                test_leave_fds(n);
                r = try_start(configuration, &worker);
                test_restore_fds();
                if (r == 0) {
                        ck_assert_uint_gt(n, 5); /* the sources have some each */
                        worker_free(worker);
                }
                ck_assert_msg(r == 0 || r == -EMFILE || r == -ENOMEM, "%s", strerror(-r));
                ck_assert_int_eq(test_n_fds(), before);
        }
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
                /* The thread sanitizer puts handlers off until the next call of the C library, also
                 * one of libuv's handler of the other signal, which then waits for its own lock. */
                if (!test_has_thread_sanitizer()) {
                        ok(kill(getpid(), SIGUSR1));
                        ok(kill(getpid(), SIGUSR2));
                }
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
        ck_assert(!test_exists(test_path("in")));
        tear_down();
        configuration_unref(configuration);
}

static const struct test tests[] = {
        TEST(a_period_keeps_its_beat_however_late_it_is),
        TEST(wrong_keys_are_refused_with_a_reason),
        TEST(sources_are_equal_if_they_say_the_same),
        TEST(every_sends_no_more_often_than_it_says),
        TEST(a_signal_reaches_all_who_wait_and_ends_nothing),
        TEST(a_blocked_signal_waits_for_the_next_worker),
        TEST(a_watch_sends_for_each_change),
        TEST(a_target_that_is_gone_is_an_error),
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
