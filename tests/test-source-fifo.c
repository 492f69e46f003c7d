/* Fifos as sources: lines of every kind, fifos that come and go, and a mailbox that is full. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/limits.h"
#include "tests/log-recorder.h"
#include "tests/worker-fixture.h"

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
        static const char zero[] = "a\0b\na\0\nb key\0\nb \0\nb key\n";
        struct configuration *configuration = configure("    - {fifo: in}\n");
        const char *path = test_path("in");
        char line[3 * LIMIT_FIFO_LINE], expected[LIMIT_FIFO_LINE + 16];
        struct worker *worker;
        int fd;

        set_up();
        worker = start(configuration);
        put_text(path, "-a\nno name!\n key\n\xc3\xa4\na\n");
        expect_letters(2, "no|name!\na|\n");
        ck_assert(was_logged("a line that does not begin with a name"));
        put(path, zero, sizeof(zero) - 1);
        expect_letters(1, "b|key\n");

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
        fd = open(path, O_WRONLY | O_CLOEXEC); /* so that the line goes on after its writer */
        ok(fd);
        put(path, line, sizeof(line));
        put_text(path, "a\nb\n");
        expect_letters(1, "b|\n");
        close(fd);
        worker_free(worker);
        tear_down();
        configuration_unref(configuration);
}

static void a_key_with_a_nul_is_left_out(void) {
        static const char lines[] = "a ke\0y\na key\n";
        struct configuration *configuration = configure("    - {fifo: in}\n");
        struct worker *worker;

        set_up();
        worker = start(configuration);
        put(test_path("in"), lines, sizeof(lines) - 1);
        expect_letters(1, "a|key\n");
        ck_assert(was_logged("a key with a NUL in it (1 bad line "));
        ck_assert_uint_eq(log_recorder_count(), 1);
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

#define N_LINE 1024

static void number_line(char line[N_LINE], size_t i) {
        int n = snprintf(line, N_LINE, "a %08zu", i);

        memset(line + n, '.', N_LINE - 1 - (size_t)n);
        line[N_LINE - 1] = '\n';
}

static void check_numbers(size_t n_lines) {
        ck_assert_uint_eq(n_letters, n_lines);
        for (size_t i = 0; i < n_lines; i++) {
                char expected[32];

                snprintf(expected, sizeof(expected), "a|%08zu.", i);
                ck_assert_mem_eq(letters + i * N_LINE, expected, strlen(expected));
        }
}

/* More at once than a turn reads, and nothing after it. */
static void what_one_write_brings_is_read_to_its_end(void) {
        struct configuration *configuration = configure("    - {fifo: in}\n");
        const char *path = test_path("in");
        size_t n_lines = LIMIT_MAILBOX_BYTES / 2 / N_LINE;
        char *burst;
        struct worker *worker;
        int fd;

        set_up();
        worker = start(configuration);
        burst = malloc(n_lines * N_LINE);
        ck_assert_ptr_nonnull(burst);
        for (size_t i = 0; i < n_lines; i++)
                number_line(burst + i * N_LINE, i);
        fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        ok(fd);
        ok(fcntl(fd, F_SETPIPE_SZ, LIMIT_MAILBOX_BYTES));
        ck_assert_int_eq(write(fd, burst, n_lines * N_LINE - 1), (ssize_t)(n_lines * N_LINE - 1));
        close(fd);
        free(burst);
        ck_assert(run_until(letters_reached, &n_lines));
        check_numbers(n_lines);
        worker_free(worker);
        ck_assert_uint_eq(log_recorder_count(), 0);
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
        char line[N_LINE];
        size_t n_written = 0;
        struct worker *worker;
        int fd, n_idle = 0;

        set_up();
        worker = start(configuration);
        fd = open(test_path("in"), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        ok(fd);
        /* nobody empties the mailbox, so it fills up, and then the pipe does */
        while (n_idle < 100) {
                number_line(line, n_written);
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
        check_numbers(n_written);
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

static const struct test tests[] = {
        TEST(a_fifo),
        TEST(bad_lines_of_a_fifo),
        TEST(what_one_write_brings_is_read_to_its_end),
        TEST(a_key_with_a_nul_is_left_out),
        TEST(a_fifo_that_was_there_stays),
        TEST(a_fifo_that_is_removed_or_replaced),
        TEST(a_full_mailbox_makes_writers_wait),
        TEST(what_a_fifo_holds_at_the_end_is_read),
        {0},
};

int main(int argc, char **argv) {
        return test_main("source-fifo", tests, argc, argv);
}
