/* Keys, from the sender to the standard input of a run, in the real daemon. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/harness.h"
#include "tests/support.h"

/* Writes what it was told and what it read, then "end". */
#define TELL(file) \
        "[sh, -c, '{ echo over $ROUSE_KEYS_OVERFLOW; cat; echo end; } >>$ROUSE_DIR/" file "']"

static void expect_file(const struct roused *roused, const char *file, const char *text) {
        unsigned int n = count_lines(text);
        char *found = roused_expect_lines(roused, file, n);

        ck_assert_str_eq(found, text);
        free(found);
}

/* Sends what a gate holds together: the handle is paused meanwhile. */
static void send_together(const struct roused *roused, const char *handle, const char *datagram) {
        char params[300];

        snprintf(params, sizeof(params), "{\"name\":\"%s\"}", handle);
        roused_do(roused, "pause", params);
        free(roused_poke(roused, datagram));
        roused_do(roused, "resume", params);
}

static void keys_reach_the_run_once_each_in_their_order(void) {
        struct roused roused;

        roused_start(&roused, "d", "handles: {a: {run: " TELL("out") "}}\n");
        send_together(&roused, "a", "a path/b\na path/a\na\na path/b\na with blanks\n");
        expect_file(&roused, "out", "over 0\npath/b\npath/a\nwith blanks\nend\n");
        roused_stop(&roused);
}

static void without_keys_the_input_is_empty(void) {
        struct roused roused;

        roused_start(
                &roused, "d",
                "handles: {a: {run: [sh, -c, 'readlink /proc/self/fd/0 >>$ROUSE_DIR/out']}}\n");
        roused_send(&roused, "a");
        expect_file(&roused, "out", "/dev/null\n");
        roused_stop(&roused);
}

static void the_input_cannot_be_written(void) {
        struct roused roused;

        roused_start(
                &roused, "d",
                "handles:\n  a:\n    run: [sh, -c, 'echo x 2>&- >/proc/self/fd/0 || echo sealed "
                ">>$ROUSE_DIR/out; cat >>$ROUSE_DIR/out']\n");
        free(roused_poke(&roused, "a key\n"));
        expect_file(&roused, "out", "sealed\nkey\n");
        roused_stop(&roused);
}

static void more_keys_than_a_pipe_would_hold_arrive_unread_or_not(void) {
        struct roused roused;
        char *text = malloc(200000), *p = text;

        for (unsigned int i = 0; i < 900; i++)
                p += sprintf(p, "%s %0200u\n", i % 2 ? "reads" : "ignores", i);
        roused_start(&roused, "d",
                     "handles:\n  reads: {run: [sh, -c, 'cat | wc -c >>$ROUSE_DIR/out']}\n"
                     "  ignores: {run: [sh, -c, 'echo done >>$ROUSE_DIR/ignored']}\n");
        free(roused_poke(&roused, text));
        expect_file(&roused, "ignored", "done\n");
        expect_file(&roused, "out", "90450\n");
        free(text);
        roused_stop(&roused);
}

static void a_run_is_told_that_keys_are_missing(void) {
        struct roused roused;
        char *text = malloc(64000), *p = text, *out;

        for (unsigned int i = 0; i < 1001; i++)
                p += sprintf(p, "a key%u\n", i);
        roused_start(&roused, "d", "handles: {a: {run: " TELL("out") "}}\n");
        send_together(&roused, "a", text);
        out = roused_expect_lines(&roused, "out", 1002);
        ck_assert_ptr_eq(strstr(out, "over 1\nkey0\n"), out);
        ck_assert_ptr_nonnull(strstr(out, "\nkey999\nend\n"));
        ck_assert_ptr_null(strstr(out, "key1000"));
        free(out);
        free(text);
        roused_stop(&roused);
}

static void keys_that_come_during_a_run_belong_to_the_next(void) {
        struct roused roused;

        roused_start(&roused, "d",
                     "handles:\n  a:\n    run: [sh, -c, 'cat >>$ROUSE_DIR/out; while ! test -e "
                     "$ROUSE_DIR/go; do sleep 0.01; done']\n");
        free(roused_poke(&roused, "a first\n"));
        expect_file(&roused, "out", "first\n");
        free(roused_poke(&roused, "a second\na first\n"));
        expect_file(&roused, "out", "first\n");
        test_write_file(test_path("d/go"), "");
        expect_file(&roused, "out", "first\nsecond\nfirst\n");
        roused_stop(&roused);
}

static void keys_of_a_wake_that_is_told_wait_for_the_next_run(void) {
        struct roused roused;

        roused_start(&roused, "d",
                     "handles:\n  a:\n    on_busy: signal USR1\n"
                     "    run: [sh, -c, 'trap \"echo told >>$ROUSE_DIR/out\" USR1; "
                     "cat >>$ROUSE_DIR/out; until test -e $ROUSE_DIR/go; do sleep 0.01; done']\n");
        free(roused_poke(&roused, "a first\n"));
        expect_file(&roused, "out", "first\n");
        free(roused_poke(&roused, "a second\n"));
        expect_file(&roused, "out", "first\ntold\n");
        /* By its answer it has told the run: one that ends before counts as not told. */
        roused_expect_state(&roused, "a", "running");
        test_write_file(test_path("d/go"), "");
        roused_expect_state(&roused, "a", "idle");
        ck_assert_int_eq(unlink(test_path("d/go")), 0);
        free(roused_poke(&roused, "a third\n"));
        expect_file(&roused, "out", "first\ntold\nsecond\nthird\n");
        free(roused_poke(&roused, "a\n"));
        expect_file(&roused, "out", "first\ntold\nsecond\nthird\ntold\n");
        roused_expect_state(&roused, "a", "running");
        test_write_file(test_path("d/go"), "");
        roused_stop(&roused);
}

/* Whether the run that was told goes on when the handle has to end, or is over. */
static void check_told_keys_at_the_end(const char *name, bool goes_on, bool is_removed) {
        struct roused roused;
        char command[300];

        roused_start(&roused, name,
                     "handles:\n  a:\n    on_busy: signal USR1\n"
                     "    run: [sh, -c, 'trap \"echo told >>$ROUSE_DIR/out\" USR1; "
                     "cat >>$ROUSE_DIR/out; until test -e $ROUSE_DIR/go; do sleep 0.01; done']\n");
        free(roused_poke(&roused, "a first\n"));
        expect_file(&roused, "out", "first\n");
        free(roused_poke(&roused, "a second\n"));
        expect_file(&roused, "out", "first\ntold\n");
        snprintf(command, sizeof(command), "(%s; touch '%s/go') &", goes_on ? "sleep 0.3" : ":",
                 roused.dir);
        ck_assert_int_eq(system(command), 0);
        if (!goes_on)
                roused_expect_state(&roused, "a", "idle");
        if (is_removed)
                roused_reload(&roused, "handles: {b: {}}\n");
        else
                roused_stop(&roused);
        expect_file(&roused, "out", "first\ntold\nsecond\n");
        if (is_removed)
                roused_stop(&roused);
}

static void keys_of_a_wake_that_is_told_do_not_wait_for_ever(void) {
        check_told_keys_at_the_end("stopped", false, false);
        check_told_keys_at_the_end("stopped-in-a-run", true, false);
        check_told_keys_at_the_end("removed", false, true);
        check_told_keys_at_the_end("removed-in-a-run", true, true);
}

static void after_the_last_attempt_keys_are_missing(void) {
        struct roused roused;

        roused_start(
                &roused, "d",
                "handles:\n  a:\n    retry: {attempts: 2, backoff: 1ms}\n"
                "    run: [sh, -c, '{ echo over $ROUSE_KEYS_OVERFLOW; cat; } >>$ROUSE_DIR/out; "
                "test -e $ROUSE_DIR/good']\n");
        free(roused_poke(&roused, "a first\n"));
        expect_file(&roused, "out", "over 0\nfirst\nover 0\nfirst\n");
        roused_expect_state(&roused, "a", "failed");
        test_write_file(test_path("d/good"), "");
        free(roused_poke(&roused, "a second\n"));
        expect_file(&roused, "out", "over 0\nfirst\nover 0\nfirst\nover 1\nsecond\n");
        roused_expect_state(&roused, "a", "idle");
        free(roused_poke(&roused, "a third\n"));
        expect_file(&roused, "out",
                    "over 0\nfirst\nover 0\nfirst\nover 1\nsecond\nover 0\nthird\n");
        roused_stop(&roused);
}

static void keys_go_through_a_handle_that_sends(void) {
        struct roused roused;

        roused_start(&roused, "d",
                     "handles:\n  all: {send: [x, y]}\n  x: {run: " TELL("x") "}\n  y: {run: " TELL(
                             "y") "}\n");
        send_together(&roused, "all", "all k1\nall k2\nall k1\n");
        expect_file(&roused, "x", "over 0\nk1\nk2\nend\n");
        expect_file(&roused, "y", "over 0\nk1\nk2\nend\n");
        roused_stop(&roused);
}

static const char *fifo;

/* A fifo is made by its worker, after the daemon answers; without a reader it cannot be opened. */
static bool is_open(void *arg) {
        int *fd = arg;
        struct stat st;

        if (stat(fifo, &st) == 0 && S_ISFIFO(st.st_mode))
                *fd = open(fifo, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
        return *fd >= 0;
}

static void a_fifo_takes_keys(void) {
        struct roused roused;
        int fd = -1;

        roused_start(&roused, "d",
                     "handles: {a: {run: " TELL("out") "}}\nworkers: {w: [{fifo: ./in}]}\n");
        fifo = test_path("d/in");
        ck_assert(test_until(is_open, &fd, test_slow_ms(20000)));
        ck_assert_int_eq(write(fd, "a the key\n", 10), 10);
        close(fd);
        expect_file(&roused, "out", "over 0\nthe key\nend\n");
        roused_stop(&roused);
}

struct tree {
        const char *file, *out;
};

/* The watch begins after the daemon answers, so the file is written until it was seen. */
static bool is_seen(void *arg) {
        struct tree *tree = arg;
        char *text;
        bool seen;

        test_write_file(tree->file, "");
        text = test_read_file(tree->out);
        seen = text && count_lines(text) > 0;
        free(text);
        return seen;
}

static void a_watch_gives_the_path_that_changed(void) {
        struct tree tree = {.file = test_path("tree/file"), .out = test_path("d/out")};
        struct roused roused;
        char *expected;

        ck_assert_int_eq(mkdir(test_path("tree"), 0755), 0);
        roused_start(&roused, "d",
                     "handles: {a: {run: [sh, -c, 'cat >>$ROUSE_DIR/out']}}\n"
                     "workers: {w: [{watch: ../tree, send: a}]}\n");
        ck_assert(test_until(is_seen, &tree, test_slow_ms(20000)));
        roused_stop(&roused);
        expected = test_read_file(tree.out);
        ck_assert_msg(strstr(expected, "/tree/file\n") != NULL, "%s", expected);
        free(expected);
}

static bool is_told_of_loss(void *arg) {
        char *text = test_read_file(arg);
        bool is_told = strstr(text, "over 1\n");

        free(text);
        return is_told;
}

static void a_watch_says_when_changes_were_lost(void) {
        struct tree tree = {.file = test_path("tree/file"), .out = test_path("d/out")};
        const char *other = test_path("tree/other");
        int n = test_max_queued_events();
        struct roused roused;

        if (n == 0)
                return;
        ck_assert_int_eq(mkdir(test_path("tree"), 0755), 0);
        test_write_file(other, "");
        roused_start(
                &roused, "d",
                "handles: {a: {run: " TELL("out") "}}\n"
                                                  "workers: {w: [{watch: ../tree, send: a}]}\n");
        ck_assert(test_until(is_seen, &tree, test_slow_ms(20000)));
        ck_assert(!is_told_of_loss((void *)tree.out));
        roused_freeze(&roused);
        /* alternately, because the kernel keeps one of two equal events in a row */
        for (int i = 0; i <= n; i++)
                ck_assert_int_eq(chmod(i % 2 ? tree.file : other, 0600), 0);
        roused_thaw(&roused);
        ck_assert(test_until(is_told_of_loss, (void *)tree.out, test_slow_ms(20000)));
        roused_stop(&roused);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(keys_reach_the_run_once_each_in_their_order),
                TEST(without_keys_the_input_is_empty),
                TEST(the_input_cannot_be_written),
                TEST(more_keys_than_a_pipe_would_hold_arrive_unread_or_not),
                TEST(a_run_is_told_that_keys_are_missing),
                TEST(keys_that_come_during_a_run_belong_to_the_next),
                TEST(keys_of_a_wake_that_is_told_wait_for_the_next_run),
                TEST(keys_of_a_wake_that_is_told_do_not_wait_for_ever),
                TEST(after_the_last_attempt_keys_are_missing),
                TEST(keys_go_through_a_handle_that_sends),
                TEST(a_fifo_takes_keys),
                TEST(a_watch_gives_the_path_that_changed),
                TEST(a_watch_says_when_changes_were_lost),
                {0},
        };

        return test_main("keys", tests, argc, argv);
}
