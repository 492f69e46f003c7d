/* The senders of datagrams that came lately, with their groups: looking those up may ask a server
 * on the network. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "daemon/peer.h"

#define N_CACHED_PEERS 16

struct access_rules;

struct cached_peer {
        struct peer peer;
        bool is_master;    /* may everything; its groups were not looked up */
        uint64_t until_ms; /* 0: free */
};

/* Zeroed: nobody. */
struct peer_cache {
        struct cached_peer peers[N_CACHED_PEERS];
        size_t next;
        bool is_failing; /* the last look-up, which was logged */
};

/* NULL: not there, or not any more. The time is of the monotonic clock. */
const struct cached_peer *peer_cache_find(const struct peer_cache *cache, const struct ucred *ucred,
                                          uint64_t now_ms);
/* Looks it up and keeps it, in the place of the oldest, which nobody may use from then on. If that
 * fails it is kept for a second without its groups, and the first failure is logged. May block, see
 * peer_init_from_ids(). */
const struct cached_peer *peer_cache_add(struct peer_cache *cache, const struct access_rules *rules,
                                         const struct ucred *ucred);
void peer_cache_clear(struct peer_cache *cache);
