/* See the header. Each server runs in a child of the program, on sockets that were made before. */

#include "bench/bare.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "bench/measure.h"

#define MAX_BYTES 512
#define AT_ONCE   64

struct bare {
        enum bare_kind kind;
        int fd, listen_fd;
        uv_poll_t poll;
        uv_pipe_t listener, *subscriber;
};

static int make_socket(const char *path, int kind) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, kind | SOCK_CLOEXEC, 0);

        snprintf(address.sun_path, sizeof(address.sun_path), "%.*s",
                 (int)sizeof(address.sun_path) - 1, path);
        if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                die("cannot bind %s: %m", path);
        return fd;
}

static void receive_all(int fd) {
        char bytes[MAX_BYTES];

        while (recv(fd, bytes, sizeof(bytes), 0) >= 0)
                ;
}

static void receive_many(int fd) {
        static char bytes[AT_ONCE][MAX_BYTES];
        struct mmsghdr headers[AT_ONCE];
        struct iovec iovs[AT_ONCE];

        for (size_t i = 0; i < AT_ONCE; i++) {
                iovs[i] = (struct iovec){bytes[i], MAX_BYTES};
                headers[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &iovs[i], .msg_iovlen = 1}};
        }
        while (recvmmsg(fd, headers, AT_ONCE, MSG_WAITFORONE, NULL) >= 0)
                ;
}

static void receive_with_credentials(int fd) {
        char bytes[MAX_BYTES], control[CMSG_SPACE(sizeof(struct ucred))];
        struct iovec iov = {bytes, sizeof(bytes)};
        struct sockaddr_un address;
        struct msghdr header;

        do
                header = (struct msghdr){.msg_name = &address,
                                         .msg_namelen = sizeof(address),
                                         .msg_iov = &iov,
                                         .msg_iovlen = 1,
                                         .msg_control = control,
                                         .msg_controllen = sizeof(control)};
        while (recvmsg(fd, &header, 0) >= 0);
}

static void on_echo(uv_poll_t *poll, int status, int events) {
        struct bare *bare = poll->data;
        struct sockaddr_un address;
        socklen_t n_address = sizeof(address);
        char bytes[MAX_BYTES];
        ssize_t n;

        (void)status;
        (void)events;
        n = recvfrom(bare->fd, bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&address,
                     &n_address);
        if (n >= 0)
                (void)sendto(bare->fd, bytes, (size_t)n, MSG_DONTWAIT, (struct sockaddr *)&address,
                             n_address);
}

static void on_forward(uv_poll_t *poll, int status, int events) {
        struct bare *bare = poll->data;
        char bytes[MAX_BYTES];
        uv_buf_t buffer;
        ssize_t n;

        (void)status;
        (void)events;
        n = recv(bare->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n < 0 || !bare->subscriber)
                return;
        buffer = uv_buf_init(bytes, (unsigned int)n);
        (void)uv_try_write((uv_stream_t *)bare->subscriber, &buffer, 1);
}

static void on_closed(uv_handle_t *handle) {
        free(handle);
}

/* The last one that has connected counts. */
static void on_connection(uv_stream_t *listener, int status) {
        struct bare *bare = listener->data;
        uv_pipe_t *subscriber = calloc(1, sizeof(*subscriber));

        if (status < 0 || !subscriber)
                die("cannot accept");
        if (bare->subscriber)
                uv_close((uv_handle_t *)bare->subscriber, on_closed);
        uv_pipe_init(listener->loop, subscriber, 0);
        if (uv_accept(listener, (uv_stream_t *)subscriber) < 0)
                die("cannot accept");
        bare->subscriber = subscriber;
}

static void serve(void *arg) {
        struct bare *bare = arg;
        uv_loop_t loop;

        if (bare->kind == BARE_RECV)
                receive_all(bare->fd);
        if (bare->kind == BARE_RECVMMSG)
                receive_many(bare->fd);
        if (bare->kind == BARE_RECVMSG)
                receive_with_credentials(bare->fd);
        if (bare->kind == BARE_NAMES)
                bare_serve_names(bare->fd);
        uv_loop_init(&loop);
        uv_poll_init(&loop, &bare->poll, bare->fd);
        bare->poll.data = bare;
        uv_poll_start(&bare->poll, UV_READABLE, bare->kind == BARE_ECHO ? on_echo : on_forward);
        if (bare->kind == BARE_FORWARD) {
                uv_pipe_init(&loop, &bare->listener, 0);
                bare->listener.data = bare;
                uv_pipe_open(&bare->listener, bare->listen_fd);
                uv_listen((uv_stream_t *)&bare->listener, 8, on_connection);
        }
        uv_run(&loop, UV_RUN_DEFAULT);
}

void bare_start(struct server *server, enum bare_kind kind) {
        struct bare bare = {.kind = kind, .listen_fd = -1};

        bare.fd = make_socket(server_path(server, "poke.sock"), SOCK_DGRAM);
        if (kind == BARE_FORWARD) {
                snprintf(server->path, sizeof(server->path), "%.100s/stream.sock", server->dir);
                bare.listen_fd = make_socket(server->path, SOCK_STREAM);
                if (listen(bare.listen_fd, 8) < 0)
                        die("cannot listen: %m");
        }
        if (kind == BARE_RECVMSG &&
            setsockopt(bare.fd, SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int)) < 0)
                die("cannot ask for credentials: %m");
        server_start_fn(server, serve, &bare);
        close(bare.fd);
        if (bare.listen_fd >= 0)
                close(bare.listen_fd);
}

static bool forwarder_start(struct server *server) {
        bare_start(server, BARE_FORWARD);
        return true;
}

static void open_poke(struct link *link) {
        link->fd = server_connect_path(server_path(link->server, "poke.sock"), SOCK_DGRAM);
}

static size_t marshal_line(char *to, const char *name) {
        return (size_t)snprintf(to, MAX_MESSAGE, "%s\n", name);
}

static void forwarder_settle(struct link *link) {
        (void)link;
}

/* A datagram through the server says that it has accepted the stream. */
static void forwarder_subscribe(struct link *link, const char *name) {
        char text[MAX_MESSAGE];
        size_t n = marshal_line(text, name);

        link->other_fd = link->fd;
        link->fd = server_connect(link->server, SOCK_STREAM);
        for (int i = 0; i < 1000 && link->n_in == 0; i++) {
                (void)send(link->other_fd, text, n, 0);
                usleep(1000);
                (void)link_read(link, false);
        }
        while (link_read(link, false))
                ;
        link->n_in = 0;
}

static void forwarder_receive(struct link *link) {
        link_expect(link, "\n");
}

const struct peer peer_forwarder = {
        .name = "bare libuv forwarder",
        .what = "datagram in, stream out",
        .start = forwarder_start,
        .open = open_poke,
        .marshal = marshal_line,
        .publish = link_publish,
        .settle = forwarder_settle,
        .subscribe = forwarder_subscribe,
        .receive = forwarder_receive,
};

static bool names_start(struct server *server) {
        bare_start(server, BARE_NAMES);
        return true;
}

/* It answers nothing, so the kernel is asked what it still holds. */
static void names_settle(struct link *link) {
        int n_left;

        while (ioctl(link->fd, SIOCOUTQ, &n_left) == 0 && n_left > 0)
                sched_yield();
}

const struct peer peer_bare_names = {
        .name = "a bare marked list",
        .what = "datagrams",
        .start = names_start,
        .open = open_poke,
        .marshal = marshal_line,
        .publish = link_publish,
        .settle = names_settle,
};
