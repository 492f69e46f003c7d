/* Outputs that outlive their runs: how many there may be, and how they end. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/limits.h"
#include "daemon/line-reader.h"
#include "daemon/tails.h"
#include "tests/support.h"

static void never(void *arg, unsigned int stream, const char *line, size_t n_line) {
        (void)arg;
        (void)stream;
        ck_abort_msg("the run got '%.*s'", (int)n_line, line);
}

/* Makes a pipe, hands its reader to tails, and returns the other end. */
static int take(struct tails *tails, uv_loop_t *loop) {
        struct line_reader *reader;
        int fds[2];

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        ck_assert_int_eq(line_reader_new_consume_fd(loop, fds[0], LIMIT_OUTPUT_LINE, never, NULL, 0,
                                                    &reader),
                         0);
        tails_take(tails, "a", reader);
        return fds[1];
}

static bool can_write(int fd, const char *text) {
        ssize_t n = write(fd, text, strlen(text));

        ck_assert(n > 0 || errno == EPIPE);
        return n > 0;
}

/* Readers do not keep a loop alive; this does. */
static uv_idle_t alive;

static void on_idle(uv_idle_t *idle) {
        (void)idle;
}

static void begin(struct tails *tails, uv_loop_t *loop) {
        ck_assert_int_eq(uv_loop_init(loop), 0);
        ck_assert_int_eq(uv_idle_init(loop, &alive), 0);
        ck_assert_int_eq(uv_idle_start(&alive, on_idle), 0);
        tails_init(tails);
}

static void finish(struct tails *tails, uv_loop_t *loop) {
        uv_close((uv_handle_t *)&alive, NULL);
        tails_close(tails);
        tails_close(tails);
        ck_assert_uint_eq(tails->n, 0);
        ck_assert_int_eq(uv_run(loop, UV_RUN_DEFAULT), 0);
        ck_assert_int_eq(uv_loop_close(loop), 0);
}

/* Sends standard error, where the log goes, to a file. */
static const char *redirect_log(void) {
        const char *path = test_path("log");
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        ck_assert_int_eq(dup2(fd, 2), 2);
        close(fd);
        return path;
}

static void they_take_a_part_of_the_descriptors_and_no_more(void) {
        struct rlimit limit;
        struct tails tails;
        uv_loop_t loop;
        int fds[17];

        signal(SIGPIPE, SIG_IGN);
        (void)redirect_log();
        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
        limit.rlim_cur = 64;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        begin(&tails, &loop);
        for (size_t i = 0; i < 17; i++)
                fds[i] = take(&tails, &loop);
        ck_assert_uint_eq(tails.n, 16);
        uv_run(&loop, UV_RUN_NOWAIT); /* closes the one too many */
        for (size_t i = 0; i < 17; i++)
                ck_assert_int_eq(can_write(fds[i], "line\n"), i < 16);
        /* There is room again when one has ended. */
        close(fds[16]);
        close(fds[3]);
        while (tails.n == 16)
                uv_run(&loop, UV_RUN_NOWAIT);
        fds[3] = take(&tails, &loop);
        ck_assert_uint_eq(tails.n, 16);
        ck_assert(can_write(fds[3], "line\n"));
        finish(&tails, &loop);
        for (size_t i = 0; i < 16; i++) {
                ck_assert(!can_write(fds[i], "line\n"));
                close(fds[i]);
        }
}

static void their_number_is_bounded_whatever_may_be_open(void) {
        struct rlimit limit;
        struct tails tails;
        uv_loop_t loop;
        int fds[LIMIT_TAILS + 1];

        (void)redirect_log();
        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
        limit.rlim_cur = limit.rlim_max;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        begin(&tails, &loop);
        for (size_t i = 0; i <= LIMIT_TAILS; i++)
                fds[i] = take(&tails, &loop);
        ck_assert_uint_eq(tails.n,
                          limit.rlim_max / 4 < LIMIT_TAILS ? limit.rlim_max / 4 : LIMIT_TAILS);
        for (size_t i = 0; i <= LIMIT_TAILS; i++)
                close(fds[i]);
        while (tails.n)
                uv_run(&loop, UV_RUN_NOWAIT);
        finish(&tails, &loop);
}

static void what_was_written_before_the_daemon_ends_is_logged(void) {
        struct tails tails;
        const char *path;
        uv_loop_t loop;
        char *log;
        int fd;

        path = redirect_log();
        begin(&tails, &loop);
        fd = take(&tails, &loop);
        ck_assert(can_write(fd, "whole\nunfinished"));
        finish(&tails, &loop);
        close(fd);
        log = test_read_file(path);
        ck_assert_msg(strstr(log, "[a] whole\n") != NULL, "%s", log);
        ck_assert_msg(strstr(log, "[a] unfinished\n") != NULL, "%s", log);
        free(log);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(they_take_a_part_of_the_descriptors_and_no_more),
                TEST(their_number_is_bounded_whatever_may_be_open),
                TEST(what_was_written_before_the_daemon_ends_is_logged),
                {0},
        };

        return test_main("tails", tests, argc, argv);
}
