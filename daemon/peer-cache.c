/*
 * A ring. What was looked up counts for KEEP_MS, so that who joins a group need not wait longer.
 *
 * Where the user database could not be asked, a sender is who the kernel says he is, without the
 * groups that only the database knows: for AGAIN_MS, since each attempt may block for long. The
 * times begin after the look-up for that reason, too.
 */

#include "daemon/peer-cache.h"

#include <string.h>

#include "daemon/access.h"
#include "daemon/log.h"
#include "lib/clock.h"

#define KEEP_MS  60000
#define AGAIN_MS 1000

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

/* Says that a look-up failed, unless it was said already. */
static void complain(struct peer_cache *cache, uid_t uid, int error) {
        if (!cache->is_failing)
                log_warning("cannot look up the groups of uid %u: %s; until this works, who sends "
                            "to poke.sock counts as in no other than his own",
                            uid, strerror(-error));
        cache->is_failing = true;
}

const struct cached_peer *peer_cache_add(struct peer_cache *cache, const struct access_rules *rules,
                                         const struct ucred *ucred) {
        struct cached_peer *cached = &cache->peers[cache->next];
        struct peer peer = {.pid = ucred->pid, .uid = ucred->uid, .gid = ucred->gid};
        bool is_master = access_is_master(rules, &peer);
        uint64_t keep_ms = KEEP_MS;
        int r;

        if (!is_master) {
                r = peer_init_from_ids(&peer, ucred->pid, ucred->uid, ucred->gid);
                if (r < 0) {
                        complain(cache, ucred->uid, r);
                        keep_ms = AGAIN_MS;
                } else {
                        cache->is_failing = false;
                }
        }
        cache->next = (cache->next + 1) % N_CACHED_PEERS;
        peer_deinit(&cached->peer);
        *cached = (struct cached_peer){peer, is_master, clock_now_ns() / NS_PER_MS + keep_ms};
        return cached;
}

void peer_cache_clear(struct peer_cache *cache) {
        for (size_t i = 0; i < N_CACHED_PEERS; i++)
                peer_deinit(&cache->peers[i].peer);
        *cache = (struct peer_cache){0};
}
