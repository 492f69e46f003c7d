/* A ring. What was looked up counts for KEEP_MS, so that who joins a group need not wait longer. */

#include "daemon/peer-cache.h"

#include "daemon/access.h"

#define KEEP_MS 60000

const struct cached_peer *peer_cache_find(const struct peer_cache *cache, const struct ucred *ucred,
                                          uint64_t now_ms) {
        for (size_t i = 0; i < N_CACHED_PEERS; i++) {
                const struct cached_peer *cached = &cache->peers[i];

                if (cached->peer.uid == ucred->uid && cached->peer.gid == ucred->gid &&
                    cached->until_ms > now_ms)
                        return cached;
        }
        return NULL;
}

const struct cached_peer *peer_cache_add(struct peer_cache *cache, const struct access_rules *rules,
                                         const struct ucred *ucred, uint64_t now_ms) {
        struct peer peer = {.pid = ucred->pid, .uid = ucred->uid, .gid = ucred->gid};
        bool is_master = access_is_master(rules, &peer);
        struct cached_peer *cached;

        if (!is_master && peer_init_from_ids(&peer, ucred->pid, ucred->uid, ucred->gid) < 0)
                return NULL;
        cached = &cache->peers[cache->next];
        cache->next = (cache->next + 1) % N_CACHED_PEERS;
        peer_deinit(&cached->peer);
        *cached = (struct cached_peer){peer, is_master, now_ms + KEEP_MS};
        return cached;
}

void peer_cache_clear(struct peer_cache *cache) {
        for (size_t i = 0; i < N_CACHED_PEERS; i++)
                peer_deinit(&cache->peers[i].peer);
        *cache = (struct peer_cache){0};
}
