/*
 * The kernel hands descriptors over with the first byte of a write, and a read ends before the next
 * byte that has some. So each write either has none, or begins with the byte they belong to.
 *
 * Invariant: descriptors stand in the queue in the order of their bytes, which were not written.
 */

#include "daemon/stream-fds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/cleanup.h"

struct passed {
        struct list link;
        size_t at;
        int pair[STREAM_N_FDS];
};

static void close_pair(const int pair[STREAM_N_FDS]) {
        for (int i = 0; i < STREAM_N_FDS; i++)
                close_fd(pair[i]);
}

static void passed_free(struct passed *passed) {
        list_remove(&passed->link);
        close_pair(passed->pair);
        free(passed);
}

int stream_fds_add_consume(struct stream_fds *fds, size_t at, const int pair[STREAM_N_FDS]) {
        struct passed *passed = malloc(sizeof(*passed));

        if (!passed) {
                close_pair(pair);
                return -ENOMEM;
        }
        passed->at = at;
        memcpy(passed->pair, pair, sizeof(passed->pair));
        list_append(&fds->queue, &passed->link);
        return 0;
}

static ssize_t send_with(struct passed *passed, int fd, void *bytes, size_t n) {
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(sizeof(passed->pair))];
        } control = {.bytes = {0}};
        struct iovec iov = {bytes, n};
        struct msghdr header = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        struct cmsghdr *rights = CMSG_FIRSTHDR(&header);

        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(passed->pair));
        memcpy(CMSG_DATA(rights), passed->pair, sizeof(passed->pair));
        return sendmsg(fd, &header, MSG_NOSIGNAL);
}

ssize_t stream_fds_send(struct stream_fds *fds, int fd, const struct buffer *out, size_t at,
                        size_t *ret_n) {
        struct list *link = list_first(&fds->queue);
        struct passed *passed = NULL;
        size_t end = out->n;
        ssize_t n;

        if (link && container_of(link, struct passed, link)->at == at) {
                passed = container_of(link, struct passed, link);
                link = link->next == &fds->queue ? NULL : link->next;
        }
        if (link)
                end = container_of(link, struct passed, link)->at;
        *ret_n = end - at;
        n = passed ? send_with(passed, fd, out->data + at, end - at)
                   : send(fd, out->data + at, end - at, MSG_NOSIGNAL);
        if (n < 0)
                return -errno;
        if (passed)
                passed_free(passed);
        return n;
}

void stream_fds_move(struct stream_fds *fds, size_t n) {
        list_for_each (link, &fds->queue)
                container_of(link, struct passed, link)->at -= n;
}

void stream_fds_clear(struct stream_fds *fds) {
        struct list *first;

        while ((first = list_first(&fds->queue)))
                passed_free(container_of(first, struct passed, link));
}
