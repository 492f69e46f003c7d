/* Who is at the other end of a socket. */
#include "daemon/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support.h"

static bool has_group(const struct peer *peer, gid_t gid) {
        for (size_t i = 0; i < peer->n_groups; i++)
                if (peer->groups[i] == gid)
                        return true;
        return false;
}

static void a_socket_tells_its_peer(void) {
        struct peer peer = PEER_NULL;
        gid_t groups[1024];
        int fds[2], n_groups;

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        ck_assert_int_eq(peer_init_from_socket(&peer, fds[0]), 0);
        ck_assert_int_eq(peer.pid, getpid());
        ck_assert_uint_eq(peer.uid, geteuid());
        ck_assert_uint_eq(peer.gid, getegid());
        n_groups = getgroups(1024, groups);
        ck_assert_uint_eq(peer.n_groups, (size_t)n_groups);
        for (int i = 0; i < n_groups; i++)
                ck_assert(has_group(&peer, groups[i]));
        peer_deinit(&peer);
        ck_assert_uint_eq(peer.uid, (uid_t)-1);
        peer_deinit(&peer);
        close(fds[0]);
        close(fds[1]);
}

static void other_descriptors_have_no_peer(void) {
        struct peer peer = {.pid = 5, .uid = 6, .gid = 7};
        int fds[2];

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        ck_assert_int_eq(peer_init_from_socket(&peer, fds[0]), -ENOTSOCK);
        ck_assert_int_eq(peer.pid, 5); /* written only on success */
        close(fds[0]);
        close(fds[1]);
        ck_assert_int_eq(peer_init_from_socket(&peer, -1), -EBADF);
}

#define N_GROUPS 1000 /* more than any first guess */

/* A child with another user and many groups connects, and is gone before it is looked at. */
static void connect_as_another(const struct sockaddr_un *address, socklen_t n_address) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        gid_t groups[N_GROUPS];

        for (int i = 0; i < N_GROUPS; i++)
                groups[i] = (gid_t)(100000 + i);
        if (setgroups(N_GROUPS, groups) < 0 || setresgid(4711, 4711, 4711) < 0 ||
            setresuid(4712, 4712, 4712) < 0 ||
            connect(fd, (const struct sockaddr *)address, n_address) < 0)
                _exit(EXIT_FAILURE);
        _exit(EXIT_SUCCESS);
}

static void groups_are_those_of_the_connecting_process(void) {
        struct sockaddr_un address = {.sun_family =
                                              AF_UNIX}; /* an address of the kernel's choice */
        socklen_t n_address = sizeof(sa_family_t);
        struct peer peer = PEER_NULL;
        int listen_fd, fd, status;
        pid_t pid;

        if (!test_is_root())
                return;
        listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(listen_fd, (const struct sockaddr *)&address, n_address), 0);
        n_address = sizeof(address);
        ck_assert_int_eq(getsockname(listen_fd, (struct sockaddr *)&address, &n_address), 0);
        ck_assert_int_eq(listen(listen_fd, 1), 0);
        pid = fork();
        if (pid == 0)
                connect_as_another(&address, n_address);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
        fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(peer_init_from_socket(&peer, fd), 0);
        ck_assert_int_eq(peer.pid, pid);
        ck_assert_uint_eq(peer.uid, 4712);
        ck_assert_uint_eq(peer.gid, 4711);
        ck_assert_uint_eq(peer.n_groups, N_GROUPS);
        ck_assert(has_group(&peer, 100000));
        ck_assert(has_group(&peer, 100000 + N_GROUPS - 1));
        peer_deinit(&peer);
        close(fd);
        close(listen_fd);
}

static void the_user_database_tells_all_groups_of_a_uid(void) {
        struct passwd *user = getpwuid(geteuid());
        struct peer peer = PEER_NULL;
        gid_t groups[1024];
        int n_groups = 1024;

        ck_assert_ptr_nonnull(user);
        ck_assert_uint_ne(user->pw_gid, 4711);
        ck_assert_int_ge(getgrouplist(user->pw_name, user->pw_gid, groups, &n_groups), 0);
        ck_assert_int_eq(peer_init_from_ids(&peer, 99, geteuid(), 4711), 0);
        ck_assert_int_eq(peer.pid, 99);
        ck_assert_uint_eq(peer.uid, geteuid());
        ck_assert_uint_eq(peer.gid, 4711);
        ck_assert_uint_eq(peer.n_groups, (size_t)n_groups);
        for (int i = 0; i < n_groups; i++)
                ck_assert(has_group(&peer, groups[i]));
        peer_deinit(&peer);
}

static void an_unknown_uid_is_in_no_other_group(void) {
        struct peer peer = PEER_NULL;

        ck_assert_ptr_null(getpwuid(3999999999));
        ck_assert_int_eq(peer_init_from_ids(&peer, 99, 3999999999, 4711), 0);
        ck_assert_uint_eq(peer.uid, 3999999999);
        ck_assert_uint_eq(peer.gid, 4711);
        ck_assert_uint_eq(peer.n_groups, 0);
        peer_deinit(&peer);
}

static void who_cannot_be_looked_up_is_an_error(void) {
        struct peer peer = {.pid = 5, .uid = 6, .gid = 7};

        for (int i = 0; i < 2; i++) { /* what was loaded with the first changes the answer */
                test_leave_fds(0);
                ck_assert_int_eq(peer_init_from_ids(&peer, 99, 1, 1), -EMFILE);
                test_restore_fds();
                ck_assert_int_eq(peer.pid, 5); /* written only on success */
                ck_assert_int_eq(peer_init_from_ids(&peer, 99, 1, 1), 0);
                peer_deinit(&peer);
                peer.pid = 5;
        }
}

static const struct test tests[] = {
        TEST(a_socket_tells_its_peer),
        TEST(other_descriptors_have_no_peer),
        TEST(groups_are_those_of_the_connecting_process),
        TEST(the_user_database_tells_all_groups_of_a_uid),
        TEST(an_unknown_uid_is_in_no_other_group),
        TEST(who_cannot_be_looked_up_is_an_error),
        {0},
};

int main(int argc, char **argv) {
        return test_main("peer", tests, argc, argv);
}
