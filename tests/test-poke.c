/* poke.sock as it is spoken: every answer, and what senders do wrong. */

#include "tests/harness.h"
#include "tests/support.h"
#include "tests/unix-socket.h"

#include <errno.h>
#include <linux/sockios.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char config[] = "handles:\n"
                             "  a: {}\n"
                             "  b: {}\n"
                             "  open: {access: {send: ['*']}}\n"
                             "  count:\n"
                             "    run: [sh, -c, 'echo $ROUSE_SENDS >>$ROUSE_DIR/count']\n"
                             "access: {send: []}\n";

/* Of the numbers that the runs of "count" wrote, a line each. */
static unsigned long long sum_of_counts(void) {
        char *lines = test_read_file(test_path("d/count"));
        unsigned long long sum = 0;

        ck_assert_ptr_nonnull(lines);
        for (char *line = lines; *line; line = strchr(line, '\n') + 1)
                sum += strtoull(line, NULL, 10);
        free(lines);
        return sum;
}

/* Tickets depend on how far the loop came in between. */
static void blur_tickets(char *answer) {
        char *to = answer;

        for (; *answer; answer++)
                if (*answer < '0' || *answer > '9')
                        *to++ = *answer;
                else if (to[-1] != '#')
                        *to++ = '#';
        *to = '\0';
}

static void each_line_has_its_answer(void) {
        static const struct {
                const char *text, *answer;
        } cases[] = {
                {"a", "ok #\n"},
                {"a\n", "ok #\n"},
                {"a\r\n", "ok #\n"},
                {"a some key", "ok #\n"},
                {"a ", "ok #\n"},
                {"b\nb\nb\n", "ok #\nok #\nok #\n"},
                {"c", "error no_such_handle\n"},
                {"", ""},
                {"\n\n", ""},
                {" a", "error bad_name\n"},
                {"-a", "error bad_name\n"},
                {"a\tb", "error bad_name\n"},
                {"\xff\xfe", "error bad_name\n"},
                {"a\nno\nb\n", "ok #\nerror no_such_handle\nok #\n"},
        };
        struct roused roused;

        roused_start(&roused, "d", config);
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                char *answer;

                if (!*cases[i].answer) {
                        roused_poke_quietly(&roused, cases[i].text);
                        continue;
                }
                answer = roused_poke(&roused, cases[i].text);
                blur_tickets(answer);
                ck_assert_str_eq(answer, cases[i].answer);
                free(answer);
        }
        roused_stop(&roused);
}

static void a_nul_belongs_to_no_line(void) {
        static const char text[] = "a\0\na\0 key\na ke\0y\na \0\na key\0\r\n\0\nc ke\0y\na key";
        static const char expected[] = "error bad_name\nerror bad_name\nerror bad_key\n"
                                       "error bad_key\nerror bad_key\nerror bad_name\n"
                                       "error no_such_handle\nok #\n";
        struct sockaddr_un address;
        char answer[512];
        struct roused roused;
        ssize_t n;
        int fd;

        roused_start(&roused, "d", config);
        fd = unix_bound(test_path("own"), SOCK_DGRAM);
        ck_assert_int_ge(fd, 0);
        address = unix_address(test_path("d/poke.sock"));
        ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(send(fd, text, sizeof(text) - 1, 0), (ssize_t)sizeof(text) - 1);
        n = recv(fd, answer, sizeof(answer) - 1, 0);
        ck_assert_int_gt(n, 0);
        answer[n] = '\0';
        blur_tickets(answer);
        ck_assert_str_eq(answer, expected);
        close(fd);
        roused_stop(&roused);
}

static void names_are_bounded(void) {
        char long_name[300];
        struct roused roused;
        char *answer;

        memset(long_name, 'x', sizeof(long_name));
        roused_start(&roused, "d", config);
        long_name[255] = '\0';
        answer = roused_poke(&roused, long_name);
        ck_assert_str_eq(answer, "error no_such_handle\n");
        free(answer);
        long_name[255] = 'x';
        long_name[256] = '\0';
        answer = roused_poke(&roused, long_name);
        ck_assert_str_eq(answer, "error bad_name\n");
        free(answer);
        roused_stop(&roused);
}

static void a_datagram_with_many_names_counts_each(void) {
        enum { N = 20000 };
        static char text[N * 6 + 1];
        struct roused roused;
        char *answer;

        for (size_t i = 0; i < N; i++)
                memcpy(text + i * 6, "count\n", 7);
        roused_start(&roused, "d", config);
        answer = roused_poke(&roused, text);
        ck_assert_uint_eq(count_lines(answer), N);
        ck_assert_int_eq(strncmp(answer, "ok 1\n", 5), 0);
        free(answer);
        roused_stop(&roused);
        ck_assert_uint_eq(sum_of_counts(), N);
}

/* Lines count as long as there is room to say so. */
static void what_cannot_be_answered_is_not_taken(void) {
        enum { N = 100000 };
        static char text[2 * N + 1];
        struct roused roused;
        char *answer, wanted[64];
        unsigned int n;

        for (size_t i = 0; i < N; i++)
                memcpy(text + 2 * i, "b\n", 3);
        roused_start(&roused, "d", config);
        answer = roused_poke(&roused, text);
        n = count_lines(answer) - 1;
        ck_assert_uint_gt(n, 20000);
        ck_assert_uint_lt(n, N);
        ck_assert_str_eq(answer + strlen(answer) - strlen("error too_long\n"), "error too_long\n");
        ck_assert_ptr_eq(strstr(answer, "error"),
                         answer + strlen(answer) - strlen("error too_long\n"));
        free(answer);
        snprintf(wanted, sizeof(wanted), "\"sends\":%u,", n);
        answer = roused_call(&roused, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"stats\","
                                      "\"params\":{\"name\":\"b\"}}\n");
        ck_assert_msg(strstr(answer, wanted) != NULL, "no %s: %s", wanted, answer);
        free(answer);
        roused_stop(&roused);
}

static void what_has_no_address_gets_no_answer_and_counts(void) {
        struct roused roused;
        char *lines;

        roused_start(&roused, "d", config);
        roused_poke_quietly(&roused, "count");
        lines = roused_expect_lines(&roused, "count", 1);
        ck_assert_str_eq(lines, "1\n");
        free(lines);
        roused_stop(&roused);
}

static void pokes_in_numbers_all_count(void) {
        struct roused roused;
        int fd;

        roused_start(&roused, "d", config);
        fd = unix_connect(test_path("d/poke.sock"), SOCK_DGRAM);
        for (int i = 0; i < 1000; i++) {
                /* Singly, then in numbers, and now and then with an answer in between. */
                ck_assert_int_eq(send(fd, "count\na", 7, 0), 7);
                if (i < 50 || i % 100 == 0) {
                        char *answer = roused_poke(&roused, "count");

                        ck_assert_int_eq(strncmp(answer, "ok ", 3), 0);
                        free(answer);
                }
        }
        close(fd);
        roused_stop(&roused);
        ck_assert_uint_eq(sum_of_counts(), 1000 + 50 + 9);
}

static void a_sender_that_reads_no_answers_harms_nobody(void) {
        struct roused roused;
        struct sockaddr_un address;
        char *answer;
        int fd;

        roused_start(&roused, "d", config);
        address = unix_address(test_path("d/poke.sock"));
        /* It is not connected: to one that is, the kernel would let through all answers. */
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(fd, &(struct sockaddr){.sa_family = AF_UNIX}, sizeof(sa_family_t)),
                         0);
        for (int i = 0; i < 5000; i++)
                ck_assert_int_eq(
                        sendto(fd, "count", 5, 0, (struct sockaddr *)&address, sizeof(address)), 5);
        ck_assert_uint_ge(roused_send(&roused, "a"), 1);
        /* What it did not read is counted, and each of its sends is, too. */
        answer = roused_call(&roused, "{\"jsonrpc\":\"2.0\",\"method\":\"stats\",\"id\":1}");
        ck_assert_ptr_nonnull(
                strstr(answer, "\"poke\":{\"datagrams\":5001,\"sends\":5001,\"errors\":0,"));
        ck_assert_ptr_nonnull(strstr(answer, "\"replies_lost\":"));
        ck_assert_ptr_null(strstr(answer, "\"replies_lost\":0"));
        free(answer);
        close(fd);
        roused_stop(&roused);
}

/* With an address, so that it is answered; and the kernel lets all answers through to it. */
static int connect_for_answers(const struct roused *roused) {
        char path[4096];
        int fd;

        snprintf(path, sizeof(path), "%s/poke.sock", roused->dir);
        fd = unix_connect(path, SOCK_DGRAM);
        ck_assert_int_eq(bind(fd, &(struct sockaddr){.sa_family = AF_UNIX}, sizeof(sa_family_t)),
                         0);
        return fd;
}

static void others_are_answered(const struct roused *roused) {
        for (int i = 0; i < 100; i++)
                ck_assert_uint_ge(roused_send(roused, "a"), 1);
}

static void a_connected_sender_that_reads_no_answers_harms_nobody(void) {
        struct roused roused;
        int fd;

        roused_start(&roused, "d", config);
        fd = connect_for_answers(&roused);
        for (int i = 0; i < 40000; i++)
                ck_assert_int_eq(send(fd, "nope", 4, 0), 4);
        others_are_answered(&roused);
        roused_expect_log(&roused, "does not read its answers");
        close(fd);
        roused_stop(&roused);
}

/* Or the kernel does not let them in. */
static void descriptors_that_come_along_are_closed(void) {
        struct roused roused;
        int pipe_fds[2], fd, r;
        char byte;

        roused_start(&roused, "d", config);
        ck_assert_int_eq(pipe(pipe_fds), 0);
        fd = unix_connect(test_path("d/poke.sock"), SOCK_DGRAM);
        r = unix_send_with(fd, "a", SCM_RIGHTS, &pipe_fds[1], sizeof(int));
        ck_assert(r == 1 || r == -EPERM);
        close(fd);
        close(pipe_fds[1]);
        /* The end comes when nobody holds the other side any more. */
        ck_assert_int_eq(read(pipe_fds[0], &byte, 1), 0);
        close(pipe_fds[0]);
        roused_stop(&roused);
}

/* Sends as another user; the answer's first bytes. */
static void send_as_nobody(const struct roused *roused, const char *name, char answer[64]) {
        struct passwd *nobody = getpwnam("nobody");
        int fds[2];
        pid_t pid;
        ssize_t n;

        ck_assert_ptr_nonnull(nobody);
        ck_assert_int_eq(pipe(fds), 0);
        pid = fork();
        if (pid == 0) {
                char *text;

                if (setgid(nobody->pw_gid) < 0 || setuid(nobody->pw_uid) < 0)
                        _exit(1);
                text = roused_poke(roused, name);
                _exit(write(fds[1], text, strlen(text)) < 0);
        }
        close(fds[1]);
        n = read(fds[0], answer, 63);
        ck_assert_int_gt(n, 0);
        answer[n] = '\0';
        close(fds[0]);
        waitpid(pid, NULL, 0);
}

/* The file of its socket lets everybody in. False: nobody can become somebody else here. */
static bool start_for_everybody(struct roused *roused, const char *text) {
        char path[4096];

        if (!test_is_root())
                return false;
        roused_start(roused, "d", text);
        chmod(test_dir(), 0755);
        snprintf(path, sizeof(path), "%s/poke.sock", roused->dir);
        chmod(path, 0666);
        return true;
}

static void who_may_not_send_is_refused(void) {
        struct roused roused;
        char answer[64];

        if (!start_for_everybody(&roused, config))
                return;
        send_as_nobody(&roused, "a", answer);
        ck_assert_str_eq(answer, "error permission_denied\n");
        send_as_nobody(&roused, "open", answer);
        ck_assert_str_eq(answer, "ok 1\n");
        send_as_nobody(&roused, "none", answer);
        ck_assert_str_eq(answer, "error no_such_handle\n");
        roused_stop(&roused);
}

/* Where everybody may send, nobody is asked who he is; a reload begins and ends that. */
static void a_reload_changes_who_may_send(void) {
        static const struct {
                const char *config, *answer;
        } steps[] = {
                {"handles: {a: {}}\naccess: {send: '*'}\n", "ok #\n"},
                {"handles: {a: {}}\naccess: {send: []}\n", "error permission_denied\n"},
                {"handles: {a: {}}\naccess: {send: ['*']}\n", "ok #\n"},
                {"handles: {a: {access: {send: []}}, b: {}}\naccess: {send: '*'}\n",
                 "error permission_denied\n"},
                {"handles: {a: {access: {send: '*'}}, b: {}}\n", "ok #\n"},
                {"handles: {a: {}}\naccess: {admin: '*', send: []}\n", "ok #\n"},
        };
        struct roused roused;
        char answer[64];

        if (!start_for_everybody(&roused, steps[0].config))
                return;
        for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
                if (i > 0)
                        roused_reload(&roused, steps[i].config);
                send_as_nobody(&roused, "a", answer);
                blur_tickets(answer);
                ck_assert_str_eq(answer, steps[i].answer);
        }
        roused_stop(&roused);
}

/* Those were sent when everybody might, and no credentials came with them. */
static void what_was_sent_before_a_reload_counts(void) {
        enum { N = 8 };
        struct roused roused;
        char *answer;

        roused_start(&roused, "d", "handles: {a: {}}\naccess: {send: '*'}\n");
        roused_freeze(&roused);
        for (int i = 0; i < N; i++)
                roused_poke_quietly(&roused, "a");
        roused_write_config(&roused, "handles: {a: {}}\naccess: {send: []}\n");
        ck_assert_int_eq(kill(roused.pid, SIGHUP), 0);
        roused_thaw(&roused);
        roused_expect_log(&roused, "reloaded");
        answer = roused_call(&roused, "{\"jsonrpc\":\"2.0\",\"method\":\"stats\",\"id\":1}");
        ck_assert_ptr_nonnull(
                strstr(answer, "\"poke\":{\"datagrams\":8,\"sends\":8,\"errors\":0,"));
        free(answer);
        roused_stop(&roused);
}

/* Root may say that he is somebody else. */
static void send_as(int fd, uid_t uid, const char *text) {
        struct ucred ucred = {.pid = getpid(), .uid = uid, .gid = uid};

        ck_assert_int_eq(unix_send_with(fd, text, SCM_CREDENTIALS, &ucred, sizeof(ucred)),
                         (int)strlen(text));
}

static bool nothing_is_left(void *arg) {
        int n_left;

        return ioctl(*(int *)arg, SIOCOUTQ, &n_left) == 0 && n_left == 0;
}

/* The daemon keeps what it knows of 16 senders; here the 17th is root and comes at once with the
 * first, whose place he takes. */
static void a_crowd_of_senders_keeps_each_ones_rights(void) {
        enum { STRANGER = 70000, N_KNOWN = 16 };
        struct roused roused;
        char *answer;
        int fd;

        if (!start_for_everybody(&roused, config))
                return;
        fd = unix_connect(test_path("d/poke.sock"), SOCK_DGRAM);
        for (uid_t i = 0; i < N_KNOWN; i++)
                send_as(fd, STRANGER + i, "a");
        ck_assert(test_until(nothing_is_left, &fd, test_slow_ms(5000)));
        roused_freeze(&roused);
        send_as(fd, STRANGER, "a");
        send_as(fd, 0, "a");
        roused_thaw(&roused);
        ck_assert(test_until(nothing_is_left, &fd, test_slow_ms(5000)));
        answer = roused_call(&roused, "{\"jsonrpc\":\"2.0\",\"method\":\"stats\",\"id\":1}");
        ck_assert_ptr_nonnull(
                strstr(answer, "\"poke\":{\"datagrams\":18,\"sends\":1,\"errors\":17,"));
        free(answer);
        close(fd);
        roused_stop(&roused);
}

/* Each has an address of its own, and leaves few answers unread. */
static void a_user_with_many_sockets_harms_no_other(void) {
        enum { STRANGER = 70000, N_SOCKETS = 400 };
        struct roused roused;
        int fds[N_SOCKETS];

        if (!start_for_everybody(&roused, config))
                return;
        for (int i = 0; i < N_SOCKETS; i++)
                fds[i] = connect_for_answers(&roused);
        for (int i = 0; i < 40000; i++)
                send_as(fds[i % N_SOCKETS], STRANGER, "a");
        others_are_answered(&roused);
        roused_expect_log(&roused, "of user 70000 does not read its answers");
        for (int i = 0; i < N_SOCKETS; i++)
                close(fds[i]);
        others_are_answered(&roused);
        roused_stop(&roused);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(each_line_has_its_answer),
                TEST(a_nul_belongs_to_no_line),
                TEST(names_are_bounded),
                TEST(a_datagram_with_many_names_counts_each),
                TEST(what_cannot_be_answered_is_not_taken),
                TEST(what_has_no_address_gets_no_answer_and_counts),
                TEST(pokes_in_numbers_all_count),
                TEST(a_sender_that_reads_no_answers_harms_nobody),
                TEST(a_connected_sender_that_reads_no_answers_harms_nobody),
                TEST(descriptors_that_come_along_are_closed),
                TEST(who_may_not_send_is_refused),
                TEST(a_crowd_of_senders_keeps_each_ones_rights),
                TEST(a_user_with_many_sockets_harms_no_other),
                TEST(a_reload_changes_who_may_send),
                TEST(what_was_sent_before_a_reload_counts),
                {0},
        };

        return test_main("poke", tests, argc, argv);
}
