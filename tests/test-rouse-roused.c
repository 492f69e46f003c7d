/* rouse and roused together, as a user types it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/limits.h"
#include "lib/cleanup.h"
#include "tests/harness.h"
#include "tests/support.h"
#include "tests/typed.h"

/* The handle "gated" runs until somebody writes to its fifo, so a test decides when. */
static const char configuration[] =
        "handles:\n"
        "  good: {description: Is well, started: true, run: [/bin/true]}\n"
        "  bad: {run: [/bin/sh, -c, 'exit 3']}\n"
        "  gated: {run: [/bin/sh, -c, 'cd %s; echo run >>runs; echo >started; cat gate']}\n"
        "  bare: {}\n"
        "  other: {}\n";

static void start(struct roused *roused) {
        char *text;

        ck_assert_int_ge(asprintf(&text, configuration, test_path("d")), 0);
        roused_start(roused, "d", text);
        free(text);
}

static void every_verb_works_as_it_is_typed(void) {
        static const struct typed_row rows[] = {
                {"rouse list", 0,
                 "NAME   STATE  PENDING  SEQ  REF  DESCRIPTION\n"
                 "good   idle   0        0    yes  Is well\n"
                 "bad    idle   0        0    -\n"
                 "gated  idle   0        0    -\n"
                 "bare   idle   0        0    -\n"
                 "other  idle   0        0    -\n",
                 ""},
                {"rouse list 'b*' --json | tr '}' '\\n' | cut -d, -f1,2", 0,
                 "[{\"name\":\"bad\",\"is_active\":true\n,{\"name\":\"bare\"\n]\n", ""},

                {"rouse send bare other", 0, "1\n1\n", ""},
                {"rouse send bare --wait", 0, "2\n", ""},
                {"rouse send bare other --wait=wake --json --timeout 1min", 0,
                 "{\"name\":\"bare\",\"ticket\":3,\"disposition\":\"scheduled\",\"seq\":3,"
                 "\"sends\":1}\n"
                 "{\"name\":\"other\",\"ticket\":2,\"disposition\":\"scheduled\",\"seq\":2,"
                 "\"sends\":1}\n",
                 ""},
                {"rouse send good --wait=run --timeout 1min", 0, "1\n", ""},
                {"rouse send good --key 'a b' --key c", 0, NULL, ""},
                {"rouse send good --wait=run --key a --key b", 0, NULL, ""},
                {"rouse send good --key \"$(printf 'a\\r')\"", 0, NULL, ""},
                {"rouse send bad --wait=run", 1, "1\n",
                 "rouse: bad: the run ended with exit code 3\n"},
                {"rouse send bare --wait=run", 1, "",
                 "rouse: \"bare\" has no action, so no run of it can be waited for\n"},
                {"rouse send barr", 4, "", "rouse: no handle is named \"barr\"; bare?\n"},
                {"rouse send barr --wait", 4, "", "rouse: no handle is named \"barr\"; bare?\n"},
                {"rouse send quite.another other", 4, "-\n3\n",
                 "rouse: no handle is named \"quite.another\"; 'rouse list' shows them all\n"},
                {"rouse send '-x'", 2, "", "rouse: no such option: -x\n"},
                {"rouse send -- '-x'", 1, "",
                 "rouse: \"-x\" is not a name: 1 to 255 of A-Z a-z 0-9 . _ - : @ /, and no - first\n"},
                {"rouse send --wait -- '-x'", 1, "",
                 "rouse: \"-x\" is not a name: 1 to 255 of A-Z a-z 0-9 . _ - : @ /, and no - first\n"},
                {"rouse send other --no-ack && rouse wait other --ticket 4", 0, "4\n", ""},

                {"rouse wait bare --after 0", 0, "3\n", ""},
                {"rouse wait bare --ticket 2", 0, "3\n", ""},
                {"rouse wait bare --timeout 10ms", 124, "",
                 "rouse: \"bare\" did not wake in time\n"},
                {"rouse wait barr", 4, "", "rouse: no handle is named \"barr\"; bare?\n"},

                {"rouse is-active bare", 0, "true\n", ""},
                {"rouse has-ref bare", 3, "false\n", ""},
                {"rouse start bare; rouse has-ref bare", 0, "true\n", ""},
                {"rouse stop bare; rouse has-ref bare", 3, "false\n", ""},
                {"rouse ref bare; rouse has-ref bare", 0, "true\n", ""},
                {"rouse unref bare; rouse has-ref bare", 3, "false\n", ""},
                {"rouse start bare --json | cut -d, -f1-3", 0,
                 "{\"name\":\"bare\",\"is_active\":true,\"has_ref\":true\n", ""},
                {"rouse has-ref barr", 4, "", "rouse: no handle is named \"barr\"; bare?\n"},

                {"rouse pause bare && rouse send bare bare", 0, "4\n4\n", ""},
                {"rouse status bare | sed 's/uid [0-9]* since.*/uid … since …/'", 0,
                 "bare\n"
                 "  State: paused. Paused by uid … since …\n"
                 "  The last wake was number 3; 2 sends are covered by the next one.\n"
                 "  It has no action: its wakes go to those who watch it.\n"
                 "  It is started: it holds the daemon's loop.\n",
                 ""},
                {"rouse resume bare; rouse wait bare --ticket 4", 0, "4\n", ""},

                {"rouse create mine --started && rouse has-ref mine", 0, "true\n", ""},
                {"rouse create mine", 1, "", "rouse: a handle named \"mine\" is there already\n"},
                {"rouse create 'a b'", 1, "", NULL},
                {"rouse close mine", 0, "", ""},
                {"rouse is-active mine", 4, "", NULL},
                {"rouse reload", 0, "nothing changed\n", ""},
                {"rouse close other", 0, "", ""},
                {"rouse is-active other", 3, "false\n", ""},
                {"rouse send other", 1, "", "rouse: the handle is closed: other\n"},
                {"rouse send other --wait", 1, "", "rouse: \"other\" is closed\n"},
                {"rouse close other", 1, "", "rouse: \"other\" is closed\n"},

                {"rouse stats other | head -4", 0,
                 "name                 other\n"
                 "sends                4\n"
                 "wakes                4\n"
                 "coalesced            0\n",
                 ""},
                {"rouse stats | grep -c '^uptime  *[0-9.]*[a-z]'", 0, "1\n", ""},
                {"rouse stats --json barr", 4, "", "rouse: no handle is named \"barr\"; bare?\n"},

                {"rouse call ping", 0, "\"pong\"\n", ""},
                {"rouse send good --key $(printf %04096d 7)", 0, NULL, ""},
                {"rouse send good --wait=run --key $(printf %04096d 7)", 0, NULL, ""},
                {"rouse call wait '[\"bare\", 0]'", 0, "{\"seq\":4,\"sends\":null}\n", ""},
                {"rouse call pnig", 1, "", "rouse: no such method: pnig; ping?\n"},
                {"rouse call quux", 1, "",
                 "rouse: no such method: quux; 'rouse call describe' lists them\n"},
                {"rouse call status '[\"barr\"]'", 4, "",
                 "rouse: no handle is named \"barr\"; bare?\n"
                 "rouse: {\"reason\":\"no_such_handle\",\"name\":\"barr\"}\n"},
                {"rouse version | sed 's/ [0-9][0-9.]*//'", 0, "rouse\nroused at $DIR\n", ""},
                {},
        };
        struct roused roused;

        start(&roused);
        typed_check_rows(roused.dir, rows);
        roused_stop(&roused);
}

static void ten_sends_during_a_run_make_one_more(void) {
        struct roused roused;

        start(&roused);
        typed_check(roused.dir,
                    "mkfifo $DIR/gate $DIR/started\n"
                    "rouse send gated; read x <$DIR/started\n"
                    "for i in 1 2 3 4 5 6 7 8 9 10; do rouse send gated; done >/dev/null\n"
                    "rouse status gated | grep -o behind_run\n"
                    "echo >$DIR/gate; read x <$DIR/started; echo >$DIR/gate\n"
                    "until rouse status gated | grep -o idle; do sleep 0.02; done\n"
                    "wc -l <$DIR/runs",
                    0, "1\nbehind_run\nidle\n2\n", "");
        roused_stop(&roused);
}

/* The sockets let everybody in here, so that it is the daemon who refuses. */
static void who_has_no_right_is_refused(void) {
#define AS_NOBODY "setpriv --reuid 65534 --regid 65534 --clear-groups $ROUSE "
        static const struct typed_row rows[] = {
                {AS_NOBODY "send bare", 5, "",
                 "rouse: permission denied: bare; 'access' in the daemon's configuration says who "
                 "may\n"},
                {AS_NOBODY "send bare --wait", 5, "",
                 "rouse: permission denied: send needs the right to send for \"bare\"; 'access' in "
                 "the daemon's configuration says who may\n"},
                {AS_NOBODY "pause bare", 5, "", NULL},
                {AS_NOBODY "reload", 5, "", NULL},
                {AS_NOBODY "is-active bare", 0, "true\n", ""},
                {},
        };
        struct roused roused;

        if (!test_is_root())
                return;
        start(&roused);
        ck_assert_int_eq(chmod(test_dir(), 0755), 0);
        ck_assert_int_eq(chmod(test_path("d/poke.sock"), 0666), 0);
        ck_assert_int_eq(chmod(test_path("d/control.sock"), 0666), 0);
        typed_check_rows(roused.dir, rows);
        roused_stop(&roused);
}

static void a_reload_changes_what_the_file_changed(void) {
        struct roused roused;

        start(&roused);
        typed_check(roused.dir,
                    "cd $DIR; sed -i '/other/d; s/exit 3/exit 4/' roused.yaml; "
                    "echo '  new: {}' >>roused.yaml; rouse reload; rouse list new | wc -l",
                    0, "added new\nchanged bad\nremoved other\n2\n", "");
        typed_check(roused.dir,
                    "cd $DIR; echo '  wrong: {runn: [/bin/true]}' >>roused.yaml; rouse reload; "
                    "echo $?; rouse is-active wrong",
                    4, "1\n", NULL);
        roused_stop(&roused);
}

static void a_rouse_of_another_prefix_checks_with_its_own_roused(void) {
        static const char *const rows[] = {"", "../sbin/", "../daemon/"};

        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
                const char *bin = test_path("%zu/bin", i);
                _cleanup_free_ char *line = NULL;

                ck_assert_int_ge(asprintf(&line,
                                          "mkdir -p %s && cd %s && mkdir -p ./%s &&"
                                          " cp \"$ROUSE\" . &&"
                                          " printf '#!/bin/sh\necho own $1 $3\n' >%sroused &&"
                                          " chmod +x %sroused && ./rouse check x.yaml",
                                          bin, bin, rows[i], rows[i], rows[i]),
                                 0);
                typed_check(test_dir(), line, 0, "own --check x.yaml\n", NULL);
        }
}

static void a_misspelt_key_is_shown_with_its_place(void) {
        test_write_file(test_path("x.yaml"), "handles:\n  a:\n    runn: [/bin/true]\n");
        test_write_file(test_path("y.yaml"), "handles: {a: {}}\n");
        typed_check(test_dir(),
                    "cd $DIR; PATH=$ROUSE_BUILD/daemon:$PATH rouse check x.yaml 2>&1 | "
                    "grep -o 'x.yaml:3:5: .*runn.*run'",
                    0, NULL, "");
        typed_check(test_dir(), "cd $DIR; PATH=$ROUSE_BUILD/daemon:$PATH rouse check x.yaml", 1,
                    NULL, NULL);
        typed_check(test_dir(), "cd $DIR; PATH=$ROUSE_BUILD/daemon:$PATH rouse check y.yaml", 0,
                    NULL, NULL);
}

static void no_wake_is_missed_with_after(void) {
        struct roused roused;

        start(&roused);
        /* Wakes come while nobody waits: the next wait returns at once, with the last number. */
        typed_check(roused.dir,
                    "rouse send bare --wait; seq=$(rouse wait bare --after 0); echo $seq; "
                    "rouse send bare --wait; rouse send bare --wait; "
                    "seq=$(rouse wait bare --after $seq); echo $seq; "
                    "rouse wait bare --after $seq --timeout 10ms; echo $?",
                    0, "1\n1\n2\n3\n3\n124\n", NULL);
        roused_stop(&roused);
}

static void watchers_are_told(void) {
        struct roused roused;

        start(&roused);
        typed_check(
                roused.dir,
                "mkfifo $DIR/f; $ROUSE watch 'b*' >$DIR/f & exec 3<$DIR/f; until_watched; "
                "rouse send bare --wait; rouse send other --wait; rouse send bare --wait; "
                "read a <&3; read b <&3; echo $a; echo $b; p=$!; kill -INT $p; (sleep 3; kill -INT $p) >/dev/null 2>&1 & wait $p; echo $?",
                0, "1\n1\n2\nbare 1 1 0\nbare 2 1 0\n0\n", "");
        roused_stop(&roused);
}

static void the_manuals_lines_for_others_work(void) {
        static const struct typed_row rows[] = {
                {"echo bare | socat - UNIX-SENDTO:$DIR/poke.sock", 0, "", ""},
                {"rouse wait bare --after 0", 0, "1\n", ""},
                {"echo bare | socat -t1 - UNIX-SENDTO:$DIR/poke.sock,bind=$DIR/x.sock", 0, "ok 2\n",
                 ""},
                {"printf 'bare\\n' | nc -uU -W1 $DIR/poke.sock", 0, "ok 3\n", ""},
                {"printf 'bare\\nnope\\n' | nc -uU -w1 $DIR/poke.sock", 0,
                 "ok 4\nerror no_such_handle\n", ""},
                {"mkfifo $DIR/o; echo bare >$DIR/i; nc -uU $DIR/poke.sock <$DIR/i >$DIR/o & "
                 "read x <$DIR/o; kill $!; echo $x",
                 0, "ok 5\n", ""},
                {},
        };
        struct roused roused;
        struct typed tools;

        tools = typed(test_dir(), "command -v socat && nc -h 2>&1 | grep OpenBSD");
        if (tools.code != 0)
                fprintf(stderr, "socat and OpenBSD's nc are not both here: nothing tested\n");
        typed_deinit(&tools);
        if (tools.code != 0)
                return;
        start(&roused);
        typed_check_rows(roused.dir, rows);
        roused_stop(&roused);
}

static void one_client_too_many_is_told_so(void) {
        static int fds[LIMIT_CLIENTS];
        struct roused roused;
        struct rlimit limit;

        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
        limit.rlim_cur = limit.rlim_max;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        ck_assert_uint_gt(limit.rlim_cur, LIMIT_CLIENTS + 100);
        start(&roused);
        for (unsigned int i = 0; i < LIMIT_CLIENTS; i++)
                fds[i] = roused_connect(&roused);
        for (int i = 0; i < 20; i++)
                typed_check(roused.dir, "rouse list", 1, "",
                            "rouse: too many clients are connected\n");
        for (unsigned int i = 0; i < LIMIT_CLIENTS; i++)
                close(fds[i]);
        roused_stop(&roused);
}

/* As many names as take three requests. */
#define N_MANY 2500

/* Checks the lines with as many handles. */
static void check_many(const char *handle, const struct typed_row *rows) {
        _cleanup_free_ char *text = NULL;
        struct roused roused;
        size_t n = 0;
        FILE *file = open_memstream(&text, &n);

        ck_assert_ptr_nonnull(file);
        fprintf(file, "handles:\n  sink: {}\n");
        for (int i = 1; i <= N_MANY; i++)
                fprintf(file, "  n%d: {%s}\n", i, handle);
        fclose(file);
        ck_assert_uint_gt(N_MANY, 2 * LIMIT_SEND_NAMES);
        roused_start(&roused, "d", text);
        typed_check(roused.dir, "seq -f n%g 2500 >$DIR/names", 0, "", "");
        typed_check_rows(roused.dir, rows);
        roused_stop(&roused);
}

#define COUNTED "| uniq -c | sed 's/^ *//'"

static void any_number_of_names_is_waited_for_together(void) {
        static const struct typed_row rows[] = {
                {"rouse send --wait $(cat $DIR/names) " COUNTED, 0, "2500 1\n", ""},
                {"rouse send --wait=run $(cat $DIR/names) " COUNTED, 0, "2500 2\n", ""},
                {"rouse send --json --wait $(cat $DIR/names) | cut -d'\"' -f4 | cmp - $DIR/names",
                 0, "", ""},
                {"rouse send --key \"$(printf 'a\r')\" $(cat $DIR/names) " COUNTED
                 "; rouse wait n2500 --ticket 4",
                 0, "2500 4\n4\n", ""},
                /* What is sent last does not wait for what is sent first. */
                {"rouse pause n1; $ROUSE send --wait $(cat $DIR/names) >$DIR/sent & "
                 "rouse wait n2500 --after 4; rouse resume n1; wait $!; echo $?; wc -l <$DIR/sent",
                 0, "5\n0\n2500\n", ""},
                {},
        };

        check_many("send: [sink]", rows); /* a run without a process */
}

static void of_many_names_a_part_that_fails_leaves_the_others(void) {
        static const struct typed_row rows[] = {
                {"rouse send --wait nobody $(cat $DIR/names) >$DIR/sent; echo $?; "
                 "cat $DIR/sent " COUNTED,
                 0, "4\n1024 -\n1477 1\n",
                 "rouse: no handle is named \"nobody\"; 'rouse list' shows them all\n"},
                {"rouse send --json --wait $(cat $DIR/names) nobody | cut -d'\"' -f4 >$DIR/sent; "
                 "head -2048 $DIR/names | cmp - $DIR/sent",
                 0, "", NULL},
                {"rouse pause n2500; rouse send --wait --timeout 10ms $(cat $DIR/names) "
                 ">$DIR/sent; echo $?; wc -l <$DIR/sent; grep -c -e - $DIR/sent",
                 1, "124\n2500\n0\n", "rouse: \"n2500\" did not wake in time\n"},
                {},
        };

        check_many("", rows);
}

/* The run sends, too, by the path that the daemon gives it. */
static void a_directory_with_a_long_path_is_reached(void) {
        typed_check(test_dir(),
                    "d=$DIR/$(printf %0120d 0); mkdir $d; : >$d/log\n"
                    "echo \"handles: {a: {run: ['$ROUSE', send, b]}, b: {}}\" >$d/c\n"
                    "$ROUSE_BUILD/daemon/roused --config $d/c --dir $d 2>$d/log &\n"
                    "until grep -q ' serving ' $d/log; do sleep 0.02; done\n"
                    "rouse --dir $d send a; rouse --dir $d wait b --after 0 --timeout 20s\n"
                    "kill $!; wait $!",
                    0, "1\n1\n", "");
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(every_verb_works_as_it_is_typed),
                TEST(ten_sends_during_a_run_make_one_more),
                TEST(who_has_no_right_is_refused),
                TEST(a_reload_changes_what_the_file_changed),
                TEST(a_rouse_of_another_prefix_checks_with_its_own_roused),
                TEST(a_misspelt_key_is_shown_with_its_place),
                TEST(no_wake_is_missed_with_after),
                TEST(watchers_are_told),
                TEST(the_manuals_lines_for_others_work),
                TEST(one_client_too_many_is_told_so),
                TEST(any_number_of_names_is_waited_for_together),
                TEST(of_many_names_a_part_that_fails_leaves_the_others),
                TEST(a_directory_with_a_long_path_is_reached),
                {},
        };

        return test_main("rouse-roused", tests, argc, argv);
}
