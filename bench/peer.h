/*
 * Servers that do what roused does: somebody says a name, and whoever waits for it is told. Each is
 * a row of the table and a file, which speaks the server's protocol as far as a sender and a
 * subscriber need it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "bench/server.h"

#define NAMES_PER_WRITE 64
#define N_NAMES         100000U /* that a server knows, if it has to know them */
#define MAX_NAME        32
#define MAX_MESSAGE     512 /* one name, marshalled */

/* A connection of a sender or subscriber, with what came in and was not taken. */
struct link {
        const struct server *server;
        int fd, other_fd; /* other_fd: a second one, where that is needed; -1 */
        uint64_t n_owed;  /* replies that are still to come */
        size_t n_in;
        char in[64U << 10];
};

struct peer {
        const char *name;
        const char *programs[2]; /* that have to be there; NULL: no more */
        const char *what;        /* how it is used, for the table */

        /* Starts the server, after server_init(), and waits until it answers. False: it cannot be
         * had here; then server_stop() follows. */
        bool (*start)(struct server *server);

        /* Opens a connection, with whatever greetings there are. */
        void (*open)(struct link *link);

        /* Puts the publication of a name at `to`; returns its length. */
        size_t (*marshal)(char *to, const char *name);

        /* Publishes what was marshalled, n names. */
        void (*publish)(struct link *link, const char *data, size_t n_data, size_t n);

        /* Returns once the server has taken all that was published. */
        void (*settle)(struct link *link);

        /* Returns once publications of the name come here. */
        void (*subscribe)(struct link *link, const char *name);

        /* Returns after one has come. */
        void (*receive)(struct link *link);

        /* Gets ready for the next one, outside of what is measured; NULL: nothing to do. */
        void (*rearm)(struct link *link);
};

extern const struct peer peer_roused, peer_roused_open, peer_roused_wait, peer_redis, peer_nats,
        peer_mosquitto, peer_dbus_broker, peer_dbus_daemon, peer_s6;

/* All of them, roused first; ends with NULL. */
extern const struct peer *const peers[];

bool peer_is_there(const struct peer *peer);
void peer_make_name(char name[static MAX_NAME], size_t i);

/* For their files: */

void link_init(struct link *link, const struct server *server, int fd);
void link_deinit(struct link *link);

/* Writes all of it. */
void link_write(struct link *link, const void *data, size_t n);
void link_publish(struct link *link, const char *data, size_t n_data, size_t n); /* the same */

/* Reads something more into `in`. False, if `wait` is not set: there is nothing. */
bool link_read(struct link *link, bool wait);

/* Throws the first n bytes of `in` away. */
void link_consume(struct link *link, size_t n);

/* Waits for this text, and throws away all up to its end. */
void link_expect(struct link *link, const char *text);

/* Takes whole lines that have come, and returns how many. */
size_t link_take_lines(struct link *link);
