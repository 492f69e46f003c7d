/*
 * Sends, through poke.sock: a line a send, many lines a datagram, one datagram of replies for each.
 *
 * A socket that wants replies is bound to an address that the kernel chooses; it leaves nothing in
 * the file system. Being connected, it takes datagrams from the daemon only. Requests and replies
 * go in turn, and a socket with a reply outstanding is closed rather than used again, so a late
 * reply cannot be taken for that of another send.
 *
 * The daemon may die after it took a datagram and before it replied, and a datagram socket is not
 * told of that. While waiting, the client therefore looks now and then whether anybody is there.
 */

#include "lib/client-private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/cleanup.h"
#include "lib/deadline.h"

#define DATAGRAM_SIZE  16384U
#define DATAGRAM_LINES 512U
#define REPLY_SIZE     (DATAGRAM_LINES * 64U)
#define LOOK_EVERY_MS  1000

static int open_poke(rouse_client_t *client, bool want_reply, int *ret_fd) {
        _cleanup_close_ int fd = steal_fd(&client->probe_fd);
        /* A path of no bytes: the kernel finds an unused abstract address. */
        struct sockaddr_un nameless = {.sun_family = AF_UNIX};
        int r;

        if (fd < 0) {
                fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
                if (fd < 0)
                        return -errno;
                r = rouse__client_connect_poke(client, fd);
                if (r < 0)
                        return r;
        }
        if (want_reply &&
            bind(fd, (struct sockaddr *)&nameless, offsetof(struct sockaddr_un, sun_path)) < 0)
                return -errno;
        *ret_fd = steal_fd(&fd);
        return 0;
}

/* Whether a daemon holds the other end of the path, be it the one that the client is connected to
 * or its successor. */
static bool is_anybody_there(rouse_client_t *client) {
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        return fd < 0 || rouse__client_connect_poke(client, fd) == 0;
}

static int transmit_on(int fd, const char *datagram, size_t n, uint64_t deadline_ns) {
        int r;

        for (;;) {
                if (send(fd, datagram, n, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
                        return 0;
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN)
                        return -errno;
                r = rouse__deadline_poll(deadline_ns, fd, POLLOUT, -1);
                if (r <= 0)
                        return r < 0 ? r : -ETIMEDOUT;
        }
}

/* Sends a datagram; what went to a daemon that is gone has not arrived, so its successor gets it.
 */
static int transmit(rouse_client_t *client, int *fd, bool want_reply, const char *datagram,
                    size_t n, uint64_t deadline_ns) {
        bool fresh = *fd < 0;
        int r;

        for (;;) {
                if (*fd < 0) {
                        r = open_poke(client, want_reply, fd);
                        if (r < 0)
                                return rouse__client_unreachable(client, r, POKE_SOCKET);
                }
                r = transmit_on(*fd, datagram, n, deadline_ns);
                if (r == 0)
                        return 0;
                *fd = close_fd(*fd);
                if (r == -ETIMEDOUT)
                        return rouse__client_fail(client, r, "roused is busy: it takes no sends");
                if (fresh || (r != -ECONNREFUSED && r != -ENOTCONN && r != -EPIPE))
                        return rouse__client_unreachable(client, r, POKE_SOCKET);
                fresh = true;
        }
}

static int receive(rouse_client_t *client, char *reply, size_t n_reply, uint64_t deadline_ns,
                   size_t *ret_n) {
        for (;;) {
                ssize_t n;
                int r;

                r = rouse__deadline_poll(deadline_ns, client->ack_fd, POLLIN, LOOK_EVERY_MS);
                if (r < 0)
                        return rouse__client_fail(client, r, "cannot wait: %s", strerror(-r));
                if (r == 0 && !is_anybody_there(client))
                        return rouse__client_fail(client, -ECONNRESET,
                                                  "roused went away before it answered");
                if (r == 0 && clock_now_ns() >= deadline_ns)
                        return rouse__client_fail(client, -ETIMEDOUT, "roused does not answer");
                if (r == 0)
                        continue;
                n = recv(client->ack_fd, reply, n_reply, MSG_DONTWAIT | MSG_TRUNC);
                if (n < 0 && (errno == EAGAIN || errno == EINTR))
                        continue;
                if (n < 0)
                        return rouse__client_fail(client, -errno, "no answer from roused: %s",
                                                  strerror(errno));
                if ((size_t)n > n_reply)
                        return rouse__client_fail(client, -EPROTO, "roused answers too much");
                *ret_n = (size_t)n;
                return 0;
        }
}

/* What is wrong with a send, before the daemon sees it: only what a line cannot carry. */
static int check_send(rouse_client_t *client, const rouse_client_send_t *send) {
        size_t n_name = strlen(send->name), n_key = send->key ? strlen(send->key) : 0;

        if (n_name == 0 || strpbrk(send->name, " \t\r\n"))
                return rouse__client_fail(client, -EINVAL, "not a legal name: %s", send->name);
        /* The daemon takes a carriage return before a newline for a part of the line's end. */
        if (send->key && (n_key == 0 || strchr(send->key, '\n') || send->key[n_key - 1] == '\r'))
                return rouse__client_fail(client, -EINVAL, "a key is one line, and not empty");
        if (n_name + n_key + sizeof(" \n") > DATAGRAM_SIZE)
                return rouse__client_fail(client, -EMSGSIZE, "name and key are too long");
        return 0;
}

/* A run of sends that share a datagram. Those with a result already have no line in it. */
struct batch {
        rouse_client_send_t *sends;
        size_t n_sends, n_lines, n_bytes;
        char datagram[DATAGRAM_SIZE];
};

static void batch_add(struct batch *batch, const char *text, size_t n) {
        memcpy(batch->datagram + batch->n_bytes, text, n);
        batch->n_bytes += n;
}

/* Takes as many sends as fit. */
static void batch_fill(struct batch *batch, rouse_client_send_t *sends, size_t n_sends) {
        batch->sends = sends;
        batch->n_sends = batch->n_lines = batch->n_bytes = 0;
        for (; batch->n_sends < n_sends; batch->n_sends++, sends++) {
                size_t n_name = strlen(sends->name), n_key = sends->key ? strlen(sends->key) : 0;

                if (sends->result < 0)
                        continue;
                if (batch->n_lines == DATAGRAM_LINES ||
                    batch->n_bytes + n_name + n_key + sizeof(" \n") > DATAGRAM_SIZE)
                        return;
                batch_add(batch, sends->name, n_name);
                if (sends->key) {
                        batch_add(batch, " ", 1);
                        batch_add(batch, sends->key, n_key);
                }
                batch_add(batch, "\n", 1);
                batch->n_lines++;
        }
}

static void batch_fail(struct batch *batch, int error) {
        for (size_t i = 0; i < batch->n_sends; i++)
                if (batch->sends[i].result == 0)
                        batch->sends[i].result = error;
}

/* Reads "ok TICKET" or "error REASON"; false if it is neither. */
static bool read_reply(rouse_client_t *client, char *line, rouse_client_send_t *send, int *result) {
        struct json_text number = {.at = line + 3, .n = strlen(line) - 3};

        if (strncmp(line, "ok ", 3) == 0)
                return rouse__json_whole(number, &send->ticket) == 0;
        if (strncmp(line, "error ", 6) != 0 || line[6] == '\0')
                return false;
        *result = send->result = rouse__client_refused(client, 0, line + 6, "", send->name);
        return true;
}

/* Gives each send of the batch its line of the reply. Returns the result of one that failed. */
static int batch_read(rouse_client_t *client, struct batch *batch, char *reply, size_t n) {
        char *end = reply + n;
        int result = 0;

        for (size_t i = 0; i < batch->n_sends; i++) {
                char *newline;

                if (batch->sends[i].result < 0)
                        continue;
                newline = reply < end ? memchr(reply, '\n', (size_t)(end - reply)) : NULL;
                if (!newline)
                        goto strange;
                *newline = '\0';
                if (newline - reply < 3 || !read_reply(client, reply, batch->sends + i, &result))
                        goto strange;
                reply = newline + 1;
        }
        if (reply == end)
                return result;
strange:
        result = rouse__client_fail(client, -EPROTO,
                                    "roused answers in a way that is not understood");
        batch_fail(batch, result);
        return result;
}

static int batch_send(rouse_client_t *client, struct batch *batch, bool want_reply,
                      uint64_t deadline_ns) {
        int *fd = want_reply ? &client->ack_fd : &client->mute_fd;
        char reply[REPLY_SIZE];
        size_t n = 0;
        int r;

        r = transmit(client, fd, want_reply, batch->datagram, batch->n_bytes, deadline_ns);
        if (r == 0 && want_reply)
                r = receive(client, reply, sizeof(reply), deadline_ns, &n);
        if (r < 0) {
                *fd = close_fd(*fd);
                batch_fail(batch, r);
                return r;
        }
        return want_reply ? batch_read(client, batch, reply, n) : 0;
}

int rouse_client_send_many(rouse_client_t *client, rouse_client_send_t *sends, size_t n_sends,
                           unsigned int flags, int64_t timeout_ms) {
        uint64_t deadline_ns = deadline_in_ms(timeout_ms);
        struct batch batch;
        int result = 0, r;

        if (flags & ~ROUSE_CLIENT_NO_ACK)
                return rouse__client_fail(client, -EINVAL, "unknown flags");
        for (size_t i = 0; i < n_sends; i++) {
                sends[i].ticket = 0;
                sends[i].result = check_send(client, sends + i);
                if (sends[i].result < 0)
                        result = sends[i].result;
        }
        for (size_t i = 0; i < n_sends; i += batch.n_sends) {
                batch_fill(&batch, sends + i, n_sends - i);
                if (batch.n_lines == 0)
                        continue;
                r = batch_send(client, &batch, !(flags & ROUSE_CLIENT_NO_ACK), deadline_ns);
                if (r < 0)
                        result = r;
        }
        return result;
}

int rouse_client_send(rouse_client_t *client, const char *name, int64_t timeout_ms,
                      uint64_t *ret_ticket) {
        rouse_client_send_t send = {.name = name};
        int r;

        r = rouse_client_send_many(client, &send, 1, 0, timeout_ms);
        if (r == 0 && ret_ticket)
                *ret_ticket = send.ticket;
        return r;
}
