/*
 * With nothing to do the daemon does not wake at all. A thread that waits and is woken goes through
 * the kernel's scheduler, which counts that: so the counts of all threads stay as they are.
 */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/harness.h"
#include "tests/support.h"

#define IDLE_MS 1500

struct switches {
        unsigned long n_threads, n;
};

static unsigned long count_of(const char *path) {
        static const char key[] = "voluntary_ctxt_switches:";
        char line[256];
        unsigned long n = 0;
        FILE *file = fopen(path, "re");

        ck_assert_ptr_nonnull(file);
        while (fgets(line, sizeof(line), file))
                if (strncmp(line, key, strlen(key)) == 0)
                        n = strtoul(line + strlen(key), NULL, 10);
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
                sum.n += count_of(path);
                sum.n_threads++;
        }
        closedir(tasks);
        return sum;
}

/* Nothing happened in the last moments: what was begun is over. */
static bool has_settled(void *arg) {
        const struct roused *roused = arg;
        unsigned long before = read_switches(roused).n;

        usleep(100000);
        return read_switches(roused).n == before;
}

/* One worker of each kind of source, none of which is to fire. The timers are set for a time far
 * away, and the places that are watched are such where nothing changes: sources look after the
 * directories above them, too, and other programs are busy in /tmp. */
static const char configuration[] = "handles:\n"
                                    "  h: {run: [/bin/true], quiet: 1ms, timeout: 1h}\n"
                                    "workers:\n"
                                    "  watches: [{watch: /usr, send: h}]\n"
                                    "  signals: [{signal: USR2, send: h}]\n"
                                    "  fifos: [{fifo: %s/fifo}]\n"
                                    "  clocks: [{every: 1h, send: h}, {cron: '%s', send: h}]\n";
#define N_THREADS 5

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

/* Watches it for a while, and ends it. */
static void expect_idle(struct roused *roused) {
        struct switches before, after;
        bool settled = test_until(has_settled, roused, test_slow_ms(10000));

        before = read_switches(roused);
        usleep(IDLE_MS * 1000);
        after = read_switches(roused);
        stop(roused);
        ck_assert(settled);
        ck_assert_uint_eq(before.n_threads, N_THREADS);
        ck_assert_uint_eq(after.n_threads, N_THREADS);
        ck_assert_uint_gt(before.n, 0);
        ck_assert_uint_eq(after.n, before.n);
}

static void does_not_wake_with_workers(void) {
        struct roused roused;

        start(&roused);
        expect_idle(&roused);
}

static void does_not_wake_after_runs_and_with_a_subscriber(void) {
        static const char subscribe[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\","
                                        "\"params\":{\"patterns\":\"*\",\"runs\":true}}\n";
        struct roused roused;
        char *line;
        bool has_run = false;
        int fd;

        start(&roused);
        fd = roused_connect(&roused);
        ck_assert_int_eq(write(fd, subscribe, strlen(subscribe)), (ssize_t)strlen(subscribe));
        roused_poke_quietly(&roused, "h");
        while (!has_run && (line = roused_read_line(fd))) {
                has_run = strstr(line, "run_ended");
                free(line);
        }
        ck_assert(has_run);
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
