/* rouse as it is typed, against a daemon that answers as it is told: the command line, exit codes
 * and messages, and what a real daemon does seldom. */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fake-roused.h"
#include "tests/support.h"
#include "tests/typed.h"

#define NOT_THERE "No such file or directory; is a daemon running there? (roused --dir $DIR)\n"
#define NO_NAME   "is not a name: 1 to 255 of A-Z a-z 0-9 . _ - : @ /, and no - first\n"

static void a_wrong_command_line_says_what_is_right(void) {
        static const struct typed_row rows[] = {
                {"rouse", 2, "", "rouse: what? 'rouse help' shows the verbs\n"},
                {"rouse sned x", 2, "", "rouse: no such verb: sned; send?\n"},
                {"rouse quux", 2, "", "rouse: no such verb: quux; 'rouse help' shows them all\n"},
                {"rouse is_active x", 2, "", "rouse: no such verb: is_active; is-active?\n"},
                {"rouse --dri /x list", 2, "", "rouse: no such option: --dri; --dir?\n"},
                {"rouse --dir", 2, "", "rouse: --dir needs a value: --dir DIR\n"},
                {"rouse --dir '' list", 2, "", "rouse: --dir needs a directory, not ''\n"},
                {"rouse send x --dir=", 2, "", "rouse: --dir needs a directory, not ''\n"},
                {"rouse -x list", 2, "", "rouse: no such option: -x\n"},
                {"rouse --json=1 list", 2, "", "rouse: --json takes no value\n"},
                {"rouse send", 2, "", "rouse: send needs more: rouse send NAME…\n"},
                {"rouse send x --tiemout 5", 2, "",
                 "rouse: no such option: --tiemout; --timeout?\n"},
                {"rouse send x --timeout", 2, "", "rouse: --timeout needs a value: --timeout T\n"},
                {"rouse send x --timeout 5parsecs", 2, "",
                 "rouse: --timeout 5parsecs is no length of time; write 500ms, 10s or '1min 30s'\n"},
                {"rouse send x --timeout 1000y", 2, "", "rouse: --timeout 1000y is too long\n"},
                {"rouse send x --wait=lunch", 2, "",
                 "rouse: --wait=lunch: wait for 'wake' or 'run'\n"},
                {"rouse send x --key ''", 2, "", "rouse: a key is a line of text, and not empty\n"},
                {"rouse send x --key 'a\nb'", 2, "",
                 "rouse: a key is a line of text, and not empty\n"},
                {"rouse send x --key $(printf %04097d 7)", 2, "",
                 "rouse: a key of 4097 bytes is too long; it may have 4096\n"},
                {"rouse send x --wait --key $(printf %05000d 7)", 2, "",
                 "rouse: a key of 5000 bytes is too long; it may have 4096\n"},
                {"rouse send x --wait --key $(printf '\\377')", 2, "",
                 "rouse: a key that is not UTF-8 goes with neither --wait nor a carriage return\n"},
                {"rouse send x --wait --no-ack", 2, "",
                 "rouse: --wait and --no-ack exclude each other\n"},
                {"rouse wait", 2, "", "rouse: wait needs more: rouse wait NAME\n"},
                {"rouse wait a b", 2, "", "rouse: wait takes no 'b': rouse wait NAME\n"},
                {"rouse wait a --after 1 --ticket 2", 2, "",
                 "rouse: --after and --ticket exclude each other\n"},
                {"rouse wait a --after ''", 2, "", "rouse: --after needs a number, not ''\n"},
                {"rouse wait a --ticket -1", 2, "", "rouse: --ticket needs a number, not '-1'\n"},
                {"rouse wait a --after 18446744073709551616", 2, "",
                 "rouse: --after 18446744073709551616 is larger than 18446744073709551615\n"},
                {"rouse version x", 2, "", "rouse: version takes no 'x': rouse version\n"},
                {"rouse --json check x", 2, "", "rouse: check has nothing to print as JSON\n"},
                {"rouse help sned", 2, "", "rouse: no such verb: sned; send?\n"},
                {"rouse call ping '{'", 2, "",
                 "rouse: the parameters are not JSON from character 2 on\n"},
                {"rouse call ping 7", 2, "",
                 "rouse: the parameters must be a JSON object or array\n"},
                {},
        };

        typed_check_rows(test_dir(), rows);
}

static void help_needs_no_daemon(void) {
        static const struct typed_row rows[] = {
                {"rouse help | grep -c '^  [a-z-]* .*  [a-z]'", 0, "23\n", ""},
                {"rouse --help | head -1", 0,
                 "rouse [--dir DIR] VERB …: wake the named handles of a running roused.\n", ""},
                {"rouse help resume", 0,
                 "rouse resume NAME: wake again, once for all that was sent\n\n"
                 "  --json                  print JSON\n",
                 ""},
                {"rouse wait --help | grep -c -- '^  --'", 0, "4\n", ""},
                {"rouse send -h x --timeout 5 | head -1", 0,
                 "rouse send NAME…: wake handles; print the number of the wake that covers it\n",
                 ""},
                {"rouse --version | sed 's/[0-9.]*$//'", 0, "rouse \n", ""},
                {"rouse version --json | sed 's/[0-9]//g'", 0,
                 "{\"rouse\":\"..\",\"roused\":null}\n", ""},
                {},
        };

        typed_check_rows(test_dir(), rows);
}

/* Each verb in the synopsis of rouse(1), and each option of it behind the verb. */
static void the_manual_has_every_verb_with_its_options(void) {
        typed_check(
                test_dir(),
                "page=$(sed -n '/^.Sh SYNOPSIS/,/^.Sh DESCRIPTION/p' "
                "\"${ROUSE_SOURCE:-.}/doc/rouse.1\")\n"
                "for verb in $(rouse help | sed -n 's/^  \\([a-z-]*\\) .*/\\1/p'); do\n"
                "    uses=$(echo \"$page\" | awk -v verb=$verb '\n"
                "        /^\\.Cm/ {on = 0; for (i = 2; i <= NF; i++) if ($i == verb) on = 1}\n"
                "        on')\n"
                "    test \"$uses\" || echo \"$verb is missing\"\n"
                "    for option in $(rouse help $verb | sed -n 's/^  --\\([a-z-]*\\).*/\\1/p')\n"
                "    do\n"
                "        test $option = json || echo \"$uses\" | grep -q \"Fl -$option\" ||\n"
                "            echo \"$verb --$option is missing\"\n"
                "    done\n"
                "done",
                0, "", "");
}

static void a_daemon_that_is_not_there_is_told(void) {
        static const struct typed_row rows[] = {
                {"rouse send x", 69, "",
                 "rouse: cannot reach roused at $DIR/poke.sock: " NOT_THERE},
                {"rouse send x y --no-ack", 69, "",
                 "rouse: cannot reach roused at $DIR/poke.sock: " NOT_THERE},
                {"rouse send x --wait", 69, "",
                 "rouse: cannot reach roused at $DIR/control.sock: " NOT_THERE},
                {"rouse wait x", 69, "",
                 "rouse: cannot reach roused at $DIR/control.sock: " NOT_THERE},
                {"rouse watch", 69, "",
                 "rouse: cannot reach roused at $DIR/control.sock: " NOT_THERE},
                {"rouse is-active x", 69, "",
                 "rouse: cannot reach roused at $DIR/control.sock: " NOT_THERE},
                {"ROUSE_DIR=/nonexistent rouse --dir $DIR send x", 69, "",
                 "rouse: cannot reach roused at $DIR/poke.sock: " NOT_THERE},
                {"ROUSE_DIR=/nonexistent rouse list --dir=$DIR", 69, "",
                 "rouse: cannot reach roused at $DIR/control.sock: " NOT_THERE},
                {"XDG_RUNTIME_DIR=$DIR rouse send --dir $DIR/roused x", 69, "",
                 "rouse: cannot reach roused at $DIR/roused/poke.sock: No such file or directory; "
                 "is the service running? (systemctl --user status roused)\n"},
                {"rouse --dir /$(printf %05000d 7) send x 2>&1 | sed 's/0*7$//'", 0,
                 "rouse: the directory's path is too long: /\n", ""},
                {},
        };

        typed_check_rows(test_dir(), rows);
        if (access("/run/roused", F_OK) < 0) /* else there is a real one */
                typed_check(test_dir(), "ROUSE_DIR= XDG_RUNTIME_DIR=$DIR rouse send x", 69, "",
                            "rouse: cannot reach roused at /run/roused/poke.sock: No such file or "
                            "directory; is the service running? (systemctl status roused)\n");
        free(fake_stop(fake_start(test_dir(), NULL, NULL)));
        typed_check(test_dir(), "rouse send x", 69, "",
                    "rouse: cannot reach roused at $DIR/poke.sock: Connection refused; is a daemon "
                    "running there? (roused --dir $DIR)\n");
}

static void sends_print_their_tickets(void) {
        static const struct fake_answer pokes[] = {
                {"good\nbad\nworse", "ok 7\nerror closed\nerror permission_denied\n"},
                {"lost", "error no_such_handle\n"},
                {"denied", "error permission_denied\n"},
                {"closed", "error closed\n"},
                {"late", "error shutting_down\n"},
                {"strange", "mumble\n"},
                {"silent", ""},
                {}};
        static const struct fake_answer calls[] = {
                {"\"list\"", "{\"id\":$ID,\"result\":[{\"name\":\"other\"},{\"name\":\"last\"},"
                             "{\"name\":\"more\"}]}\n"},
                {}};
        static const struct typed_row rows[] = {
                {"rouse send a", 0, "1\n", ""},
                {"rouse send a b", 0, "2\n3\n", ""},
                {"rouse send a --json", 0, "{\"name\":\"a\",\"ticket\":4}\n", ""},
                {"rouse --json send a b", 0,
                 "{\"name\":\"a\",\"ticket\":5}\n{\"name\":\"b\",\"ticket\":6}\n", ""},
                {"rouse send a --no-ack", 0, "", ""},
                {"rouse send --key k1 --key='k 2' a b", 0, "9\n11\n", ""},
                {"rouse send -- a", 0, "12\n", ""},
                {"rouse --json send good bad worse", 5, "{\"name\":\"good\",\"ticket\":7}\n", NULL},
                {"rouse send good bad worse", 5, "7\n-\n-\n",
                 "rouse: the handle is closed: bad\nrouse: permission denied: worse; 'access' in "
                 "the daemon's configuration says who may\n"},
                {"rouse send lost", 4, "", "rouse: no handle is named \"lost\"; last?\n"},
                {"rouse send quite.lost", 4, "",
                 "rouse: no handle is named \"quite.lost\"; 'rouse list' shows them all\n"},
                {"rouse send denied", 5, "",
                 "rouse: permission denied: denied; 'access' in the daemon's configuration says "
                 "who may\n"},
                {"rouse send closed", 1, "", "rouse: the handle is closed: closed\n"},
                {"rouse send late", 69, "", "rouse: roused is shutting down: late\n"},
                {"rouse send 'a b'", 1, "", "rouse: \"a b\" " NO_NAME},
                {"rouse send ''", 1, "", "rouse: \"\" " NO_NAME},
                {"rouse send $(printf %020000d 0) 2>&1 | sed 's/0\\{64\\}/…/'", 0,
                 "rouse: \"…\" " NO_NAME, ""},
                {"rouse send strange", 1, "",
                 "rouse: roused answers in a way that is not understood\n"},
                {"rouse send silent --timeout 20ms", 124, "", "rouse: roused does not answer\n"},
                {"rouse send a b silent --timeout 20ms", 124, "-\n-\n-\n",
                 "rouse: roused does not answer\n"},
                {},
        };
        struct fake *fake = fake_start(test_dir(), pokes, calls);
        char *log;

        typed_check_rows(test_dir(), rows);
        log = fake_stop(fake);
        ck_assert_ptr_nonnull(strstr(log, "a k1\na k 2\nb k1\nb k 2\n"));
        free(log);
}

static void what_cannot_be_printed_is_a_failure(void) {
        static const struct fake_answer calls[] = {{"", "{\"id\":$ID,\"result\":[]}\n"}, {}};
        static const struct typed_row rows[] = {
                {"rouse send a >/dev/full", 1, "",
                 "rouse: cannot write to standard output: No space left on device\n"},
                {"rouse send a >&-", 1, "",
                 "rouse: cannot write to standard output: Bad file descriptor\n"},
                {"rouse help >/dev/full", 1, "",
                 "rouse: cannot write to standard output: No space left on device\n"},
                {"rouse list >/dev/full", 1, "",
                 "rouse: cannot write to standard output: No space left on device\n"},
                {"{ rouse send a; echo $? >&2; } | :", 0, "", NULL},
                {"rouse send a >&- 2>&- <&-", 1, "", ""},
                {},
        };
        struct fake *fake = fake_start(test_dir(), NULL, calls);
        struct typed result;

        typed_check_rows(test_dir(), rows);
        /* The reader is gone for certain before anything is written. */
        result = typed(test_dir(), "mkfifo $DIR/p; : <$DIR/p & exec 3>$DIR/p; wait; rouse send a "
                                   ">&3; echo $?");
        ck_assert_str_eq(result.out, "1\n");
        ck_assert_str_eq(result.err, "rouse: cannot write to standard output: Broken pipe\n");
        typed_deinit(&result);
        /* Had the socket become standard output, the ticket would have been sent as a name. */
        free(fake_stop(fake));
}

static void waiting_prints_the_wake(void) {
        static const struct fake_answer calls[] = {
                {"\"past\"", "{\"id\":$ID,\"result\":{\"seq\":8,\"sends\":null}}\n"},
                {"\"params\":{\"name\":\"a\"}}",
                 "{\"id\":$ID,\"result\":{\"seq\":3,\"sends\":1}}\n"},
                {"\"after\":3}", "{\"id\":$ID,\"result\":{\"seq\":4,\"sends\":2}}\n"},
                {"\"ticket\":9,\"timeout_ms\":1500}",
                 "{\"id\":$ID,\"result\":{\"seq\":9,\"sends\":5}}\n"},
                {"\"timeout_ms\":10}",
                 "{\"id\":$ID,\"error\":{\"code\":-32004,\"message\":\"timed out\"}}\n"},
                {"\"gone\"",
                 "{\"id\":$ID,\"error\":{\"code\":-32005,\"message\":\"closed: gone\"}}\n"},
                {"\"lost\"",
                 "{\"id\":$ID,\"error\":{\"code\":-32001,\"message\":\"lost: lost\"}}\n"},
                {"\"late\"", "{\"id\":$ID,\"error\":{\"code\":-32008,\"message\":\"stopping\"}}\n"},
                {"\"dead\"", NULL},
                {}};
        static const struct typed_row rows[] = {
                {"rouse wait a", 0, "3\n", ""},
                {"rouse wait a --after 3", 0, "4\n", ""},
                {"rouse wait a --json --ticket 9 --timeout 1.5s", 0, "{\"seq\":9,\"sends\":5}\n",
                 ""},
                {"rouse wait past --json --after 3", 0, "{\"seq\":8,\"sends\":null}\n", ""},
                {"rouse wait a --timeout 9500us", 124, "", "rouse: timed out\n"},
                {"rouse wait gone", 1, "", "rouse: closed: gone\n"},
                {"rouse wait lost", 4, "", "rouse: lost: lost\n"},
                {"rouse wait late", 69, "", "rouse: stopping\n"},
                {"rouse wait dead", 69, "", "rouse: roused closed the connection\n"},
                {},
        };
        struct fake *fake = fake_start(test_dir(), NULL, calls);

        typed_check_rows(test_dir(), rows);
        free(fake_stop(fake));
}

/* As many as go over two connections. */
static void a_daemon_that_goes_away_from_many_names_is_told_once(void) {
        static const struct fake_answer calls[] = {{"\"n1024\"", ""}, {"\"n1025\"", NULL}, {}};
        struct fake *fake = fake_start(test_dir(), NULL, NULL);

        typed_check(test_dir(), "rouse send --wait $(seq -f n%g 1025) | sort | uniq -c", 0,
                    "   1025 -\n", "rouse: roused closed the connection\n");
        free(fake_stop(fake));
        fake = fake_start(test_dir(), NULL, calls);
        typed_check(test_dir(), "rouse send --wait --timeout 0 $(seq -f n%g 1025) >/dev/null", 124,
                    "", "rouse: roused does not answer\n");
        free(fake_stop(fake));
}

#define WAKE(name, seq)                                                                            \
        "{\"jsonrpc\":\"2.0\",\"method\":\"wake\",\"params\":{\"name\":\"" name "\",\"seq\":" #seq \
        ",\"sends\":2,\"missed\":1}}\n"

static void watching_prints_a_line_a_wake(void) {
        static const struct fake_answer calls[] = {
                {"[\"*\"]", "{\"id\":$ID,\"result\":true}\n" WAKE("a", 4) WAKE("b", 5)},
                {"[\"x\",\"y*\"]", "{\"id\":$ID,\"result\":true}\n" WAKE("x", 1)},
                {"bad", "{\"id\":$ID,\"error\":{\"code\":-32006,\"message\":\"too many\"}}\n"},
                {}};
        static const struct typed_row rows[] = {
                {"rouse watch | head -2", 0, "a 4 2 1\nb 5 2 1\n", ""},
                {"rouse watch --json x 'y*' | head -1", 0,
                 "{\"name\":\"x\",\"seq\":1,\"sends\":2,\"missed\":1}\n", ""},
                {"rouse watch >/dev/full", 1, "",
                 "rouse: cannot write to standard output: No space left on device\n"},
                {"rouse watch bad", 1, "", "rouse: too many\n"},
                /* The reader is gone before anything is written. */
                {"mkfifo $DIR/p; : <$DIR/p & exec 3>$DIR/p; wait; rouse watch >&3", 0, "", ""},
                /* The signal comes after the second line was printed. The second one is for the
                 * thread sanitizer, which puts a signal off if it comes between two system calls.
                 */
                {"mkfifo $DIR/f; $ROUSE watch >$DIR/f & exec 3<$DIR/f; read x <&3; read y <&3; "
                 "p=$!; kill -INT $p; (sleep 3; kill -INT $p) >/dev/null 2>&1 & wait $p; echo $? $x $y",
                 0, "0 a 4 2 1 b 5 2 1\n", ""},
                {},
        };
        struct fake *fake = fake_start(test_dir(), NULL, calls);

        typed_check_rows(test_dir(), rows);
        free(fake_stop(fake));
}

/* Ends once the other thread has seen its line. */
static void *watch_to_the_end(void *arg) {
        (void)arg;
        typed_check(
                test_dir(),
                "mkfifo $DIR/f; $ROUSE watch >$DIR/f & exec 3<$DIR/f; read x <&3; rouse send y; "
                "wait $!; echo $? $x",
                0, "1\n69 a 1 2 1\n", "rouse: roused closed the connection\n");
        return NULL;
}

static void a_watch_ends_with_the_daemon(void) {
        static const struct fake_answer calls[] = {
                {"subscribe", "{\"id\":$ID,\"result\":true}\n" WAKE("a", 1)}, {}};
        struct fake *fake = fake_start(test_dir(), NULL, calls);
        pthread_t thread;

        ck_assert_int_eq(pthread_create(&thread, NULL, watch_to_the_end, NULL), 0);
        ck_assert(test_until(fake_was_poked, fake, test_slow_ms(20000)));
        free(fake_stop(fake));
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

static void questions_are_answered_by_the_exit_code(void) {
        static const struct fake_answer calls[] = {
                {"is_active\",\"params\":{\"name\":\"yes\"}", "{\"id\":$ID,\"result\":true}\n"},
                {"has_ref\",\"params\":{\"name\":\"yes\"}", "{\"id\":$ID,\"result\":true}\n"},
                {"\"name\":\"no\"", "{\"id\":$ID,\"result\":false}\n"},
                {"", "{\"id\":$ID,\"error\":{\"code\":-32001,\"message\":\"what?\"}}\n"},
                {}};
        static const struct typed_row rows[] = {
                {"rouse is-active yes", 0, "true\n", ""},
                {"rouse is-active no", 3, "false\n", ""},
                {"rouse is-active --json no", 3, "false\n", ""},
                {"rouse is-active x", 4, "", "rouse: what?\n"},
                {"rouse has-ref yes", 0, "true\n", ""},
                {"rouse has-ref no", 3, "false\n", ""},
                {},
        };
        struct fake *fake = fake_start(test_dir(), NULL, calls);

        typed_check_rows(test_dir(), rows);
        free(fake_stop(fake));
}

static void messages_cannot_play_with_the_terminal(void) {
        static const struct fake_answer calls[] = {
                {"",
                 "{\"id\":$ID,\"error\":{\"code\":5,\"message\":\"a\\u001b[2Jb\",\"data\":7}}\n"},
                {}};
        struct fake *fake = fake_start(test_dir(), NULL, calls);

        typed_check(test_dir(), "rouse call x", 1, "", "rouse: a?[2Jb\nrouse: 7\n");
        free(fake_stop(fake));
}

static void a_socket_that_may_not_be_opened_names_the_group(void) {
        struct fake *fake;
        const char *poke = test_path("poke.sock");

        if (!test_is_root())
                return;
        fake = fake_start(test_dir(), NULL, NULL);
        ck_assert_int_eq(chmod(test_dir(), 0755), 0);
        ck_assert_int_eq(chmod(poke, 0660), 0);
        ck_assert_int_eq(chown(poke, 0, 1), 0);
        typed_check(test_dir(), "setpriv --reuid 65534 --regid 65534 --clear-groups $ROUSE send x",
                    5, "",
                    "rouse: cannot reach roused at $DIR/poke.sock: Permission denied; members of "
                    "group daemon may: usermod -aG daemon USER, and log in again\n");
        ck_assert_int_eq(chmod(poke, 0600), 0);
        typed_check(test_dir(), "setpriv --reuid 65534 --regid 65534 --clear-groups $ROUSE send x",
                    5, "",
                    "rouse: cannot reach roused at $DIR/poke.sock: Permission denied; the daemon's "
                    "owner may\n");
        free(fake_stop(fake));
}

static void check_runs_roused(void) {
        const char *bin = test_path("bin");

        ck_assert_int_eq(mkdir(bin, 0755), 0);
        test_write_file(test_path("bin/roused"), "#!/bin/sh\necho \"$@\"; exit 7\n");
        ck_assert_int_eq(chmod(test_path("bin/roused"), 0755), 0);
        typed_check(test_dir(), "cp $ROUSE $DIR/bin/rouse; $DIR/bin/rouse check 'a b'", 7,
                    "--check -- a b\n", "");
        typed_check(test_dir(),
                    "mkdir $DIR/alone; cp $ROUSE $DIR/alone; PATH=$DIR/bin:$PATH "
                    "$DIR/alone/rouse check x",
                    7, "--check -- x\n", "");
        typed_check(test_dir(), "$DIR/bin/rouse check -- --version", 7, "--check -- --version\n",
                    "");
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(a_wrong_command_line_says_what_is_right),
                TEST(help_needs_no_daemon),
                TEST(the_manual_has_every_verb_with_its_options),
                TEST(a_daemon_that_is_not_there_is_told),
                TEST(sends_print_their_tickets),
                TEST(what_cannot_be_printed_is_a_failure),
                TEST(waiting_prints_the_wake),
                TEST(a_daemon_that_goes_away_from_many_names_is_told_once),
                TEST(watching_prints_a_line_a_wake),
                TEST(a_watch_ends_with_the_daemon),
                TEST(questions_are_answered_by_the_exit_code),
                TEST(messages_cannot_play_with_the_terminal),
                TEST(a_socket_that_may_not_be_opened_names_the_group),
                TEST(check_runs_roused),
                {},
        };

        return test_main("rouse", tests, argc, argv);
}
