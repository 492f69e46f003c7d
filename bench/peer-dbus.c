/*
 * D-Bus: signals, broadcast by dbus-daemon or dbus-broker on a private bus.
 *
 * dbus-broker wants somebody who configures it, usually its launcher, which in turn wants systemd's
 * journal. It is told what it has to know on a socket that it is given: which socket to listen on,
 * and that everybody may do everything.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench/dbus.h"
#include "bench/measure.h"
#include "bench/peer.h"
#include "lib/cleanup.h"

static uint32_t take_message(struct link *link) {
        enum dbus_type type;
        size_t n;

        while ((n = dbus_length(link->in, link->n_in)) == 0 || n > link->n_in)
                link_read(link, true);
        type = (enum dbus_type)link->in[1];
        if (type == DBUS_ERROR)
                die("a bus answers with an error: %.*s", (int)(n - 16), link->in + 16);
        link_consume(link, n);
        return type;
}

static void expect(struct link *link, enum dbus_type type) {
        while (take_message(link) != type)
                ;
}

/* Says who we are, as the first thing on a connection. */
static void greet(struct link *link) {
        char uid[16], text[128];
        int n;

        snprintf(uid, sizeof(uid), "%u", (unsigned int)geteuid());
        text[0] = '\0';
        n = 1 + snprintf(text + 1, sizeof(text) - 1, "AUTH EXTERNAL ");
        for (const char *digit = uid; *digit; digit++)
                n += snprintf(text + n, sizeof(text) - (size_t)n, "%02x", *digit);
        n += snprintf(text + n, sizeof(text) - (size_t)n, "\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n");
        link_write(link, text, (size_t)n);
        link_expect(link, "OK ");
        link_expect(link, "AGREE_UNIX_FD\r\n");
}

static void call_bus(struct link *link, const char *interface, const char *member,
                     const char *argument) {
        const struct dbus_header header = {.type = DBUS_CALL,
                                           .serial = 1,
                                           .path = "/org/freedesktop/DBus",
                                           .interface = interface,
                                           .member = member,
                                           .destination = "org.freedesktop.DBus",
                                           .signature = argument ? "s" : NULL};
        struct dbus_message message;

        dbus_begin(&message, &header);
        if (argument)
                dbus_put_string(&message, argument);
        dbus_end(&message);
        link_write(link, message.data, message.n);
        expect(link, DBUS_RETURN);
}

static void bus_open(struct link *link) {
        link->fd = server_connect(link->server, SOCK_STREAM);
        greet(link);
        call_bus(link, "org.freedesktop.DBus", "Hello", NULL);
}

static size_t bus_marshal(char *to, const char *name) {
        const struct dbus_header header = {.type = DBUS_SIGNAL,
                                           .serial = 1,
                                           .path = "/bench",
                                           .interface = "org.rouse.Bench",
                                           .member = name};
        struct dbus_message message;

        dbus_begin(&message, &header);
        dbus_end(&message);
        memcpy(to, message.data, message.n);
        return message.n;
}

static void bus_settle(struct link *link) {
        call_bus(link, "org.freedesktop.DBus.Peer", "Ping", NULL);
}

static void bus_subscribe(struct link *link, const char *name) {
        char rule[128];

        snprintf(rule, sizeof(rule), "type='signal',interface='org.rouse.Bench',member='%s'", name);
        call_bus(link, "org.freedesktop.DBus", "AddMatch", rule);
}

static void bus_receive(struct link *link) {
        expect(link, DBUS_SIGNAL);
}

static void set_path(struct server *server) {
        snprintf(server->path, sizeof(server->path), "%.100s/bus", server->dir);
}

static bool daemon_start(struct server *server) {
        char conf[2 * SERVER_PATH];
        char *argv[] = {"dbus-daemon", "--nofork", "--nopidfile", "--config-file", conf, NULL};

        set_path(server);
        snprintf(conf, sizeof(conf), "%s",
                 server_write_file(server, "bus.conf",
                                   "<busconfig><type>session</type><listen>unix:path=%s</listen>"
                                   "<auth>EXTERNAL</auth><policy context=\"default\">"
                                   "<allow send_destination=\"*\" eavesdrop=\"true\"/>"
                                   "<allow eavesdrop=\"true\"/><allow own=\"*\"/>"
                                   "</policy></busconfig>\n",
                                   server->path));
        server_start(server, argv, -1);
        server_wait(server);
        return true;
}

/* A rule for messages in one direction: all are allowed. */
static void put_xmit(struct dbus_message *message) {
        size_t mark = dbus_open_array(message);

        dbus_align(message, 8);
        dbus_put_u32(message, true);
        dbus_put_u64(message, 1); /* priority */
        for (int i = 0; i < 4; i++)
                dbus_put_string(message, ""); /* any name, path, interface, member */
        dbus_put_u32(message, 0);             /* any type */
        dbus_put_u32(message, 0);             /* broadcast or not */
        dbus_put_u64(message, 0);             /* descriptors */
        dbus_put_u64(message, UINT64_MAX);
        dbus_close_array(message, mark);
}

#define BATCH  "bta(btbs)a(btssssuutt)a(btssssuutt)"
#define POLICY "(a(u(" BATCH "))a(buu(" BATCH "))a(ss)bs)"

static void put_policy(struct dbus_message *message) {
        size_t users, names;

        dbus_put_signature(message, POLICY);
        dbus_align(message, 8);
        users = dbus_open_array(message);
        dbus_align(message, 8);
        dbus_put_u32(message, UINT32_MAX); /* everybody */
        dbus_align(message, 8);
        dbus_put_u32(message, true); /* may connect */
        dbus_put_u64(message, 1);
        names = dbus_open_array(message);
        dbus_align(message, 8);
        dbus_put_u32(message, true);
        dbus_put_u64(message, 1);
        dbus_put_u32(message, true); /* names that begin with nothing */
        dbus_put_string(message, "");
        dbus_close_array(message, names);
        put_xmit(message);
        put_xmit(message);
        dbus_close_array(message, users);
        dbus_close_array(message, dbus_open_array(message)); /* ranges of users */
        dbus_close_array(message, dbus_open_array(message)); /* of SELinux */
        dbus_put_u32(message, false);                        /* AppArmor */
        dbus_put_string(message, "session");
}

static void write_with_fd(struct link *link, const struct dbus_message *message, int fd) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control = {.header = {.cmsg_level = SOL_SOCKET,
                                .cmsg_type = SCM_RIGHTS,
                                .cmsg_len = CMSG_LEN(sizeof(int))}};
        struct iovec iov = {(void *)message->data, message->n};
        struct msghdr header = {.msg_iov = &iov,
                                .msg_iovlen = 1,
                                .msg_control = &control,
                                .msg_controllen = sizeof(control)};

        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        if (sendmsg(link->fd, &header, MSG_NOSIGNAL) != (ssize_t)message->n)
                die("cannot write to dbus-broker: %m");
}

static int listen_at(const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        snprintf(address.sun_path, sizeof(address.sun_path), "%.*s",
                 (int)sizeof(address.sun_path) - 1, path);
        if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
            listen(fd, 16) < 0)
                die("cannot listen at %s: %m", path);
        return steal_fd(&fd);
}

static bool broker_start(struct server *server) {
        static const struct dbus_header header = {.type = DBUS_CALL,
                                                  .serial = 1,
                                                  .path = "/org/bus1/DBus/Broker",
                                                  .interface = "org.bus1.DBus.Broker",
                                                  .member = "AddListener",
                                                  .signature = "ohv",
                                                  .n_fds = 1};
        static struct link controller;
        char *argv[] = {"dbus-broker",
                        "--controller",
                        "3",
                        "--machine-id",
                        "0123456789abcdef0123456789abcdef",
                        NULL};
        _cleanup_close_ int listen_fd = -1;
        struct dbus_message message;
        int fds[2];

        set_path(server);
        listen_fd = listen_at(server->path);
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
                die("cannot make a pair of sockets: %m");
        server_start(server, argv, fds[1]);
        close(fds[1]);
        server->kept_fd = fds[0];
        link_init(&controller, server, fds[0]);
        greet(&controller);
        dbus_begin(&message, &header);
        dbus_put_string(&message, "/org/bus1/DBus/Listener/0");
        dbus_put_u32(&message, 0); /* the first descriptor */
        put_policy(&message);
        dbus_end(&message);
        write_with_fd(&controller, &message, listen_fd);
        expect(&controller, DBUS_RETURN);
        server_wait(server);
        return true;
}

const struct peer peer_dbus_broker = {
        .name = "dbus-broker",
        .programs = {"dbus-broker"},
        .what = "signals",
        .start = broker_start,
        .open = bus_open,
        .marshal = bus_marshal,
        .publish = link_publish,
        .settle = bus_settle,
        .subscribe = bus_subscribe,
        .receive = bus_receive,
};

const struct peer peer_dbus_daemon = {
        .name = "dbus-daemon",
        .programs = {"dbus-daemon"},
        .what = "signals",
        .start = daemon_start,
        .open = bus_open,
        .marshal = bus_marshal,
        .publish = link_publish,
        .settle = bus_settle,
        .subscribe = bus_subscribe,
        .receive = bus_receive,
};
