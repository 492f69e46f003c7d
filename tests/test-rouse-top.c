/* rouse top: what it asks, what it shows on a terminal and elsewhere, and how it ends. */

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "tests/fake-roused.h"
#include "tests/harness.h"
#include "tests/support.h"
#include "tests/typed.h"

#define CLEAR "\033[H\033[J"
#define HANDLE \
        "{\"name\":\"a\",\"state\":\"idle\",\"pending\":0,\"seq\":5,\"description\":\"A\\u001bc\"}"
#define LISTED "{\"id\":$ID,\"result\":[" HANDLE "]}]\n"
#define STATS \
        "{\"uptime_ms\":4000,\"handles\":3,\"sends\":7,\"runs_failed\":0,\"control\":{\"clients\":1}}"
#define ANSWER     "[{\"id\":$ID,\"result\":" STATS "}," LISTED
#define REFUSAL(n) "{\"id\":$ID,\"error\":{\"code\":" #n ",\"message\":\"Not you\"}}"

#define TOTALS "roused: up 4s, 3 handles, 1 client, 0 failed runs\n"
#define TABLE(rate)                                         \
        "1 handle listed: 1 idle\n\n"                       \
        "NAME  STATE  PENDING  SEQ  WAKES/S  DESCRIPTION\n" \
        "a     idle   0        5    " rate "        A?c\n"
#define FIRST  TOTALS "per second: - sends, - wakes, - runs\n" TABLE("-")
#define SECOND TOTALS "per second: 0 sends, 0 wakes, 0 runs\n" TABLE("0")

static void each_picture_is_one_request(void) {
        static const struct fake_answer calls[] = {{"", ANSWER}, {}};
        struct fake *fake = fake_start(test_dir(), NULL, calls);
        char *log;

        typed_check(test_dir(), "rouse top", 0, FIRST, "");
        typed_check(test_dir(), "rouse top --count 2 --interval 1ms", 0, FIRST "\n" SECOND, "");
        typed_check(test_dir(), "rouse top 'a*' --json", 0,
                    "{\"stats\":" STATS ",\"sends_per_s\":null,\"wakes_per_s\":null,"
                    "\"runs_per_s\":null,\"handles\":[{\"name\":\"a\",\"state\":\"idle\","
                    "\"pending\":0,\"seq\":5,\"description\":\"A\\u001bc\",\"wakes_per_s\":null}]}"
                    "\n",
                    "");
        typed_check(test_dir(), "rouse top --json --count 3 --interval 1ms | wc -l", 0, "3\n", "");
        log = fake_stop(fake);
        ck_assert_uint_eq(count_lines(log), 1 + 2 + 1 + 3);
        ck_assert_ptr_nonnull(strstr(log, "\"method\":\"list\"}]\n"));
        ck_assert_ptr_nonnull(strstr(log, "\"params\":{\"pattern\":\"a*\"}}]\n"));
        free(log);
}

static void a_wrong_command_line_is_told(void) {
        static const struct typed_row rows[] = {
                {"rouse top --interval 0", 2, "", "rouse: --interval 0 is no time to wait\n"},
                {"rouse top --interval x", 2, "", NULL},
                {"rouse top --count 0", 2, "", "rouse: --count needs one picture at least\n"},
                {"rouse top --count many", 2, "", "rouse: --count needs a number, not 'many'\n"},
                {},
        };

        typed_check_rows(test_dir(), rows);
}

static void what_the_daemon_refuses_is_told(void) {
        static const struct fake_answer calls[] = {
                {"\"many\"", "[{\"id\":$ID,\"result\":" STATS "}," REFUSAL(-32006) "]\n"},
                {"\"end\"", "[" REFUSAL(-32008) "," LISTED},
                {"\"crowd\"",
                 "{\"id\":null,\"error\":{\"code\":-32006,\"message\":\"Too many\"}}\n"},
                {"", "[" REFUSAL(-32003) "," LISTED},
                {}};
        static const struct typed_row rows[] = {
                {"rouse top", 0, "roused: Not you\n" TABLE("-"), ""},
                {"rouse top many", 1, "",
                 "rouse: not you\nrouse: a pattern of names asks for less: rouse top PATTERN\n"},
                {"rouse top end", 69, "", "rouse: not you\n"},
                {"rouse top crowd", 1, "", "rouse: too many\n"},
                {},
        };
        struct fake *fake = fake_start(test_dir(), NULL, calls);

        typed_check_rows(test_dir(), rows);
        free(fake_stop(fake));
}

static void it_ends_with_the_daemon_its_reader_or_a_signal(void) {
        static const struct fake_answer calls[] = {{"\"id\":3,", NULL}, {"", ANSWER}, {}};
        static const struct typed_row rows[] = {
                {"rouse top --count 9 --interval 1ms", 69, FIRST,
                 "rouse: roused closed the connection\n"},
                {"mkfifo $DIR/p; : <$DIR/p & exec 3>$DIR/p; wait; rouse top --count 9 >&3", 0, "",
                 ""},
                {"rouse top --count 9 --interval 1h | head -1", 0, TOTALS, ""},
                {"rouse top >/dev/full", 1, "",
                 "rouse: cannot write to standard output: No space left on device\n"},
                /* The second signal is for the thread sanitizer, which puts the first one off. */
                {"mkfifo $DIR/f; $ROUSE top --count 9 --interval 1h >$DIR/f & exec 4<$DIR/f; "
                 "read x <&4; p=$!; kill -INT $p; (sleep 3; kill -INT $p) >/dev/null 2>&1 & "
                 "wait $p; echo $?",
                 0, "0\n", ""},
                {},
        };
        struct fake *fake = fake_start(test_dir(), NULL, calls);

        typed_check_rows(test_dir(), rows);
        free(fake_stop(fake));
        typed_check(test_dir(), "rouse top", 69, "", NULL);
}

struct terminal {
        int fd;
        pid_t pid;
        char text[65536];
        size_t n;
};

static void set_size(const struct terminal *terminal, unsigned short n_rows,
                     unsigned short n_columns) {
        struct winsize size = {.ws_row = n_rows, .ws_col = n_columns};

        ck_assert_int_eq(ioctl(terminal->fd, TIOCSWINSZ, &size), 0);
}

/* Starts `rouse top` on a terminal of this size, which changes no bytes. */
static void start(struct terminal *terminal, unsigned short n_rows, unsigned short n_columns,
                  const char *interval) {
        posix_spawn_file_actions_t actions;
        struct termios modes;
        int fd;

        terminal->n = 0;
        terminal->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        ck_assert_int_ge(terminal->fd, 0);
        ck_assert(grantpt(terminal->fd) == 0 && unlockpt(terminal->fd) == 0);
        fd = open(ptsname(terminal->fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(tcgetattr(fd, &modes), 0);
        cfmakeraw(&modes);
        ck_assert_int_eq(tcsetattr(fd, TCSANOW, &modes), 0);
        set_size(terminal, n_rows, n_columns);
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
        ck_assert_int_eq(posix_spawn(&terminal->pid, typed_rouse(), &actions, NULL,
                                     (char *[]){"rouse", "--dir", (char *)test_dir(), "top",
                                                "--interval", (char *)interval, NULL},
                                     environ),
                         0);
        posix_spawn_file_actions_destroy(&actions);
        close(fd);
}

/* Reads until the text is there; what stands before its end is forgotten then. */
static void expect(struct terminal *terminal, const char *text) {
        uint64_t deadline_ns = deadline_in_ms(test_slow_ms(20000));
        char *at;

        for (;;) {
                ssize_t n;

                terminal->text[terminal->n] = '\0';
                at = strstr(terminal->text, text);
                if (at)
                        break;
                ck_assert_msg(rouse__deadline_poll(deadline_ns, terminal->fd, POLLIN, -1) == 1,
                              "%s\nis not in:\n%s", text, terminal->text);
                n = read(terminal->fd, terminal->text + terminal->n,
                         sizeof(terminal->text) - 1 - terminal->n);
                ck_assert_int_gt(n, 0);
                terminal->n += (size_t)n;
        }
        at += strlen(text);
        terminal->n -= (size_t)(at - terminal->text);
        memmove(terminal->text, at, terminal->n);
}

static void end(struct terminal *terminal, int signal_number) {
        int status;

        kill(terminal->pid, signal_number);
        ck_assert_int_eq(waitpid(terminal->pid, &status, 0), terminal->pid);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        close(terminal->fd);
}

static void on_a_terminal_each_picture_covers_the_one_before(void) {
        static const struct fake_answer calls[] = {{"", ANSWER}, {}};
        struct fake *fake = fake_start(test_dir(), NULL, calls);
        static struct terminal terminal;

        start(&terminal, 7, 60, "1ms");
        expect(&terminal, CLEAR FIRST CLEAR SECOND CLEAR SECOND);
        end(&terminal, SIGTERM);
        free(fake_stop(fake));
}

static void a_terminal_of_another_size_is_drawn_anew_at_once(void) {
        static const struct fake_answer calls[] = {{"", ANSWER}, {}};
        struct fake *fake = fake_start(test_dir(), NULL, calls);
        static struct terminal terminal;
        char *log;

        start(&terminal, 7, 60, "1h");
        expect(&terminal, CLEAR FIRST);
        set_size(&terminal, 6, 20);
        kill(terminal.pid, SIGWINCH);
        expect(&terminal, CLEAR "roused: up 4s, 3 ha…\n"
                                "per second: - sends…\n"
                                "1 handle listed: 1 …\n"
                                "\n"
                                "NAME  STATE  PENDING\n");
        set_size(&terminal, 0, 0);
        kill(terminal.pid, SIGWINCH);
        expect(&terminal, CLEAR FIRST);
        end(&terminal, SIGINT);
        log = fake_stop(fake);
        ck_assert_uint_eq(count_lines(log), 1);
        free(log);
}

/* "held" says something, and the others do not; "secret" only to its own. */
static const char configuration[] =
        "access: {read: []}\n"
        "handles:\n"
        "  bare: {access: {read: ['*']}}\n"
        "  other: {access: {read: ['*']}}\n"
        "  held: {description: Waits, quiet: 1h, access: {read: ['*']}}\n"
        "  secret: {}\n";

static void a_real_daemon_is_looked_at(void) {
#define TITLES "NAME    STATE  PENDING  SEQ  WAKES/S  DESCRIPTION\n"
        static const struct typed_row rows[] = {
                {"rouse send other --wait && rouse send held held", 0, "1\n1\n1\n", ""},
                {"rouse top | sed 's/up [^,]*/up …/; s/[0-9]* client[s]*/… clients/'", 0,
                 "roused: up …, 4 handles, … clients, 0 failed runs\n"
                 "per second: - sends, - wakes, - runs\n"
                 "4 handles listed: 1 quiet, 3 idle\n"
                 "\n" TITLES "held    quiet  2        0    -        Waits\n"
                 "bare    idle   0        0    -\n"
                 "other   idle   0        1    -\n"
                 "secret  idle   0        0    -\n",
                 ""},
                {"rouse top '[bs]*' --count 2 --interval 1ms | tail -5", 0,
                 "2 handles listed: 2 idle\n"
                 "\n" TITLES "bare    idle   0        0    0\n"
                 "secret  idle   0        0    0\n",
                 ""},
                {"rouse top nobody | tail -1", 0,
                 "NAME  STATE  PENDING  SEQ  WAKES/S  DESCRIPTION\n", ""},
                /* The send comes behind the first picture, and before the second one. */
                {"mkfifo $DIR/f; rouse top bare --json --count 2 --interval 2s >$DIR/f & "
                 "exec 3<$DIR/f; read x <&3; rouse send bare; read x <&3; echo $x | "
                 "grep -o '[a-z]*_per_s\":0\\.[1-9]' | tr -d '\"0-9' | sort; wait",
                 0, "1\nsends_per_s:.\nwakes_per_s:.\nwakes_per_s:.\n", ""},
                {},
        };
        struct roused roused;

        roused_start(&roused, "d", configuration);
        typed_check_rows(roused.dir, rows);
        roused_stop(&roused);
}

static void who_may_not_read_all_sees_the_rest(void) {
        struct roused roused;

        if (!test_is_root())
                return;
        roused_start(&roused, "d", configuration);
        ck_assert_int_eq(chmod(test_dir(), 0755), 0);
        ck_assert_int_eq(chmod(test_path("d/control.sock"), 0666), 0);
        typed_check(roused.dir,
                    "setpriv --reuid 65534 --regid 65534 --clear-groups $ROUSE top | grep -v held",
                    0,
                    "roused: Permission denied: stats needs the right to read\n"
                    "3 handles listed: 3 idle\n"
                    "\n"
                    "NAME   STATE  PENDING  SEQ  WAKES/S  DESCRIPTION\n"
                    "bare   idle   0        0    -\n"
                    "other  idle   0        0    -\n",
                    "");
        roused_stop(&roused);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(each_picture_is_one_request),
                TEST(a_wrong_command_line_is_told),
                TEST(what_the_daemon_refuses_is_told),
                TEST(it_ends_with_the_daemon_its_reader_or_a_signal),
                TEST(on_a_terminal_each_picture_covers_the_one_before),
                TEST(a_terminal_of_another_size_is_drawn_anew_at_once),
                TEST(a_real_daemon_is_looked_at),
                TEST(who_may_not_read_all_sees_the_rest),
                {},
        };

        return test_main("rouse-top", tests, argc, argv);
}
