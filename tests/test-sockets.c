/*
 * The daemon's directory: who may have it, what becomes of what others left there, and in which
 * moment and with which mode the sockets can be reached.
 */

#include "daemon/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/own-group.h"
#include "lib/cleanup.h"
#include "tests/support.h"
#include "tests/unix-socket.h"

static ino_t inode_of(const char *path) {
        struct stat st;

        ck_assert_int_eq(lstat(path, &st), 0);
        return st.st_ino;
}

static struct sockets open_or_fail(const char *dir) {
        struct sockets sockets;
        char *message = NULL;
        int r;

        r = sockets_open(dir, &sockets, &message);
        ck_assert_msg(r == 0, "%s", message ? message : "no message");
        ck_assert_ptr_null(message);
        return sockets;
}

/* The sentence that goes with the expected error; free() it. */
static char *message_of_failure(const char *dir, int error) {
        struct sockets sockets = SOCKETS_NULL;
        char *message = NULL;

        ck_assert_int_eq(sockets_open(dir, &sockets, &message), error);
        ck_assert_ptr_nonnull(message);
        ck_assert_msg(sockets.lock_fd == -1, "an output was written on failure");
        return message;
}

static void opens_both_close_on_exec_and_non_blocking(void) {
        struct sockets sockets = open_or_fail(test_dir());
        const int fds[] = {sockets.poke_fd, sockets.control_fd, sockets.lock_fd, sockets.dir_fd};
        int on = 0;
        socklen_t n_on = sizeof(on);

        for (size_t i = 0; i < 4; i++)
                ck_assert_int_ne(fcntl(fds[i], F_GETFD) & FD_CLOEXEC, 0);
        for (size_t i = 0; i < 2; i++)
                ck_assert_int_ne(fcntl(fds[i], F_GETFL) & O_NONBLOCK, 0);
        ck_assert_int_eq(getsockopt(sockets.poke_fd, SOL_SOCKET, SO_PASSCRED, &on, &n_on), 0);
        ck_assert_int_eq(on, 1);
        ck_assert_int_eq(unix_knock(test_path("poke.sock"), SOCK_DGRAM), 0);
        ck_assert_int_eq(unix_knock(test_path("control.sock"), SOCK_STREAM), 0);
        sockets_close(&sockets);
}

static void mode_is_the_same_under_every_umask(void) {
        static const mode_t umasks[] = {0, 022, 077, 0777};
        const char *names[] = {"poke.sock", "control.sock"};

        for (size_t i = 0; i < sizeof(umasks) / sizeof(*umasks); i++) {
                mode_t before = umask(umasks[i]);
                struct sockets sockets;
                char *message = NULL;
                int r;

                r = sockets_open(test_dir(), &sockets, &message);
                umask(before);
                ck_assert_msg(r == 0, "umask %03o: %s", (unsigned int)umasks[i],
                              message ? message : "");
                for (size_t k = 0; k < 2; k++) {
                        struct stat st;

                        ck_assert_int_eq(stat(test_path("%s", names[k]), &st), 0);
                        ck_assert_uint_eq(st.st_mode & 07777, SOCKETS_MODE);
                }
                sockets_close(&sockets);
        }
}

/* Else anybody could hold it, and keep the next daemon from starting. */
static void nobody_else_may_open_the_lock(void) {
        struct sockets sockets;
        struct stat st;

        test_write_file(test_path("lock"), "1\n");
        ck_assert_int_eq(chmod(test_path("lock"), 0644), 0);
        for (int i = 0; i < 2; i++) {
                sockets = open_or_fail(test_dir());
                ck_assert_int_eq(stat(test_path("lock"), &st), 0);
                ck_assert_uint_eq(st.st_mode & 07777, 0600);
                sockets_close(&sockets);
        }
}

/* What the order of fchmod() and bind() relies on. */
static void kernel_gives_the_file_the_mode_of_the_socket(void) {
        struct sockaddr_un address = unix_address(test_path("socket"));
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        mode_t before = umask(0);
        struct stat st;

        ck_assert_int_eq(fchmod(fd, 0600), 0);
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        umask(before);
        ck_assert_int_eq(stat(address.sun_path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
}

static void group_is_rouseds_where_there_is_one(void) {
        struct group *group = getgrnam(OWN_GROUP);
        struct sockets sockets = open_or_fail(test_dir());
        struct stat st;

        ck_assert_int_eq(stat(test_path("control.sock"), &st), 0);
        /* Who is not root may give it to a group only if he is in it. */
        if (!group || (geteuid() != 0 && st.st_gid != group->gr_gid))
                ck_assert_uint_eq(st.st_gid, getegid());
        else
                ck_assert_uint_eq(st.st_gid, group->gr_gid);
        sockets_close(&sockets);
}

static void makes_the_directory(void) {
        const char *dir = test_path("new");
        struct sockets sockets = open_or_fail(dir);

        ck_assert(test_exists(test_path("new/control.sock")));
        sockets_close(&sockets);
}

static void names_a_directory_that_cannot_be_made(void) {
        _cleanup_free_ char *message = message_of_failure(test_path("no/where"), -ENOENT);

        ck_assert_ptr_nonnull(strstr(message, "no/where"));
        ck_assert_ptr_nonnull(strstr(message, "No such file or directory"));
}

static void names_a_directory_that_is_a_file(void) {
        const char *path = test_path("file");
        _cleanup_free_ char *message = NULL;

        test_write_file(path, "");
        message = message_of_failure(path, -ENOTDIR);
        ck_assert_ptr_nonnull(strstr(message, path));
}

static void second_is_refused_with_the_pid_of_the_first(void) {
        struct sockets sockets = open_or_fail(test_dir());
        _cleanup_free_ char *message = message_of_failure(test_dir(), -EADDRINUSE);
        _cleanup_free_ char *pid = NULL;

        ck_assert_int_ge(asprintf(&pid, "(pid %ld)", (long)getpid()), 0);
        ck_assert_ptr_nonnull(strstr(message, "another roused"));
        ck_assert_ptr_nonnull(strstr(message, pid));
        ck_assert_ptr_nonnull(strstr(message, test_dir()));
        ck_assert_int_eq(unix_knock(test_path("control.sock"), SOCK_STREAM), 0);
        sockets_close(&sockets);
}

static void a_full_disk_costs_the_pid_in_a_message_alone(void) {
        struct rlimit before, none;
        struct sockets sockets;
        char *message = NULL;
        int r;

        /* Writing fails with EFBIG then, as it does with ENOSPC. */
        signal(SIGXFSZ, SIG_IGN);
        ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
        none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
        r = sockets_open(test_dir(), &sockets, &message);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
        ck_assert_msg(r == 0, "%s", message ? message : "no message");
        message = message_of_failure(test_dir(), -EADDRINUSE);
        ck_assert_ptr_nonnull(strstr(message, "another roused already serves"));
        free(message);
        sockets_close(&sockets);
}

static void one_that_was_killed_leaves_nothing_in_the_way(void) {
        const char *dir = test_dir();
        struct sockets sockets;
        int ready[2];
        char byte;
        pid_t pid;

        ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                char *message = NULL;

                if (sockets_open(dir, &sockets, &message) == 0 && write(ready[1], "", 1) == 1)
                        pause();
                _exit(1);
        }
        close(ready[1]);
        ck_assert_int_eq(read(ready[0], &byte, 1), 1);
        close(ready[0]);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);

        ck_assert_int_eq(unix_knock(test_path("poke.sock"), SOCK_DGRAM), -ECONNREFUSED);
        sockets = open_or_fail(dir);
        ck_assert_int_eq(unix_knock(test_path("poke.sock"), SOCK_DGRAM), 0);
        ck_assert_int_eq(unix_knock(test_path("control.sock"), SOCK_STREAM), 0);
        sockets_close(&sockets);
}

/* A daemon that is killed while it makes the process of a run leaves a child behind that has its
 * descriptors until it is the run's program. */
static void one_that_was_killed_while_it_began_a_run_is_waited_for(void) {
        const char *dir = test_dir();
        struct sockets sockets;
        int ready[2], go[2];
        char byte;
        pid_t pid;

        ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
        ck_assert_int_eq(pipe2(go, O_CLOEXEC), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                char *message = NULL;

                close(go[1]);
                if (sockets_open(dir, &sockets, &message) < 0)
                        _exit(1);
                if (fork() == 0) {
                        /* The age of the child, once the next daemon is about to start. */
                        if (write(ready[1], "", 1) == 1 && read(go[0], &byte, 1) == 0)
                                usleep(100 * 1000);
                        _exit(0);
                }
                pause();
                _exit(1);
        }
        close(ready[1]);
        close(go[0]);
        ck_assert_int_eq(read(ready[0], &byte, 1), 1);
        close(ready[0]);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);

        close(go[1]);
        sockets = open_or_fail(dir);
        ck_assert_int_eq(unix_knock(test_path("control.sock"), SOCK_STREAM), 0);
        sockets_close(&sockets);
}

static void socket_of_another_program_is_left_alone(void) {
        static const struct {
                const char *name;
                int type;
        } rows[] = {
                {"poke.sock", SOCK_DGRAM},
                {"poke.sock", SOCK_STREAM},
                {"control.sock", SOCK_DGRAM},
                {"control.sock", SOCK_STREAM},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
                const char *path = test_path("%s", rows[i].name);
                _cleanup_close_ int fd = unix_bound(path, rows[i].type);
                _cleanup_free_ char *message = message_of_failure(test_dir(), -EADDRINUSE);
                ino_t ino = inode_of(path);

                ck_assert_ptr_nonnull(strstr(message, path));
                ck_assert_ptr_nonnull(strstr(message, "systemd"));
                if (rows[i].type == SOCK_STREAM) {
                        ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
                        ck_assert_int_eq(accept4(fd, NULL, NULL, SOCK_CLOEXEC), -1);
                        ck_assert_int_eq(errno, EAGAIN); /* nobody knocked */
                }
                ck_assert_uint_eq(inode_of(path), ino);
                ck_assert_int_eq(unix_knock(path, rows[i].type), 0);
                ck_assert_int_eq(unlink(path), 0);
                ck_assert(!test_exists(test_path("lock")));
        }
}

static void file_that_is_no_socket_is_left_alone(void) {
        const char *path = test_path("control.sock");
        _cleanup_free_ char *message = NULL;
        _cleanup_free_ char *content = NULL;

        test_write_file(path, "precious");
        message = message_of_failure(test_dir(), -EEXIST);
        ck_assert_ptr_nonnull(strstr(message, path));
        content = test_read_file(path);
        ck_assert_str_eq(content, "precious");
        ck_assert_msg(!test_exists(test_path("poke.sock")), "half of the work was left");
}

static void lock_that_is_a_link_or_a_fifo_leads_nowhere(void) {
        const char *target = test_path("target");
        char *message;

        ck_assert_int_eq(symlink(target, test_path("lock")), 0);
        message = message_of_failure(test_dir(), -ELOOP);
        free(message);
        ck_assert(!test_exists(target));
        ck_assert_int_eq(unlink(test_path("lock")), 0);
        ck_assert_int_eq(mkfifo(test_path("lock"), 0600), 0);
        message = message_of_failure(test_dir(), -EEXIST);
        free(message);
}

static void close_removes_all_and_may_be_repeated(void) {
        struct sockets sockets = open_or_fail(test_dir());

        close(steal_fd(&sockets.poke_fd)); /* as those do who serve it */
        sockets_close(&sockets);
        ck_assert(!test_exists(test_path("poke.sock")));
        ck_assert(!test_exists(test_path("control.sock")));
        ck_assert(!test_exists(test_path("lock")));
        sockets_close(&sockets);
        sockets = (struct sockets)SOCKETS_NULL;
        sockets_close(&sockets);
}

static void after_retirement_no_send_succeeds_and_none_is_lost(void) {
        struct sockets sockets = open_or_fail(test_dir());
        struct sockaddr_un address = unix_address(test_path("poke.sock"));
        _cleanup_close_ int sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        char text[8] = "";

        ck_assert_int_eq(connect(sender, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(send(sender, "before", 6, 0), 6);
        sockets_retire(&sockets);
        ck_assert_int_eq(send(sender, "after", 5, MSG_NOSIGNAL), -1);
        ck_assert_int_eq(errno, EPIPE);
        ck_assert_int_eq(unix_knock(test_path("poke.sock"), SOCK_DGRAM), -ENOENT);
        ck_assert_int_eq(unix_knock(test_path("control.sock"), SOCK_STREAM), -ENOENT);
        ck_assert_msg(test_exists(test_path("lock")), "another could start while runs go on");
        ck_assert_int_eq(recv(sockets.poke_fd, text, sizeof(text), 0), 6);
        ck_assert_str_eq(text, "before");
        ck_assert_int_eq(recv(sockets.poke_fd, text, sizeof(text), 0), -1);
        ck_assert_int_eq(errno, EAGAIN);
        sockets_retire(&sockets);
        sockets_close(&sockets);
        ck_assert(!test_exists(test_path("lock")));
}

static void close_leaves_what_somebody_put_in_its_place(void) {
        struct sockets sockets = open_or_fail(test_dir());
        const char *path = test_path("control.sock");
        _cleanup_close_ int fd = -1;

        ck_assert_int_eq(unlink(path), 0);
        fd = unix_bound(path, SOCK_STREAM);
        ck_assert_int_eq(unlink(test_path("lock")), 0);
        test_write_file(test_path("lock"), "");
        sockets_close(&sockets);
        ck_assert_int_eq(unix_knock(path, SOCK_STREAM), 0);
        ck_assert(test_exists(test_path("lock")));
        ck_assert(!test_exists(test_path("poke.sock")));
}

static void path_that_is_too_long_for_an_address_is_served(void) {
        char long_name[121];
        const char *dir;
        struct sockets sockets;
        char *through;

        memset(long_name, 'x', sizeof(long_name) - 1);
        long_name[sizeof(long_name) - 1] = '\0';
        dir = test_path("%s", long_name);
        sockets = open_or_fail(dir);
        ck_assert_int_ge(asprintf(&through, "/proc/self/fd/%d/control.sock", sockets.dir_fd), 0);
        ck_assert_int_eq(unix_knock(through, SOCK_STREAM), 0);
        free(through);
        sockets_close(&sockets);
        ck_assert(!test_exists(test_path("%s/control.sock", long_name)));
}

static const struct test tests[] = {
        TEST(opens_both_close_on_exec_and_non_blocking),
        TEST(mode_is_the_same_under_every_umask),
        TEST(nobody_else_may_open_the_lock),
        TEST(kernel_gives_the_file_the_mode_of_the_socket),
        TEST(group_is_rouseds_where_there_is_one),
        TEST(makes_the_directory),
        TEST(names_a_directory_that_cannot_be_made),
        TEST(names_a_directory_that_is_a_file),
        TEST(second_is_refused_with_the_pid_of_the_first),
        TEST(a_full_disk_costs_the_pid_in_a_message_alone),
        TEST(one_that_was_killed_leaves_nothing_in_the_way),
        TEST(one_that_was_killed_while_it_began_a_run_is_waited_for),
        TEST(socket_of_another_program_is_left_alone),
        TEST(file_that_is_no_socket_is_left_alone),
        TEST(lock_that_is_a_link_or_a_fifo_leads_nowhere),
        TEST(close_removes_all_and_may_be_repeated),
        TEST(after_retirement_no_send_succeeds_and_none_is_lost),
        TEST(close_leaves_what_somebody_put_in_its_place),
        TEST(path_that_is_too_long_for_an_address_is_served),
        {0},
};

int main(int argc, char **argv) {
        return test_main("sockets", tests, argc, argv);
}
