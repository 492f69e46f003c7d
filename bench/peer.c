/* What the peers' protocols share: bytes in, bytes out, lines. */

#include "bench/peer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/measure.h"
#include "lib/cleanup.h"

const struct peer *const peers[] = {
        &peer_roused,      &peer_redis,       &peer_nats, &peer_mosquitto,
        &peer_dbus_broker, &peer_dbus_daemon, &peer_s6,   NULL,
};

bool peer_is_there(const struct peer *peer) {
        for (size_t i = 0; i < sizeof(peer->programs) / sizeof(*peer->programs); i++)
                if (peer->programs[i] && !server_is_there(peer->programs[i]))
                        return false;
        return true;
}

/* A member of a D-Bus interface may be called so, too. */
void peer_make_name(char name[static MAX_NAME], size_t i) {
        snprintf(name, MAX_NAME, "handle_%06zu", i % N_NAMES);
}

void link_init(struct link *link, const struct server *server, int fd) {
        link->server = server;
        link->fd = fd;
        link->other_fd = -1;
        link->n_owed = 0;
        link->n_in = 0;
}

void link_deinit(struct link *link) {
        link->fd = close_fd(link->fd);
        link->other_fd = close_fd(link->other_fd);
}

void link_write(struct link *link, const void *data, size_t n) {
        const char *at = data;

        while (n > 0) {
                ssize_t m = send(link->fd, at, n, MSG_NOSIGNAL);

                if (m < 0)
                        die("cannot write to the server in %s: %m", link->server->dir);
                at += m;
                n -= (size_t)m;
        }
}

void link_publish(struct link *link, const char *data, size_t n_data, size_t n) {
        (void)n;
        link_write(link, data, n_data);
}

bool link_read(struct link *link, bool wait) {
        ssize_t n;

        if (link->n_in == sizeof(link->in))
                die("the server in %s says too much", link->server->dir);
        n = recv(link->fd, link->in + link->n_in, sizeof(link->in) - link->n_in,
                 wait ? 0 : MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN && !wait)
                return false;
        if (n <= 0)
                die("the server in %s hangs up", link->server->dir);
        link->n_in += (size_t)n;
        return true;
}

void link_consume(struct link *link, size_t n) {
        memmove(link->in, link->in + n, link->n_in - n);
        link->n_in -= n;
}

void link_expect(struct link *link, const char *text) {
        size_t n_text = strlen(text);
        const char *found;

        while (!(found = memmem(link->in, link->n_in, text, n_text)))
                link_read(link, true);
        link_consume(link, (size_t)(found - link->in) + n_text);
}

size_t link_take_lines(struct link *link) {
        const char *at = link->in, *end = link->in + link->n_in, *newline;
        size_t n = 0;

        while ((newline = memchr(at, '\n', (size_t)(end - at)))) {
                at = newline + 1;
                n++;
        }
        link_consume(link, (size_t)(at - link->in));
        return n;
}
