/*
 * redis: PUBLISH on its unix socket, without persistence. Every PUBLISH is answered; the answers
 * are taken as they come, so that they do not pile up in the server.
 */

#include <string.h>
#include <sys/socket.h>

#include "bench/peer.h"

static bool redis_start(struct server *server) {
        char *argv[] = {
                "redis-server", "--port", "0",     "--unixsocket", server->path,  "--save", "",
                "--appendonly", "no",     "--dir", server->dir,    "--daemonize", "no",     NULL};

        snprintf(server->path, sizeof(server->path), "%.100s/redis.sock", server->dir);
        server_start(server, argv, -1);
        server_wait(server);
        return true;
}

static void redis_open(struct link *link) {
        link->fd = server_connect(link->server, SOCK_STREAM);
}

static size_t redis_marshal(char *to, const char *name) {
        return (size_t)snprintf(to, MAX_MESSAGE, "*3\r\n$7\r\nPUBLISH\r\n$%zu\r\n%s\r\n$1\r\n1\r\n",
                                strlen(name), name);
}

static void redis_publish(struct link *link, const char *data, size_t n_data, size_t n) {
        link_write(link, data, n_data);
        link->n_owed += n;
        while (link->n_owed > 4 * (uint64_t)n && link_read(link, true))
                link->n_owed -= link_take_lines(link);
}

static void redis_settle(struct link *link) {
        while (link->n_owed > 0) {
                link_read(link, true);
                link->n_owed -= link_take_lines(link);
        }
}

static void redis_subscribe(struct link *link, const char *name) {
        char text[MAX_MESSAGE];
        int n = snprintf(text, sizeof(text), "*2\r\n$9\r\nSUBSCRIBE\r\n$%zu\r\n%s\r\n",
                         strlen(name), name);

        link_write(link, text, (size_t)n);
        link_expect(link, ":1\r\n");
}

static void redis_receive(struct link *link) {
        /* *3 $7 message $n NAME $1 1 */
        for (size_t n_lines = 0; n_lines < 7; n_lines += link_take_lines(link))
                link_read(link, true);
}

const struct peer peer_redis = {
        .name = "redis",
        .programs = {"redis-server"},
        .what = "PUBLISH, unix socket",
        .start = redis_start,
        .open = redis_open,
        .marshal = redis_marshal,
        .publish = redis_publish,
        .settle = redis_settle,
        .subscribe = redis_subscribe,
        .receive = redis_receive,
};
