/*
 * With nothing to do the daemon does not wake at all. A thread that waits and is woken goes through
 * the kernel's scheduler, which counts that: so the counts of all threads stay as they are.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "tests/harness.h"
#include "tests/support.h"

#define IDLE_MS     1500
#define N_TRIES     14
#define TRY_LESS_MS 80 /* each further try is shorter by this much */

#define N_THREADS 5 /* of the daemon of these tests */

struct switches {
        unsigned long n_threads, n;
        unsigned long n_of[N_THREADS];
        char names[N_THREADS][16];
};

static unsigned long count_of(const char *path, char ret_name[16]) {
        static const char key[] = "voluntary_ctxt_switches:";
        char line[256];
        unsigned long n = 0;
        FILE *file = fopen(path, "re");

        ck_assert_ptr_nonnull(file);
        while (fgets(line, sizeof(line), file)) {
                (void)sscanf(line, "Name: %15s", ret_name);
                if (strncmp(line, key, strlen(key)) == 0)
                        n = strtoul(line + strlen(key), NULL, 10);
        }
        fclose(file);
        return n;
}

static struct switches read_switches(const struct roused *roused) {
        struct switches sum = {0};
        struct dirent *entry;
        char path[64];
        DIR *tasks;

        snprintf(path, sizeof(path), "/proc/%d/task", roused->pid);
        tasks = opendir(path);
        ck_assert_ptr_nonnull(tasks);
        while ((entry = readdir(tasks))) {
                if (entry->d_name[0] == '.')
                        continue;
                snprintf(path, sizeof(path), "/proc/%d/task/%.16s/status", roused->pid,
                         entry->d_name);
                ck_assert_uint_lt(sum.n_threads, N_THREADS);
                sum.n_of[sum.n_threads] = count_of(path, sum.names[sum.n_threads]);
                sum.n += sum.n_of[sum.n_threads++];
        }
        closedir(tasks);
        return sum;
}

/*
 * What wakes it rightly although nobody asked it for anything: its sources look after all the
 * directories above what they watch, "/" among them, and clocks look out for somebody who sets the
 * time. A witness looks at the same, so that such a moment is told from one without a reason.
 */
struct witness {
        int directories_fd, time_fd;
};

static const char *const watched[] = {"/",    "/dev",       "/dev/shm",           "/usr",
                                      "/etc", "/usr/share", "/usr/share/zoneinfo"};

static struct witness witness_open(void) {
        static const struct itimerspec far_away = {.it_value.tv_sec = INT32_MAX};
        struct witness witness;

        witness.directories_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        ck_assert_int_ge(witness.directories_fd, 0);
        for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
                if (inotify_add_watch(witness.directories_fd, watched[i],
                                      IN_ALL_EVENTS & ~(IN_ACCESS | IN_OPEN | IN_CLOSE_NOWRITE)) <
                    0)
                        ck_assert_int_eq(errno, ENOENT);
        witness.time_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
        ck_assert_int_ge(witness.time_fd, 0);
        ck_assert_int_eq(timerfd_settime(witness.time_fd,
                                         TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far_away,
                                         NULL),
                         0);
        return witness;
}

static void witness_close(struct witness *witness) {
        close(witness->directories_fd);
        close(witness->time_fd);
}

/* It saw something since it was asked last. */
static bool witness_saw(struct witness *witness) {
        char buffer[4096];
        uint64_t n_expired;
        bool saw = false;

        while (read(witness->directories_fd, buffer, sizeof(buffer)) > 0)
                saw = true;
        if (read(witness->time_fd, &n_expired, sizeof(n_expired)) < 0 && errno == ECANCELED)
                saw = true;
        return saw;
}

/* Nothing happened in the last moments: what was begun is over. */
static bool has_settled(void *arg) {
        const struct roused *roused = arg;
        unsigned long before = read_switches(roused).n;

        usleep(100000);
        return read_switches(roused).n == before;
}

/* One worker of each kind of source, none of which is to fire. The timers are set for a time far
 * away, and the places that are watched are such where little changes: other programs are busy in
 * /tmp. */
static const char configuration[] = "handles:\n"
                                    "  h: {run: [/bin/true], quiet: 1ms, timeout: 1h}\n"
                                    "workers:\n"
                                    "  watches: [{watch: /usr, send: h}]\n"
                                    "  signals: [{signal: USR2, send: h}]\n"
                                    "  fifos: [{fifo: %s/fifo}]\n"
                                    "  clocks: [{every: 1h, send: h}, {cron: '%s', send: h}]\n";

static char quiet_place[] = "/dev/shm/rouse-idle-XXXXXX";

static void start(struct roused *roused) {
        char *text;

        ck_assert_ptr_nonnull(mkdtemp(quiet_place));
        ck_assert_int_ge(asprintf(&text, configuration, quiet_place, "0 0 1 1 *"), 0);
        roused_start(roused, "d", text);
        free(text);
}

static void stop(struct roused *roused) {
        char fifo[64];

        roused_stop(roused);
        snprintf(fifo, sizeof(fifo), "%s/fifo", quiet_place);
        (void)unlink(fifo);
        (void)rmdir(quiet_place);
}

/*
 * Watches it for a while, and ends it. A while in which the witness saw something says nothing,
 * unless the daemon slept all the same: then it tries again, for less long, that it may fit between
 * two things that others do.
 */
static void expect_idle(struct roused *roused) {
        bool settled = test_until(has_settled, roused, test_slow_ms(10000));
        struct witness witness = witness_open();
        struct switches before, after;
        int n_tries = 0;

        do {
                (void)witness_saw(&witness);
                usleep(100000); /* what it saw until now has woken whom it wakes */
                before = read_switches(roused);
                usleep((IDLE_MS - n_tries * TRY_LESS_MS) * 1000);
                after = read_switches(roused);
        } while (after.n != before.n && witness_saw(&witness) && ++n_tries < N_TRIES);
        witness_close(&witness);
        stop(roused);
        ck_assert(settled);
        ck_assert_uint_eq(before.n_threads, N_THREADS);
        ck_assert_uint_eq(after.n_threads, N_THREADS);
        ck_assert_uint_gt(before.n, 0);
        for (int i = 0; i < N_THREADS; i++)
                if (after.n_of[i] != before.n_of[i])
                        printf("%s woke %lu times in try %d\n", after.names[i],
                               after.n_of[i] - before.n_of[i], n_tries);
        fflush(stdout);
        ck_assert_uint_eq(after.n, before.n);
}

static void does_not_wake_with_workers(void) {
        struct roused roused;

        start(&roused);
        expect_idle(&roused);
}

static void await_run(int fd) {
        bool has_run = false;
        char *line;

        while (!has_run && (line = roused_read_line(fd))) {
                has_run = strstr(line, "run_ended");
                free(line);
        }
        ck_assert(has_run);
}

/* The worker makes it, perhaps after the daemon answers. */
static bool has_written_to_the_fifo(void *arg) {
        char path[64];
        int fd;

        (void)arg;
        snprintf(path, sizeof(path), "%s/fifo", quiet_place);
        fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
                return false;
        ck_assert_int_eq(write(fd, "h", 1), 1);
        close(fd);
        return true;
}

static void does_not_wake_after_runs_and_with_a_subscriber(void) {
        static const char subscribe[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\","
                                        "\"params\":{\"patterns\":\"*\",\"runs\":true}}\n";
        struct roused roused;
        int fd;

        start(&roused);
        fd = roused_connect(&roused);
        ck_assert_int_eq(write(fd, subscribe, strlen(subscribe)), (ssize_t)strlen(subscribe));
        roused_poke_quietly(&roused, "h");
        await_run(fd);
        /* the fifo is at its end since then, which poll() tells again and again */
        ck_assert(test_until(has_written_to_the_fifo, NULL, test_slow_ms(10000)));
        await_run(fd);
        expect_idle(&roused);
        close(fd);
}

static const struct test tests[] = {
        TEST(does_not_wake_with_workers),
        TEST(does_not_wake_after_runs_and_with_a_subscriber),
        {0},
};

int main(int argc, char **argv) {
        if (test_has_thread_sanitizer()) {
                puts("skipped: the thread sanitizer has a thread of its own, which wakes all the time");
                return 77;
        }
        return test_main("idle", tests, argc, argv);
}
