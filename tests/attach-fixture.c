/* See the header. */

#include "tests/attach-fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/handle.h"
#include "lib/attach-words.h"
#include "lib/cleanup.h"
#include "tests/control-fixture.h"
#include "tests/support.h"

struct daemon attached_daemon;

static const char yaml[] = "handles:\n"
                           "  a: {}\n"
                           "  b: {}\n"
                           "  c: {}\n"
                           "  ours: {access: {send: [root]}}\n"
                           "access: {read: '*', send: '*', admin: [root]}\n";

/* A line as it comes, and the descriptors that come with its first byte; -1: none. */
void attached_hear(int fd, char *line, size_t size, int fds[2]) {
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(2 * sizeof(int))];
        } control;
        size_t n = 0;

        fds[0] = fds[1] = -1;
        do {
                struct iovec iov = {line + n, 1};
                struct msghdr header = {
                        .msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = &control,
                        .msg_controllen = sizeof(control),
                };
                struct cmsghdr *rights;

                for (int i = 0; i < 1000; i++) {
                        fixture_turn(&attached_daemon);
                        if (recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) == 1)
                                break;
                        ck_assert_int_eq(errno, EAGAIN);
                        ck_assert_int_lt(i, 999);
                }
                rights = CMSG_FIRSTHDR(&header);
                if (rights) {
                        ck_assert_uint_eq(n, 0);
                        ck_assert_uint_eq(rights->cmsg_len, CMSG_LEN(2 * sizeof(int)));
                        memcpy(fds, CMSG_DATA(rights), 2 * sizeof(int));
                }
        } while (line[n++] != '\n' && n < size);
        line[n - 1] = 0;
}

static void map(struct attached *attached) {
        struct stat st;

        ck_assert_int_eq(fstat(attached->memory_fd, &st), 0);
        attached->size = (size_t)st.st_size;
        attached->memory = mmap(NULL, attached->size, PROT_READ | PROT_WRITE, MAP_SHARED,
                                attached->memory_fd, 0);
        ck_assert_ptr_ne(attached->memory, MAP_FAILED);
}

struct attached attached_on(int fd, const char *names) {
        struct attached attached = {.fd = fd};
        char *request, line[1000];
        int fds[2];

        ck_assert_int_gt(asprintf(&request,
                                  "{\"jsonrpc\":\"2.0\",\"method\":\"attach\",\"params\":"
                                  "{\"names\":%s},\"id\":1}\n",
                                  names),
                         0);
        fixture_say(fd, request);
        free(request);
        attached_hear(fd, line, sizeof(line), fds);
        ck_assert_msg(fds[0] >= 0 && fds[1] >= 0, "%s", line);
        ck_assert_ptr_nonnull(strstr(line, "{\"version\":1,\"handles\":"));
        attached.memory_fd = fds[0];
        attached.bell_fd = fds[1];
        map(&attached);
        return attached;
}

struct attached attached_new(const char *names) {
        return attached_on(fixture_connect(&attached_daemon), names);
}

/* Leaves the connection open. */
void attached_let_go(struct attached *attached) {
        munmap(attached->memory, attached->size);
        attached->memory_fd = close_fd(attached->memory_fd);
        attached->bell_fd = close_fd(attached->bell_fd);
}

void attached_detach(struct attached *attached) {
        attached_let_go(attached);
        attached->fd = close_fd(attached->fd);
}

void attached_ring(const struct attached *attached, uint64_t n) {
        ck_assert_int_eq(write(attached->bell_fd, &n, sizeof(n)), sizeof(n));
}

/* As a client that keeps the protocol. */
enum attach_sent attached_send(const struct attached *attached, size_t i) {
        enum attach_sent sent = attach_send(attached->memory, i, 1);

        if (sent == ATTACH_RING)
                attached_ring(attached, 1);
        return sent;
}

void attached_expect_sends(const char *name, uint64_t sends, uint64_t wakes) {
        struct handle_stats stats;

        handle_get_stats(fixture_handle(&attached_daemon, name), &stats);
        ck_assert_uint_eq(stats.sends, sends);
        ck_assert_uint_eq(stats.wakes, wakes);
}

void attached_begin(void) {
        fixture_set_peer(0);
        fixture_init(&attached_daemon, yaml);
}

void attached_finish(void) {
        fixture_deinit(&attached_daemon);
}

void attached_finish_with_a_send(struct attached *attached) {
        ck_assert_int_eq(attached_send(attached, 0), ATTACH_RING);
        fixture_turn(&attached_daemon);
        attached_expect_sends("a", 1, 1);
        attached_detach(attached);
        attached_finish();
}
