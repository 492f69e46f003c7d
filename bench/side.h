/* One of the servers that take turns in a measurement. */
#pragma once

#include "bench/bare.h"
#include "bench/peer.h"
#include "bench/samples.h"

struct side {
        const char *name;
        const struct peer *peer; /* NULL: one of the bare servers */
        struct server server;
        struct samples *samples; /* of latencies; or NULL */
        int client_cpu, server_cpu;
        uint32_t n_names; /* that are used, of all that there are */
        bool is_shared;   /* its server is another side's */
};

/* Starts the server of a peer; false: it is not to be had, which is said on the standard output. */
bool side_start(struct side *side, const struct peer *peer);
void side_start_bare(struct side *side, enum bare_kind kind, const char *name);

/* The same server, used with so many names. It is stopped with the first side. */
void side_share(struct side *side, const struct side *first, const char *name, uint32_t n_names);

/* Starts those of the table that are to be had, roused itself last; returns how many. */
int sides_start_peers(struct side *sides);

/* Client and server on one processor, or on one each. */
void sides_place(struct side *sides, int n, int n_processors);

void sides_stop(struct side *sides, int n);

/* A connection to its server. */
struct link *side_open(const struct side *side);
