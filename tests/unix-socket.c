/* See the header. */

#include "tests/unix-socket.h"

#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 16

struct sockaddr_un unix_address(const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
        strcpy(address.sun_path, path);
        return address;
}

static int unix_socket(int type) {
        int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        return fd;
}

int unix_bound(const char *path, int type) {
        struct sockaddr_un address = unix_address(path);
        int fd = unix_socket(type);

        ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        if (type == SOCK_STREAM)
                ck_assert_int_eq(listen(fd, BACKLOG), 0);
        return fd;
}

int unix_connect(const char *path, int type) {
        struct sockaddr_un address = unix_address(path);
        int fd = unix_socket(type), r;

        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
                return fd;
        r = -errno;
        close(fd);
        return r;
}

int unix_send_with(int fd, const char *text, int type, const void *data, size_t n_data) {
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(64)];
        } control = {.bytes = {0}};
        struct iovec iov = {(char *)text, strlen(text)};
        struct msghdr header = {.msg_iov = &iov,
                                .msg_iovlen = 1,
                                .msg_control = &control,
                                .msg_controllen = CMSG_SPACE(n_data)};
        struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header);
        ssize_t n;

        ck_assert_uint_le(n_data, 64);
        *cmsg = (struct cmsghdr){CMSG_LEN(n_data), SOL_SOCKET, type};
        memcpy(CMSG_DATA(cmsg), data, n_data);
        n = sendmsg(fd, &header, 0);
        return n < 0 ? -errno : (int)n;
}

int unix_knock(const char *path, int type) {
        int fd = unix_connect(path, type);

        if (fd < 0)
                return fd;
        close(fd);
        return 0;
}
