/* The end of what a fifo's writers write: the last line needs no newline, and counts when all of
 * them have gone. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "daemon/limits.h"
#include "tests/log-recorder.h"
#include "tests/worker-fixture.h"

/* Who opens it to look is a reader, not a writer. */
static bool is_empty(void *arg) {
        int fd = open(arg, O_RDONLY | O_NONBLOCK | O_CLOEXEC), n = -1;

        ok(fd);
        ok(ioctl(fd, FIONREAD, &n));
        close(fd);
        return n == 0;
}

static bool becomes_empty(const char *path) {
        return test_until(is_empty, (void *)path, test_slow_ms(500));
}

static int open_writer(const char *path) {
        int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

        ok(fd);
        return fd;
}

static void put_more(int fd, const char *text) {
        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static bool letter_came(void *arg) {
        (void)arg;
        mailbox_deliver(mailbox);
        return n_letters > 0;
}

static void the_last_line_needs_no_end(void) {
        struct configuration *configuration = configure("    - {fifo: in}\n");
        const char *path = test_path("in");
        char line[LIMIT_FIFO_LINE + 1], expected[LIMIT_FIFO_LINE + 16];
        struct worker *worker;
        int fd;

        set_up();
        worker = start(configuration);
        put_text(path, "a");
        expect_letters(1, "a|\n");
        put_text(path, "b\n");
        expect_letters(1, "b|\n");
        put_text(path, "a one\nb two\na three\r");
        expect_letters(3, "a|one\nb|two\na|three\n");
        put_text(path, "");
        put_text(path, "\r");
        put_text(path, "\nb");
        expect_letters(1, "b|\n");

        /* the longest that is legal */
        memset(line, 'k', sizeof(line));
        memcpy(line, "a ", 2);
        put(path, line, LIMIT_FIFO_LINE);
        snprintf(expected, sizeof(expected), "a|%.*s\n", LIMIT_FIFO_LINE - 2, line + 2);
        expect_letters(1, expected);
        ck_assert_uint_eq(log_recorder_count(), 0);

        /* one that is too long ends there, too */
        fd = open_writer(path);
        put(path, line, LIMIT_FIFO_LINE + 1);
        ck_assert(run_until(was_logged, "a line that is too long"));
        put_more(fd, "a the rest of it");
        close(fd);
        /* who writes before the end is seen is skipped, too */
        for (int i = 0; i < 100 && n_letters == 0; i++) {
                put_text(path, "b");
                (void)test_until(letter_came, NULL, test_slow_ms(500));
        }
        expect_letters(1, "b|\n");

        /* what came with the end of the source */
        put_text(path, "a\nb last");
        worker_free(worker);
        mailbox_deliver(mailbox);
        expect_letters(2, "a|\nb|last\n");
        ck_assert_uint_eq(log_recorder_count(), 1);
        tear_down();
        configuration_unref(configuration);
}

static void half_a_line_waits_while_somebody_writes(void) {
        struct configuration *configuration = configure("    - {fifo: in}\n");
        const char *path = test_path("in");
        struct worker *worker;
        int fd, other_fd;

        set_up();
        worker = start(configuration);
        fd = open_writer(path);
        put_more(fd, "a\nb ha");
        expect_letters(1, "a|\n");
        for (int i = 0; i < 20; i++) {
                other_fd = open_writer(path);
                close(other_fd);
                usleep(1000);
        }
        mailbox_deliver(mailbox);
        ck_assert_uint_eq(n_letters, 0);
        put_text(path, "l");
        put_more(fd, "f\na ");
        expect_letters(1, "b|half\n");

        /* readers do not matter, and the last writer does */
        other_fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        ok(other_fd);
        close(other_fd);
        other_fd = open_writer(path);
        put_more(fd, "wh");
        close(fd);
        put_more(other_fd, "ole");
        close(other_fd);
        expect_letters(1, "a|whole\n");

        /* nor does a writer who never goes matter */
        fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        ok(fd);
        put_text(path, "a 1\nb");
        expect_letters(1, "a|1\n");
        put_text(path, " 2\n");
        expect_letters(1, "b|2\n");
        close(fd);
        worker_free(worker);
        ck_assert_uint_eq(log_recorder_count(), 0);
        tear_down();
        configuration_unref(configuration);
}

#define N_WRITERS 1000

static void no_writer_is_lost(void) {
        struct configuration *configuration = configure("    - {fifo: in}\n");
        size_t n_writers = N_WRITERS;
        const char *path = test_path("in");
        char line[32], expected[32], *rest, *letter;
        struct worker *worker;

        set_up();
        worker = start(configuration);
        for (int i = 0; i < N_WRITERS; i++) {
                snprintf(line, sizeof(line), "a %d", i);
                snprintf(expected, sizeof(expected), "a|%d\n", i);
                put_text(path, line);
                expect_letters(1, expected);
        }
        /* with an end, they need not wait for each other */
        for (int i = 0; i < N_WRITERS; i++) {
                snprintf(line, sizeof(line), "a %d\n", i);
                put_text(path, line);
        }
        ck_assert(run_until(letters_reached, &n_writers));
        worker_free(worker);
        mailbox_deliver(mailbox);
        ck_assert_uint_eq(n_letters, N_WRITERS);
        letter = strtok_r(letters, "\n", &rest);
        for (int i = 0; i < N_WRITERS; i++) {
                snprintf(expected, sizeof(expected), "a|%d", i);
                ck_assert_ptr_nonnull(letter);
                ck_assert_str_eq(letter, expected);
                letter = strtok_r(NULL, "\n", &rest);
        }
        ck_assert_uint_eq(log_recorder_count(), 0);
        tear_down();
        configuration_unref(configuration);
}

static uint64_t cpu_time_us(void) {
        struct timespec now;

        ok(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now));
        return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* poll() tells of an end as long as it lasts. */
static void an_end_is_told_once(void) {
        struct configuration *configuration = configure("    - {fifo: in}\n");
        const char *path = test_path("in");
        struct worker *worker;
        uint64_t begun_us;
        int fd;

        set_up();
        worker = start(configuration);
        for (int i = 0; i < 3; i++) {
                fd = open_writer(path);
                if (i > 0)
                        put_more(fd, i == 1 ? "a" : "a\nb ke");
                if (i == 2)
                        expect_letters(1, "a|\n"); /* half a line stays */
                else
                        close(fd);
                if (i == 1)
                        expect_letters(1, "a|\n");
                usleep(10000);
                begun_us = cpu_time_us();
                usleep(300000);
                ck_assert_uint_lt(cpu_time_us() - begun_us, 50000);
        }
        close(fd);
        expect_letters(1, "b|ke\n");
        worker_free(worker);
        ck_assert_uint_eq(log_recorder_count(), 0);
        tear_down();
        configuration_unref(configuration);
}

static void the_last_line_waits_for_room_as_others_do(void) {
        struct configuration *configuration = configure("    - {fifo: in}\n");
        char line[LIMIT_FIFO_LINE];
        const char *path = test_path("in");
        size_t n_fit, n_more = 1;
        struct worker *worker;

        set_up();
        worker = start(configuration);
        /* how many of these the mailbox holds; one more is in the buffer, and one in the pipe */
        memset(line, '.', sizeof(line));
        memcpy(line, "a ", 2);
        line[sizeof(line) - 1] = '\n';
        do
                put(path, line, sizeof(line));
        while (becomes_empty(path));
        mailbox_deliver(mailbox);
        n_fit = n_letters;
        ck_assert_uint_ge(n_fit * sizeof(line), LIMIT_MAILBOX_BYTES / 2);
        n_letters -= n_fit;
        n_more = 2;
        ck_assert(run_until(letters_reached, &n_more));
        ck_assert_uint_eq(n_letters, n_more);

        n_letters = 0;
        for (size_t i = 0; i < n_fit; i++) {
                put(path, line, sizeof(line));
                ck_assert(becomes_empty(path));
        }
        put(path, line, sizeof(line) - 1);
        ck_assert(becomes_empty(path));
        usleep(20000);
        mailbox_deliver(mailbox);
        ck_assert_uint_eq(n_letters, n_fit);
        n_more = n_fit + 1;
        ck_assert(run_until(letters_reached, &n_more));
        put_text(path, "b\n");
        n_more++;
        ck_assert(run_until(letters_reached, &n_more));
        worker_free(worker);
        mailbox_deliver(mailbox);
        ck_assert_uint_eq(n_letters, n_more);
        ck_assert_mem_eq(letters + strlen(letters) - 5, ".\nb|\n", 5);
        ck_assert_uint_eq(log_recorder_count(), 0);
        tear_down();
        configuration_unref(configuration);
}

static const struct test tests[] = {
        TEST(the_last_line_needs_no_end),
        TEST(half_a_line_waits_while_somebody_writes),
        TEST(no_writer_is_lost),
        TEST(an_end_is_told_once),
        TEST(the_last_line_waits_for_room_as_others_do),
        {0},
};

int main(int argc, char **argv) {
        return test_main("source-fifo-end", tests, argc, argv);
}
