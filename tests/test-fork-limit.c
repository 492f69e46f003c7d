/*
 * A daemon without rights that may not have one process more: it says so, and runs later.
 *
 * Root has no such limit, so for root the daemon is started as a user that nobody else is. The
 * limit is set from outside, and so hits the runs alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"
#include "tests/support.h"

/* Others that run this test have numbers of their own. */
static uid_t nobody(void) {
        return 20000 + (uid_t)getpid() % 40000;
}

/* Only the daemon's own user may do it everywhere. */
static void set_limit(const struct roused *roused, rlim_t n) {
        pid_t pid = fork();
        int status;

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                struct rlimit limit;

                roused_become(roused);
                if (prlimit(roused->pid, RLIMIT_NPROC, NULL, &limit) < 0)
                        _exit(1);
                limit.rlim_cur = n < limit.rlim_max ? n : limit.rlim_max;
                _exit(prlimit(roused->pid, RLIMIT_NPROC, &limit, NULL) == 0 ? 0 : 1);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
}

static const char config[] =
        "handles:\n"
        "  a: {run: [sh, -c, '{ echo $ROUSE_SENDS; cat; echo end; } >>$ROUSE_DIR/out']}\n"
        "  b: {retry: {attempts: 1}, run: [sh, -c, 'echo b >>$ROUSE_DIR/out_b']}\n"
        "  c: {on_busy: restart, group: g, run: [sh, -c, 'echo c >>$ROUSE_DIR/out_c']}\n"
        "groups: {g: {max: 1}}\n";

static void nothing_is_lost_for_want_of_processes(void) {
        struct roused roused;
        char *out;

        roused_start_as(&roused, nobody(), "d", config);
        set_limit(&roused, 0);
        free(roused_poke(&roused, "a one\na two\n"));
        roused_send(&roused, "b");
        roused_send(&roused, "c");
        roused_expect_log(&roused, "a: cannot start the action: Resource temporarily unavailable; "
                                   "trying again");
        roused_expect_state(&roused, "a", "backing_off");
        roused_expect_state(&roused, "b", "backing_off"); /* that was no attempt */
        roused_expect_state(&roused, "c", "backing_off");
        free(roused_poke(&roused, "a three\n"));
        set_limit(&roused, RLIM_INFINITY);
        out = roused_expect_lines(&roused, "out", 5);
        ck_assert_str_eq(out, "3\none\ntwo\nthree\nend\n");
        free(out);
        free(roused_expect_lines(&roused, "out_b", 1));
        free(roused_expect_lines(&roused, "out_c", 1));
        roused_expect_state(&roused, "a", "idle");
        roused_expect_state(&roused, "b", "idle");
        roused_expect_state(&roused, "c", "idle");
        roused_stop(&roused);
}

/* At the end there is no later: it is tried once more, and said. */
static void a_stop_does_not_wait_for_processes(void) {
        struct roused roused;
        const char *stop;
        char *log;

        /* A sanitizer's search for leaks at the end would want a process, too. */
        setenv("LSAN_OPTIONS", "detect_leaks=0", 1);
        roused_start_as(&roused, nobody(), "d", config);
        set_limit(&roused, 0);
        roused_send(&roused, "a");
        roused_expect_state(&roused, "a", "backing_off");
        roused_stop(&roused);
        log = test_read_file(roused.log);
        stop = strstr(log, "stopping");
        ck_assert_ptr_nonnull(stop);
        ck_assert_ptr_nonnull(strstr(stop, "a: cannot run sh: fork: "));
        ck_assert_ptr_null(strstr(stop, "trying again"));
        free(log);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(nothing_is_lost_for_want_of_processes),
                TEST(a_stop_does_not_wait_for_processes),
                {0},
        };

        return test_main("fork-limit", tests, argc, argv);
}
