/* The least that a server on a unix socket can do: what roused is held against. */
#pragma once

#include "bench/peer.h"

enum bare_kind {
        BARE_RECV,     /* receives datagrams, one a system call */
        BARE_RECVMMSG, /* many a system call */
        BARE_RECVMSG,  /* one a system call, with its sender's address and credentials */
        BARE_ECHO,     /* a libuv loop that sends each datagram back */
        BARE_FORWARD,  /* one that writes each to whoever has connected to its stream socket */
        BARE_NAMES,    /* one that looks names up and marks them */
};

/* Starts it, after server_init(): the datagram socket is `poke.sock` in its directory. */
void bare_start(struct server *server, enum bare_kind kind);

/* BARE_NAMES, on its socket: does not return. */
void bare_serve_names(int fd);

/* BARE_FORWARD and BARE_NAMES as rows of the peers' table. */
extern const struct peer peer_forwarder, peer_bare_names;
