/* mosquitto: MQTT 3.1.1 PUBLISH, quality of service 0, on a unix socket. */

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/peer.h"

enum {
        MQTT_CONNECT = 0x10,
        MQTT_CONNACK = 0x20,
        MQTT_PUBLISH = 0x30,
        MQTT_SUBSCRIBE = 0x82,
        MQTT_SUBACK = 0x90,
        MQTT_PINGREQ = 0xc0,
        MQTT_PINGRESP = 0xd0,
};

static bool mosquitto_start(struct server *server) {
        char conf[2 * SERVER_PATH];
        char *argv[] = {"mosquitto", "-c", conf, NULL};

        snprintf(server->path, sizeof(server->path), "%.100s/mqtt.sock", server->dir);
        /* As whoever runs the benchmark: another user could not make the socket. */
        snprintf(conf, sizeof(conf), "%s",
                 server_write_file(server, "mosquitto.conf",
                                   "listener 0 %s\nallow_anonymous true\npersistence false\n"
                                   "log_type error\n%s",
                                   server->path, geteuid() == 0 ? "user root\n" : ""));
        server_start(server, argv, -1);
        server_wait(server);
        return true;
}

/* Takes a packet of less than 128 bytes, and returns its type, flags included. */
static unsigned char take_packet(struct link *link) {
        unsigned char type;

        while (link->n_in < 2 || link->n_in < 2U + (unsigned char)link->in[1])
                link_read(link, true);
        type = (unsigned char)link->in[0];
        link_consume(link, 2U + (unsigned char)link->in[1]);
        return type;
}

static void expect(struct link *link, unsigned char wanted) {
        unsigned char type = take_packet(link);

        if (type != wanted)
                die("mosquitto answers %#x, not %#x", type, wanted);
}

static void mosquitto_settle(struct link *link) {
        static const char ping[] = {(char)MQTT_PINGREQ, 0};

        link_write(link, ping, sizeof(ping));
        expect(link, MQTT_PINGRESP);
}

static void mosquitto_open(struct link *link) {
        /* Protocol level 4, clean session, no keep-alive, an empty name. */
        static const char hello[] = {MQTT_CONNECT, 12, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, 0};

        link->fd = server_connect(link->server, SOCK_STREAM);
        link_write(link, hello, sizeof(hello));
        expect(link, MQTT_CONNACK);
}

static size_t mosquitto_marshal(char *to, const char *name) {
        size_t n_name = strlen(name);

        to[0] = MQTT_PUBLISH;
        to[1] = (char)(2 + n_name + 1);
        to[2] = 0;
        to[3] = (char)n_name;
        memcpy(to + 4, name, n_name);
        to[4 + n_name] = '1';
        return 5 + n_name;
}

static void mosquitto_subscribe(struct link *link, const char *name) {
        size_t n_name = strlen(name);
        char text[MAX_MESSAGE] = {(char)MQTT_SUBSCRIBE, (char)(2 + 2 + n_name + 1), 0, 1, 0,
                                  (char)n_name};

        memcpy(text + 6, name, n_name);
        text[6 + n_name] = 0;
        link_write(link, text, 7 + n_name);
        expect(link, MQTT_SUBACK);
}

static void mosquitto_receive(struct link *link) {
        expect(link, MQTT_PUBLISH);
}

const struct peer peer_mosquitto = {
        .name = "mosquitto",
        .programs = {"mosquitto"},
        .what = "PUBLISH QoS 0, unix socket",
        .start = mosquitto_start,
        .open = mosquitto_open,
        .marshal = mosquitto_marshal,
        .publish = link_publish,
        .settle = mosquitto_settle,
        .subscribe = mosquitto_subscribe,
        .receive = mosquitto_receive,
};
