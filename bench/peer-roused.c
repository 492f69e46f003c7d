/*
 * roused: names in datagrams on poke.sock; notifications, or answers to `wait`, on control.sock.
 *
 * A sender does not want answers, so its socket has no address. To know that everything was taken
 * it sends once more from a socket that has one: the datagrams of all stand in one queue.
 */

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "bench/measure.h"
#include "bench/peer.h"

static bool start(struct server *server, const char *access) {
        char conf[2 * SERVER_PATH];
        char *argv[] = {(char *)built_program("daemon/roused"),
                        "--config",
                        conf,
                        "--dir",
                        server->dir,
                        NULL};
        char name[MAX_NAME];
        FILE *file;

        snprintf(server->path, sizeof(server->path), "%.100s/control.sock", server->dir);
        snprintf(conf, sizeof(conf), "%s", server_path(server, "roused.yaml"));
        file = fopen(conf, "we");
        if (!file)
                die("cannot write %s: %m", conf);
        fprintf(file, "%shandles:\n", access);
        for (size_t i = 0; i < N_NAMES; i++) {
                peer_make_name(name, i);
                fprintf(file, "  %s: {}\n", name);
        }
        fclose(file);
        server_start(server, argv, -1);
        server_wait(server);
        return true;
}

static bool roused_start(struct server *server) {
        return start(server, "");
}

static bool roused_start_open(struct server *server) {
        return start(server, "access: {send: '*'}\n");
}

static void roused_open(struct link *link) {
        const struct sockaddr_un no_address = {.sun_family = AF_UNIX};
        char path[2 * SERVER_PATH];

        snprintf(path, sizeof(path), "%s", server_path(link->server, "poke.sock"));
        link->fd = server_connect_path(path, SOCK_DGRAM);
        link->other_fd = server_connect_path(path, SOCK_DGRAM);
        if (bind(link->other_fd, (const struct sockaddr *)&no_address, sizeof(sa_family_t)) < 0)
                die("cannot bind a socket: %m");
}

static size_t roused_marshal(char *to, const char *name) {
        return (size_t)snprintf(to, MAX_MESSAGE, "%s\n", name);
}

static void roused_settle(struct link *link) {
        char name[MAX_NAME], answer[64];

        peer_make_name(name, N_NAMES - 1);
        if (send(link->other_fd, name, strlen(name), 0) < 0 ||
            recv(link->other_fd, answer, sizeof(answer), 0) < 4 || memcmp(answer, "ok ", 3) != 0)
                die("roused does not acknowledge: %m");
}

static void roused_subscribe(struct link *link, const char *name) {
        char text[MAX_MESSAGE];
        int n = snprintf(text, sizeof(text),
                         "{\"jsonrpc\":\"2.0\",\"method\":\"subscribe\",\"params\":[\"%s\"],"
                         "\"id\":1}\n",
                         name);

        link_deinit(link);
        link->fd = server_connect(link->server, SOCK_STREAM);
        link_write(link, text, (size_t)n);
        link_expect(link, "\"handles\":1}");
        link_expect(link, "\n");
}

static void roused_receive(struct link *link) {
        link_expect(link, "\n");
}

/* The answer to the ping says that the wait stands. */
static void roused_rearm(struct link *link) {
        char name[MAX_NAME], text[MAX_MESSAGE];
        int n;

        peer_make_name(name, 0);
        n = snprintf(text, sizeof(text),
                     "{\"jsonrpc\":\"2.0\",\"method\":\"wait\",\"params\":[\"%s\"],\"id\":1}\n"
                     "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":2}\n",
                     name);
        link_write(link, text, (size_t)n);
        link_expect(link, "\n");
}

static void roused_await(struct link *link, const char *name) {
        (void)name; /* it is the first one */
        link_deinit(link);
        link->fd = server_connect(link->server, SOCK_STREAM);
}

const struct peer peer_roused = {
        .name = "roused",
        .what = "poke.sock; subscribe on control.sock",
        .start = roused_start,
        .open = roused_open,
        .marshal = roused_marshal,
        .publish = link_publish,
        .settle = roused_settle,
        .subscribe = roused_subscribe,
        .receive = roused_receive,
};

const struct peer peer_roused_open = {
        .name = "roused, everybody may send",
        .what = "poke.sock",
        .start = roused_start_open,
        .open = roused_open,
        .marshal = roused_marshal,
        .publish = link_publish,
        .settle = roused_settle,
};

const struct peer peer_roused_wait = {
        .name = "roused, wait",
        .what = "poke.sock; wait on control.sock",
        .start = roused_start,
        .open = roused_open,
        .marshal = roused_marshal,
        .publish = link_publish,
        .settle = roused_settle,
        .subscribe = roused_await,
        .receive = roused_receive,
        .rearm = roused_rearm,
};
