/* Runs as rouse shows them, commands that rouse runs itself, keys, and pauses that end. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fake-roused.h"
#include "tests/harness.h"
#include "tests/support.h"
#include "tests/typed.h"

#define RUN(seq, outcome, status, success, complaint)                                 \
        "{\"seq\":" seq ",\"sends\":4,\"outcome\":\"" outcome "\",\"status\":" status \
        ",\"success\":" success ",\"started_ms\":1700000000123,\"duration_ms\":1234," \
        "\"complaint\":" complaint "}"

static void runs_are_a_table_with_complaints(void) {
        static const struct fake_answer calls[] = {
                {"\"none\"", "{\"id\":$ID,\"result\":[]}\n"},
                {"\"a\"",
                 "{\"id\":$ID,\"result\":[" RUN("12", "exited", "3", "false", "\"no such table: \\u001b[m\\nbye\\n\"") "," RUN(
                         "11", "exited", "0", "true",
                         "null") "," RUN("9", "signaled", "15", "false",
                                         "\"1\\n\\n3\\n4\\n5\\n6\"") "," RUN("8", "not_started",
                                                                             "-2", "false",
                                                                             "null") "]}\n"},
                {}};
        static const struct typed_row rows[] = {
                {"TZ=UTC rouse runs a", 0,
                 "SEQ  STARTED              DURATION  RESULT                  "
                 "                         SENDS\n"
                 "12   2023-11-14 22:13:20  1.23s     ended with exit code 3  "
                 "                         4\n"
                 "    no such table: ?[m\n"
                 "    bye\n"
                 "11   2023-11-14 22:13:20  1.23s     done                    "
                 "                         4\n"
                 "9    2023-11-14 22:13:20  1.23s     was ended by signal SIGT"
                 "ERM                      4\n"
                 "    1\n"
                 "    \n"
                 "    3\n"
                 "    4\n"
                 "    5\n"
                 "    …\n"
                 "8    2023-11-14 22:13:20  1.23s     could not be started: No"
                 " such file or directory  4\n",
                 ""},
                {"rouse runs none", 0, "SEQ  STARTED  DURATION  RESULT  SENDS\n", ""},
                {"rouse runs none --limit 3 --json", 0, "[]\n", ""},
                {"rouse runs none --limit", 2, "", NULL},
                {"rouse runs none --limit x", 2, "", "rouse: --limit needs a number, not 'x'\n"},
                {"rouse runs", 2, "", NULL},
                {},
        };
        struct fake *fake = fake_start(test_dir(), NULL, calls);
        char *log;

        typed_check_rows(test_dir(), rows);
        log = fake_stop(fake);
        ck_assert_ptr_nonnull(strstr(log, "{\"name\":\"a\"}"));
        ck_assert_ptr_nonnull(strstr(log, "{\"name\":\"none\",\"limit\":3}"));
        free(log);
}

static const char configuration[] = "handles:\n"
                                    "  bare: {}\n"
                                    "  good: {run: [/bin/true]}\n"
                                    "  bad: {run: [/bin/sh, -c, 'exit 3']}\n"
                                    "  lost: {run: ['true'], cwd: /no/such/dir}\n"
                                    "  alone: {signal: {pidfile: /no/such/pid, signal: HUP}}\n"
                                    "  keyed: {run: [/bin/sh, -c, 'cat >>%s/keys']}\n"
                                    "  many: {keys: {max: 5000}, run: [/bin/sh, -c, "
                                    "'test \"$(wc -l)\" = 2500']}\n";

static void start(struct roused *roused) {
        char *text;

        ck_assert_int_ge(asprintf(&text, configuration, test_path("d")), 0);
        roused_start(roused, "d", text);
        free(text);
}

static void why_a_run_failed_is_said_wherever_it_is_shown(void) {
#define LOST "    cannot run true: chdir /no/such/dir: No such file or directory\n"
#define ALONE                                                                    \
        "    cannot send signal 1 (HUP) to the process of /no/such/pid: No such" \
        " file or directory\n"
        static const struct typed_row rows[] = {
                {"rouse send lost --wait=run", 1, "1\n",
                 "rouse: lost: the run could not be started: No such file or directory\n" LOST},
                {"rouse runs lost | tail -1", 0, LOST, ""},
                {"rouse status lost | tail -1", 0, LOST, ""},
                {"rouse status lost | grep -c ' after '", 1, "0\n", ""},
                {"rouse send alone --wait=run", 1, "1\n",
                 "rouse: alone: the run ended with exit code 1\n" ALONE},
                {"rouse runs alone | tail -1", 0, ALONE, ""},
                {"rouse status alone | tail -1", 0, ALONE, ""},
                {},
        };
        struct roused roused;

        start(&roused);
        typed_check_rows(roused.dir, rows);
        roused_stop(&roused);
}

static void what_is_typed_works(void) {
        static const struct typed_row rows[] = {
                {"rouse send bad --wait=run", 1, "1\n", NULL},
                {"rouse send bad --wait=run", 1, "2\n", NULL},
                {"rouse runs bad | cut -c1-3,40-", 0, NULL, ""},
                {"rouse runs bad | awk '{print $1}'", 0, "SEQ\n2\n1\n", ""},
                {"rouse runs bad --limit 1 | awk '{print $1}'", 0, "SEQ\n2\n", ""},
                {"rouse runs bad | grep -c 'ended with exit code 3  *1$'", 0, "2\n", ""},
                {"rouse runs bad --limit 1 --json | grep -o '\"status\":[0-9]*'", 0,
                 "\"status\":3\n", ""},
                {"rouse runs nobody", 4, "", NULL},

                {"rouse pause bare --for 10min && rouse send bare", 0, "1\n", ""},
                {"rouse status bare | grep -c 'Paused by uid [0-9]* since .*, resumes in 9min'", 0,
                 "1\n", ""},
                {"rouse pause bare --for 10ms && rouse wait bare --ticket 1 --timeout 20s", 0,
                 "1\n", ""},
                {"rouse pause bare --for infinity && rouse status bare | grep -c 'resumes in'", 1,
                 "0\n", ""},
                {"rouse pause bare --json | grep -o '\"paused\":true'; rouse resume bare", 0,
                 "\"paused\":true\n", ""},
                {"rouse pause bare --for 0", 2, "", "rouse: --for 0: a pause takes some time\n"},
                {"rouse pause bare --for soon", 2, "",
                 "rouse: --for soon is no length of time; write 500ms, 10s or '1min 30s'\n"},
                {"rouse pause nobody --for 1s", 4, "", NULL},

                {"rouse pause keyed; rouse send keyed --key 'a b' --key c --key 'a b'", 0, "1\n",
                 ""},
                {"rouse send keyed --key \"$(printf 'd\\r')\" --key c", 0, "1\n", ""},
                {"rouse resume keyed; rouse send keyed --key e --wait=run", 0, NULL, ""},
                /* more than a request may hold, in one wake */
                {"rouse pause many; rouse send many --wait=run --timeout 30s $(seq -f '--key k%g' 2500) & "
                 "until rouse stats many --json | grep -q '\"sends\":2500'; do sleep 0.02; done; "
                 "rouse resume many >/dev/null; wait $!",
                 0, NULL, ""},
                /* and more sends */
                {"rouse create crowd >/dev/null && rouse send --wait $(yes crowd | head -n 20) "
                 "$(seq -f '--key k%g' 1000) | wc -l && "
                 "rouse stats crowd --json | grep -o '\"sends\":[0-9]*'",
                 0, "20\n\"sends\":20000\n", ""},

                {"t=$(rouse send good) && rouse wait good --ticket $t", 0, "1\n", ""},
                {},
        };
        struct roused roused;

        start(&roused);
        typed_check_rows(roused.dir, rows);
        roused_stop(&roused);
}

static void runs_are_watched(void) {
        struct roused roused;

        start(&roused);
        typed_check(
                roused.dir,
                "mkfifo $DIR/f; $ROUSE watch --runs bad >$DIR/f & exec 3<$DIR/f; until_watched; "
                "rouse send bad >&2; for i in 1 2 3; do read a <&3; echo $a; done; "
                "p=$!; kill -INT $p; (sleep 3; kill -INT $p) >/dev/null 2>&1 & wait $p; echo $?; until_unwatched",
                0, NULL, NULL);
        typed_check(
                roused.dir,
                "$ROUSE watch --runs bad >$DIR/f & exec 3<$DIR/f; until_watched; "
                "rouse send bad >&2; for i in 1 2 3; do read a <&3; echo $a | sed "
                "'s/[0-9]*$/N/'; done; p=$!; kill -INT $p; (sleep 3; kill -INT $p) >/dev/null 2>&1 & wait $p; echo $?; until_unwatched",
                0, "wake bad 2 1 N\nrun_started bad 2 1 N\nrun_ended bad 2 1 0 exited 3 N\n0\n",
                NULL);
        typed_check(
                roused.dir,
                "$ROUSE watch --runs --json bad >$DIR/f & exec 3<$DIR/f; until_watched; "
                "rouse send bad >&2; for i in 1 2 3; do read -r a <&3; echo \"$a\" | sed "
                "'s/_ms\":[0-9]*/_ms\":N/'; done; p=$!; kill -INT $p; (sleep 3; kill -INT $p) >/dev/null 2>&1 & wait $p; echo $?; until_unwatched",
                0,
                "{\"event\":\"wake\",\"name\":\"bad\",\"seq\":3,\"sends\":1,\"missed\":0}\n"
                "{\"event\":\"run_started\",\"name\":\"bad\",\"seq\":3,\"sends\":1,"
                "\"missed\":0}\n"
                "{\"event\":\"run_ended\",\"name\":\"bad\",\"seq\":3,\"sends\":1,\"missed\":0,"
                "\"outcome\":\"exited\",\"status\":3,\"success\":false,\"duration_ms\":N}\n"
                "0\n",
                NULL);
        roused_stop(&roused);
}

/* The command waits for its fifo, so the test decides how long it takes. */
static void a_command_runs_for_wakes_one_at_a_time(void) {
        struct roused roused;

        start(&roused);
        typed_check(roused.dir,
                    "cd $DIR; mkfifo begun go; exec 4<>go; $ROUSE watch 'b*' --exec /bin/sh -c "
                    "'echo $0 $ROUSE_HANDLE $ROUSE_SEQ $ROUSE_SENDS $ROUSE_MISSED >begun; "
                    "read x <go; exit $x' with & exec 3<>begun; until_watched; "
                    "rouse send bare >&2; read a <&3; echo $a; "
                    "for i in 1 2 3; do rouse send bare --wait; done >&2; "
                    "rouse send bad --wait >&2; "
                    /* What came while the command ran is put together, in the order it came. */
                    "echo 0 >&4; read a <&3; echo $a; echo 7 >&4; read a <&3; echo $a; "
                    "kill -TERM $!; wait $!; echo $?; until_unwatched",
                    0, "with bare 1 1 0\nwith bare 4 3 2\nwith bad 1 1 0\n0\n", NULL);
        typed_check(roused.dir,
                    "cd $DIR; $ROUSE watch --exec ./nothing & until_watched; "
                    "rouse send bare >&2; wait $!; echo $?",
                    0, "1\n", NULL);
        roused_stop(&roused);
}

static void a_commands_failure_is_told(void) {
        struct roused roused;

        start(&roused);
        typed_check(roused.dir,
                    "cd $DIR; $ROUSE watch --exec /bin/sh -c 'exit 7' 2>err & until_watched; "
                    "rouse send bare; until [ -s err ]; do sleep 0.02; done; kill -INT $!; "
                    "wait $!; cat err",
                    0, "1\nrouse: bare: /bin/sh ended with exit code 7\n", "");
        roused_stop(&roused);
}

/* Some supervisors start everything so. */
static void the_end_is_seen_where_children_were_ignored(void) {
        struct roused roused;

        start(&roused);
        typed_check(roused.dir,
                    "cd $DIR; mkfifo ran; env --ignore-signal=CHLD $ROUSE watch --exec "
                    "/bin/sh -c 'echo $ROUSE_SEQ >ran; exit 7' 2>err & exec 3<>ran; until_watched; "
                    "rouse send bare >&2; read a <&3; echo $a; rouse send bare >&2; read a <&3; "
                    "echo $a; kill -TERM $!; wait $!; echo $?; head -n 1 err",
                    0, "1\n2\n0\nrouse: bare: /bin/sh ended with exit code 7\n", NULL);
        roused_stop(&roused);
}

/* What was told before the daemon went is still done. */
static void a_command_runs_on_when_the_daemon_goes(void) {
        struct roused roused;

        start(&roused);
        typed_check(
                roused.dir,
                "cd $DIR; mkfifo begun go; exec 4<>go 3<>begun; $ROUSE watch --exec /bin/sh -c "
                "'echo $ROUSE_HANDLE $ROUSE_SEQ >begun; read x <go' 2>/dev/null & until_watched; "
                "rouse send bare >&2; read a <&3; rouse send bare --wait >&2; "
                "rouse call shutdown >&2; echo >&4; read b <&3; echo $b; echo >&4; wait $!; "
                "echo $?",
                0, "bare 2\n69\n", NULL);
        roused_kill(&roused);
}

static void what_excludes_each_other_is_refused(void) {
        static const struct typed_row rows[] = {
                {"rouse watch --exec", 2, "",
                 "rouse: --exec is followed by a blank and CMD [ARG…]\n"},
                {"rouse watch --exec=true", 2, "", NULL},
                {"rouse watch --runs --exec true", 2, "",
                 "rouse: --exec goes with neither --runs nor --json\n"},
                {"rouse watch --json --exec true", 2, "",
                 "rouse: --exec goes with neither --runs nor --json\n"},
                {"rouse watch --exec true", 69, "", NULL},
                {},
        };

        typed_check_rows(test_dir(), rows);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(runs_are_a_table_with_complaints),
                TEST(why_a_run_failed_is_said_wherever_it_is_shown),
                TEST(what_is_typed_works),
                TEST(runs_are_watched),
                TEST(a_command_runs_for_wakes_one_at_a_time),
                TEST(a_commands_failure_is_told),
                TEST(the_end_is_seen_where_children_were_ignored),
                TEST(a_command_runs_on_when_the_daemon_goes),
                TEST(what_excludes_each_other_is_refused),
                {},
        };

        return test_main("rouse-runs", tests, argc, argv);
}
