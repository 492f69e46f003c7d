/*
 * The pieces are the real ones but for the daemon itself, which is the stand-in, and for the peer:
 * a test cannot become somebody else, so the credentials of a socket are made up here. peer.c stays
 * out of the program by this file defining all of it.
 */

#include "config.h"

#include "tests/control-fixture.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/control-private.h"
#include "daemon/handle.h"
#include "daemon/limits.h"
#include "daemon/peer.h"
#include "daemon/registry.h"
#include "lib/cleanup.h"
#include "tests/support.h"
#include "tests/unix-socket.h"

#define SOON_MS 20 /* what is due so soon is waited for */

static uid_t peer_uid;
static struct buffer_of_fd {
        char *data;
        size_t n, size;
} heard[4096]; /* by descriptor: what was read behind the last line */

/* The peer. */

int peer_init_from_socket(struct peer *peer, int fd) {
        (void)fd;
        *peer = (struct peer){.pid = 1, .uid = peer_uid, .gid = peer_uid};
        return 0;
}

int peer_init_from_ids(struct peer *peer, pid_t pid, uid_t uid, gid_t gid) {
        *peer = (struct peer){.pid = pid, .uid = uid, .gid = gid};
        return 0;
}

void peer_deinit(struct peer *peer) {
        *peer = (struct peer)PEER_NULL;
}

void fixture_set_peer(uid_t uid) {
        peer_uid = uid;
}

/* The fixture. */

void fixture_init(struct daemon *daemon, const char *yaml) {
        ck_assert_int_eq(stand_in_init(daemon, test_dir(), yaml), 0);
        /* What is said at once is taken at once, however slow the machine is. */
        daemon->control->set.streams.turn_ns = UINT64_MAX / 2;
}

void fixture_deinit(struct daemon *daemon) {
        ck_assert_int_eq(stand_in_deinit(daemon), 0);
        for (size_t i = 0; i < sizeof(heard) / sizeof(*heard); i++)
                free(heard[i].data);
}

void fixture_turn(struct daemon *daemon) {
        int n = 0, timeout_ms;

        while (n++ < 5 || (uv_backend_timeout(&daemon->core.loop) == 0 && n < 1000))
                uv_run(&daemon->core.loop, UV_RUN_NOWAIT);
        timeout_ms = uv_backend_timeout(&daemon->core.loop);
        if (timeout_ms > 0 && timeout_ms <= SOON_MS)
                uv_run(&daemon->core.loop, UV_RUN_ONCE);
}

struct handle *fixture_handle(struct daemon *daemon, const char *name) {
        struct handle *handle = registry_find(daemon->core.registry, name);

        ck_assert_msg(handle != NULL, "no handle %s", name);
        return handle;
}

void fixture_wake(struct daemon *daemon, const char *name) {
        struct handle_receipt receipt;

        ck_assert_int_eq(handle_send(fixture_handle(daemon, name), NULL, 0, &receipt), 0);
        fixture_turn(daemon);
}

int fixture_connect(struct daemon *daemon) {
        int fd = unix_connect(daemon->path, SOCK_STREAM);

        ck_assert_int_ge(fd, 0);
        fixture_turn(daemon);
        ck_assert_uint_lt(fd, sizeof(heard) / sizeof(*heard));
        free(heard[fd].data);
        heard[fd] = (struct buffer_of_fd){NULL, 0, 0};
        return fd;
}

void fixture_say(int fd, const char *text) {
        size_t n = strlen(text);

        while (n > 0) {
                ssize_t n_sent = send(fd, text, n, MSG_NOSIGNAL);

                ck_assert_int_gt(n_sent, 0);
                text += n_sent;
                n -= (size_t)n_sent;
        }
}

static bool read_more(int fd) {
        struct buffer_of_fd *b = &heard[fd];
        ssize_t n;

        if (b->size - b->n < 65536) {
                b->size = 2 * b->size + 65536;
                b->data = realloc(b->data, b->size);
                ck_assert_ptr_nonnull(b->data);
        }
        n = recv(fd, b->data + b->n, 65536, MSG_DONTWAIT);
        if (n > 0)
                b->n += (size_t)n;
        return n > 0;
}

const char *fixture_hear(struct daemon *daemon, int fd) {
        static char *line;
        struct buffer_of_fd *b = &heard[fd];
        char *newline = NULL;
        size_t n_seen = 0;

        /* A long answer comes in pieces, as it is read, however long that takes; no answer shows in
         * nothing moving. */
        for (int n_idle = 0; n_idle < (int)test_slow_ms(20);) {
                newline = b->n > n_seen ? memchr(b->data + n_seen, '\n', b->n - n_seen) : NULL;
                if (newline)
                        break;
                n_seen = b->n;
                fixture_turn(daemon);
                n_idle = read_more(fd) ? 0 : n_idle + 1;
        }
        if (!newline)
                return NULL;
        free(line);
        line = strndup(b->data, (size_t)(newline - b->data));
        b->n -= (size_t)(newline + 1 - b->data);
        memmove(b->data, newline + 1, b->n);
        return line;
}

bool fixture_is_gone(struct daemon *daemon, int fd) {
        char byte;
        ssize_t n;

        fixture_turn(daemon);
        n = recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
        return n == 0 || (n < 0 && errno != EAGAIN);
}

static json_t *call(struct daemon *daemon, int fd, const char *method, const char *params,
                    const char *member) {
        const char *line;
        json_t *answer, *value;
        char *text;

        if (params)
                ck_assert_int_ge(asprintf(&text,
                                          "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":%s,"
                                          "\"id\":77}\n",
                                          method, params),
                                 0);
        else
                ck_assert_int_ge(asprintf(&text,
                                          "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"id\":77}\n",
                                          method),
                                 0);
        fixture_say(fd, text);
        line = fixture_hear(daemon, fd);
        ck_assert_msg(line != NULL, "no answer to %s", text);
        answer = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        value = json_object_get(answer, member);
        ck_assert_msg(value && json_integer_value(json_object_get(answer, "id")) == 77,
                      "%s answers %s", text, line);
        json_incref(value);
        json_decref(answer);
        free(text);
        return value;
}

json_t *fixture_call(struct daemon *daemon, int fd, const char *method, const char *params) {
        return call(daemon, fd, method, params, "result");
}

json_t *fixture_fail(struct daemon *daemon, int fd, const char *method, const char *params) {
        return call(daemon, fd, method, params, "error");
}

json_t *fixture_ask(struct daemon *daemon, const char *method, const char *params) {
        _cleanup_close_ int fd = fixture_connect(daemon);

        return fixture_call(daemon, fd, method, params);
}

void fixture_expect(struct daemon *daemon, int fd, const char *line) {
        const char *is = fixture_hear(daemon, fd);

        ck_assert_str_eq(is ?: "nothing", line ?: "nothing");
}

void fixture_expect_reason(struct daemon *daemon, int fd, const char *method, const char *params,
                           const char *reason) {
        json_t *error = fixture_fail(daemon, fd, method, params);

        ck_assert_str_eq(
                json_string_value(json_object_get(json_object_get(error, "data"), "reason")),
                reason);
        json_decref(error);
}

void fixture_init_many(struct daemon *daemon) {
        const unsigned int n = LIMIT_WATCHED_HANDLES + 1;
        char *text = malloc(n * 48 + 100), *at = text;

        at += sprintf(at, "handles:\n");
        for (unsigned int i = 0; i < n; i++)
                at += sprintf(at, "  handle-with-a-rather-long-name-%u: {}\n", i);
        sprintf(at, "access: {read: [\"*\"], admin: [\"*\"]}\n");
        fixture_init(daemon, text);
        free(text);
}
