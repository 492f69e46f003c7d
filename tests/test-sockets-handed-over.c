/* The sockets that a service manager opened, and what it hands over that is none of them. */

#include "daemon/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "tests/harness.h"
#include "tests/support.h"
#include "tests/unix-socket.h"

/* What a service manager does: the descriptors are 3 and up, and the environment says so. In a
 * process of its own, as check has descriptors there too. */
static void hand_over(const int *fds, int n_fds, const char *names) {
        char number[16];
        int copies[8];

        for (int i = 0; i < n_fds; i++)
                copies[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 64);
        for (int i = 0; i < n_fds; i++)
                dup2(copies[i], 3 + i);
        snprintf(number, sizeof(number), "%ld", (long)getpid());
        setenv("LISTEN_PID", number, 1);
        snprintf(number, sizeof(number), "%d", n_fds);
        setenv("LISTEN_FDS", number, 1);
        setenv("LISTEN_FDNAMES", names, 1);
}

/* Returns the exit status of `judge`. */
static int with_handed_over(const int *fds, int n_fds, const char *names,
                            int (*judge)(int r, struct sockets *sockets)) {
        int status;
        pid_t pid;

        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                struct sockets sockets = SOCKETS_NULL;
                char *message = NULL;

                hand_over(fds, n_fds, names);
                status = sockets_open(test_dir(), &sockets, &message);
                status = judge(status, &sockets);
                sockets_close(&sockets);
                free(message);
                _exit(status);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static int judge_adopted(int r, struct sockets *sockets) {
        int on = 0;
        socklen_t n_on = sizeof(on);

        if (r != 0)
                return 1;
        if (sockets->poke_fd < 3 || sockets->poke_fd > 4 || sockets->control_fd < 3 ||
            sockets->control_fd > 4)
                return 2;
        if (getsockopt(sockets->poke_fd, SOL_SOCKET, SO_PASSCRED, &on, &n_on) < 0 || !on)
                return 3;
        for (int fd = 3; fd <= 4; fd++) {
                if (!(fcntl(fd, F_GETFD) & FD_CLOEXEC) || !(fcntl(fd, F_GETFL) & O_NONBLOCK))
                        return 4;
        }
        if (getenv("LISTEN_FDS") || getenv("LISTEN_PID") || getenv("LISTEN_FDNAMES"))
                return 5;
        return 0;
}

static int judge_only_poke(int r, struct sockets *sockets) {
        return r == 0 && sockets->poke_fd == 3 && sockets->control_fd > 3 ? 0 : 1;
}

static int tell_error(int r, struct sockets *sockets) {
        (void)sockets;
        return -r;
}

static void takes_over_what_systemd_opened(void) {
        static const char *const names[] = {"poke:control", "roused.socket:roused.socket",
                                            "unknown:control"};
        _cleanup_close_ int poke = unix_bound(test_path("poke.sock"), SOCK_DGRAM);
        _cleanup_close_ int control = unix_bound(test_path("control.sock"), SOCK_STREAM);
        const int fds[] = {poke, control};

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                ck_assert_int_eq(with_handed_over(fds, 2, names[i], judge_adopted), 0);
                /* It stays where it is: systemd goes on listening. */
                ck_assert_int_eq(unix_knock(test_path("poke.sock"), SOCK_DGRAM), 0);
                ck_assert_int_eq(unix_knock(test_path("control.sock"), SOCK_STREAM), 0);
                ck_assert(!test_exists(test_path("lock")));
        }
}

static void makes_the_one_that_systemd_did_not_open(void) {
        _cleanup_close_ int poke = unix_bound(test_path("poke.sock"), SOCK_DGRAM);

        ck_assert_int_eq(with_handed_over(&poke, 1, "poke", judge_only_poke), 0);
        ck_assert(test_exists(test_path("poke.sock")));
        ck_assert(!test_exists(test_path("control.sock")));
}

static void refuses_what_is_neither_of_the_two(void) {
        _cleanup_close_ int poke = unix_bound(test_path("poke.sock"), SOCK_DGRAM);
        _cleanup_close_ int control = unix_bound(test_path("control.sock"), SOCK_STREAM);
        _cleanup_close_ int packets = unix_bound(test_path("packets"), SOCK_SEQPACKET);
        _cleanup_close_ int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
        const struct {
                int fds[2];
                int n_fds;
                const char *names;
                int error;
        } rows[] = {
                {{poke, control}, 2, "control:poke", EPROTOTYPE},
                {{packets}, 1, "control", EPROTOTYPE},
                {{poke, file}, 2, "poke:control", EPROTOTYPE},
                {{poke, poke}, 2, "a:b", EEXIST},
                {{control, control}, 2, "control:control", EEXIST},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
                ck_assert_int_eq(
                        with_handed_over(rows[i].fds, rows[i].n_fds, rows[i].names, tell_error),
                        rows[i].error);
        ck_assert(!test_exists(test_path("lock")));
}

/* A daemon on a socket that outlives it. */
static pid_t start_on(int poke_fd, const char *config) {
        pid_t pid;

        test_write_file(test_path("roused.yaml"), config);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                hand_over(&poke_fd, 1, "poke");
                execl(built_program("daemon/roused"), "roused", "--config",
                      test_path("roused.yaml"), "--dir", test_dir(), (char *)NULL);
                _exit(1);
        }
        return pid;
}

static void stop(pid_t pid) {
        int status;

        ck_assert_int_eq(kill(pid, SIGTERM), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
}

/* It was sent before the daemon could ask the kernel to refuse such. */
static void descriptors_that_wait_with_a_poke_are_closed(void) {
        _cleanup_close_ int poke = unix_bound(test_path("poke.sock"), SOCK_DGRAM);
        int fds[2], fd;
        pid_t pid;
        char byte;

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        fd = unix_connect(test_path("poke.sock"), SOCK_DGRAM);
        ck_assert_int_eq(unix_send_with(fd, "a", SCM_RIGHTS, &fds[1], sizeof(int)), 1);
        close(fd);
        close(fds[1]);
        pid = start_on(poke, "handles: {a: {}}\n");
        /* The end comes when nobody holds the other side any more. */
        ck_assert_int_eq(read(fds[0], &byte, 1), 0);
        close(fds[0]);
        stop(pid);
}

static bool asks_who_sends(int poke_fd) {
        socklen_t n_on = sizeof(int);
        int on;

        ck_assert_int_eq(getsockopt(poke_fd, SOL_SOCKET, SO_PASSCRED, &on, &n_on), 0);
        return on;
}

/* Returns once it serves. */
static void send_and_hear(void) {
        const struct sockaddr_un no_address = {.sun_family = AF_UNIX};
        _cleanup_close_ int fd = unix_connect(test_path("poke.sock"), SOCK_DGRAM);
        char answer[16] = "";

        ck_assert_int_eq(
                bind(fd, (const struct sockaddr *)&no_address, sizeof(no_address.sun_family)), 0);
        ck_assert_int_eq(send(fd, "a", 1, 0), 1);
        ck_assert_int_gt(recv(fd, answer, sizeof(answer) - 1, 0), 0);
        ck_assert_str_eq(answer, "ok 1\n");
}

/* The next one may let less people in, and what is sent until then has to say who sent it. */
static void a_stop_asks_again_who_sends(void) {
        _cleanup_close_ int poke = unix_bound(test_path("poke.sock"), SOCK_DGRAM);
        pid_t pid = start_on(poke, "handles: {a: {}}\naccess: {send: '*'}\n");

        send_and_hear();
        ck_assert(!asks_who_sends(poke));
        stop(pid);
        ck_assert(asks_who_sends(poke));
}

static const struct test tests[] = {
        TEST(takes_over_what_systemd_opened),
        TEST(makes_the_one_that_systemd_did_not_open),
        TEST(refuses_what_is_neither_of_the_two),
        TEST(descriptors_that_wait_with_a_poke_are_closed),
        TEST(a_stop_asks_again_who_sends),
        {0},
};

int main(int argc, char **argv) {
        return test_main("sockets-handed-over", tests, argc, argv);
}
