/* See the header. */

#include "bench/side.h"

#include <stdlib.h>

#include "bench/measure.h"

bool side_start(struct side *side, const struct peer *peer) {
        *side = (struct side){.peer = peer, .name = peer->name, .n_names = N_NAMES};
        if (!peer_is_there(peer)) {
                printf("%s is not installed.\n\n", peer->name);
                return false;
        }
        server_init(&side->server);
        if (peer->start(&side->server))
                return true;
        printf("%s cannot be started here.\n\n", peer->name);
        server_stop(&side->server);
        return false;
}

void side_start_bare(struct side *side, enum bare_kind kind, const char *name) {
        *side = (struct side){.name = name, .n_names = N_NAMES};
        server_init(&side->server);
        bare_start(&side->server, kind);
}

void side_share(struct side *side, const struct side *first, const char *name, uint32_t n_names) {
        *side = *first;
        side->name = name;
        side->n_names = n_names;
        side->is_shared = true;
}

int sides_start_peers(struct side *sides) {
        int n = 0;

        for (int i = 1; peers[i]; i++)
                n += side_start(&sides[n], peers[i]);
        n += side_start(&sides[n], peers[0]);
        return n;
}

void sides_place(struct side *sides, int n, int n_processors) {
        for (int i = 0; i < n; i++) {
                sides[i].client_cpu = 0;
                sides[i].server_cpu = n_processors - 1;
        }
}

void sides_stop(struct side *sides, int n) {
        for (int i = 0; i < n; i++)
                if (!sides[i].is_shared)
                        server_stop(&sides[i].server);
}

struct link *side_open(const struct side *side) {
        struct link *link = malloc(sizeof(*link));

        if (!link)
                die("out of memory");
        link_init(link, &side->server, -1);
        side->peer->open(link);
        return link;
}
