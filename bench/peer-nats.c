/* nats-server: PUB over TCP on the loopback; it has no unix socket. */

#include <sys/socket.h>

#include "bench/peer.h"

static bool nats_start(struct server *server) {
        char port[16];
        char *argv[] = {"nats-server", "--addr", "127.0.0.1", "--port", port, NULL};

        server->port = server_find_port();
        snprintf(port, sizeof(port), "%u", server->port);
        server_start(server, argv, -1);
        server_wait(server);
        return true;
}

static void nats_settle(struct link *link) {
        static const char ping[] = "PING\r\n";

        link_write(link, ping, sizeof(ping) - 1);
        link_expect(link, "PONG\r\n");
}

static void nats_open(struct link *link) {
        static const char hello[] = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n";

        link->fd = server_connect(link->server, SOCK_STREAM);
        link_expect(link, "\r\n"); /* INFO */
        link_write(link, hello, sizeof(hello) - 1);
        nats_settle(link);
}

static size_t nats_marshal(char *to, const char *name) {
        return (size_t)snprintf(to, MAX_MESSAGE, "PUB %s 1\r\n1\r\n", name);
}

static void nats_subscribe(struct link *link, const char *name) {
        char text[MAX_MESSAGE];
        int n = snprintf(text, sizeof(text), "SUB %s 1\r\n", name);

        link_write(link, text, (size_t)n);
        nats_settle(link);
}

static void nats_receive(struct link *link) {
        /* MSG NAME 1 1, and the byte */
        for (size_t n_lines = 0; n_lines < 2; n_lines += link_take_lines(link))
                link_read(link, true);
}

const struct peer peer_nats = {
        .name = "nats",
        .programs = {"nats-server"},
        .what = "PUB, loopback TCP",
        .start = nats_start,
        .open = nats_open,
        .marshal = nats_marshal,
        .publish = link_publish,
        .settle = nats_settle,
        .subscribe = nats_subscribe,
        .receive = nats_receive,
};
