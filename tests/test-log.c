/* The daemon's log goes on, and the daemon with it, while nobody reads it. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "daemon/log.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "tests/support.h"

#define PIPE_BYTES 65536

/* What reads standard error from here on; `saved` is what it was before. */
struct log_pipe {
        int saved, read_fd;
};

static struct log_pipe begin(void) {
        struct log_pipe log = {.saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)};
        int fds[2];

        ck_assert_int_ge(log.saved, 0);
        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        ck_assert_int_eq(fcntl(fds[1], F_SETPIPE_SZ, PIPE_BYTES), PIPE_BYTES);
        ck_assert_int_eq(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
        ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
        close(fds[1]);
        log.read_fd = fds[0];
        log_init(LOG_LEVEL_INFO);
        return log;
}

static void end(struct log_pipe *log) {
        ck_assert_int_eq(dup2(log->saved, STDERR_FILENO), STDERR_FILENO);
        close(log->saved);
        close(log->read_fd);
}

/* Leaves room for so many bytes. */
static void fill(size_t n_room) {
        static char x[PIPE_BYTES];

        memset(x, 'x', sizeof(x));
        x[sizeof(x) - n_room - 1] = '\n';
        ck_assert_int_eq(write(STDERR_FILENO, x, sizeof(x) - n_room), sizeof(x) - n_room);
}

/* Everything there is, without what fill() wrote; free() it. */
static char *drain(const struct log_pipe *log) {
        char *text = calloc(1, PIPE_BYTES + 1), *begin;
        size_t n = 0;
        ssize_t r;

        ck_assert_ptr_nonnull(text);
        while ((r = read(log->read_fd, text + n, PIPE_BYTES - n)) > 0)
                n += (size_t)r;
        begin = text[0] == 'x' ? strchr(text, '\n') + 1 : text;
        memmove(text, begin, strlen(begin) + 1);
        return text;
}

static void a_pipe_that_nobody_reads_costs_one_wait(void) {
        struct log_pipe log = begin();
        uint64_t since_ns;

        fill(0);
        since_ns = clock_now_ns();
        for (int i = 0; i < 100; i++)
                log_info("line %d", i);
        ck_assert_uint_lt((clock_now_ns() - since_ns) / NS_PER_MS, test_slow_ms(2000));

        free(drain(&log));
        log_info("the next");
        {
                _cleanup_free_ char *text = drain(&log);

                ck_assert_ptr_nonnull(strstr(text, "100 lines of the log were lost\n"));
                ck_assert_ptr_nonnull(strstr(text, "the next\n"));
        }
        end(&log);
}

static void on_alarm(int signal) {
        (void)signal;
}

/* Signals that have a handler end a wait too early, and do not end a write that waits. */
static void signals_do_not_make_it_wait_for_ever(void) {
        const struct itimerval often = {{0, 1000}, {0, 1000}}, never = {0};
        const struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
        struct log_pipe log = begin();

        ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
        ck_assert_int_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
        fill(0);
        for (int i = 0; i < 100; i++)
                log_info("line %d", i);
        ck_assert_int_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
        free(drain(&log));
        log_info("the next");
        {
                _cleanup_free_ char *text = drain(&log);

                ck_assert_ptr_nonnull(strstr(text, "100 lines of the log were lost\n"));
        }
        end(&log);
}

static void a_line_longer_than_the_room_is_cut_off_and_told(void) {
        struct log_pipe log = begin();
        static char line[8192];

        memset(line, 'l', sizeof(line));
        fill(4096);
        log_output("h", line, sizeof(line));
        {
                _cleanup_free_ char *text = drain(&log);

                ck_assert_uint_eq(strlen(text), 4096);
        }
        log_info("the next");
        {
                _cleanup_free_ char *text = drain(&log);

                ck_assert_int_eq(text[0], '\n');
                ck_assert_ptr_nonnull(strstr(text, "1 lines of the log were lost\n"));
                ck_assert_ptr_nonnull(strstr(text, "the next\n"));
        }
        log_output("h", line, sizeof(line));
        {
                _cleanup_free_ char *text = drain(&log);

                ck_assert_uint_gt(strlen(text), sizeof(line));
                ck_assert_int_eq(text[strlen(text) - 1], '\n');
        }
        end(&log);
}

static void what_a_command_writes_steers_no_terminal(void) {
        static const char text[] = "a\x1b[1m\tb\xc2\x9b\xc3\xa9\x7f\xc2";
        struct log_pipe log = begin();

        log_output("h", text, sizeof(text) - 1);
        {
                _cleanup_free_ char *line = drain(&log);

                ck_assert_ptr_nonnull(strstr(line, "[h] a?[1m\tb?\xc3\xa9?\xc2\n"));
        }
        end(&log);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(a_pipe_that_nobody_reads_costs_one_wait),
                TEST(what_a_command_writes_steers_no_terminal),
                {.name = "signals_do_not_make_it_wait_for_ever",
                 .fn = signals_do_not_make_it_wait_for_ever,
                 .timeout_s = 10},
                {.name = "a_line_longer_than_the_room_is_cut_off_and_told",
                 .fn = a_line_longer_than_the_room_is_cut_off_and_told,
                 .timeout_s = 10},
                {0},
        };

        return test_main("log", tests, argc, argv);
}
