/* For how long who sent is remembered. */
#include "daemon/peer-cache.h"

#include "daemon/access.h"
#include "lib/clock.h"
#include "tests/log-recorder.h"
#include "tests/support.h"

#define UNKNOWN_UID 4000000000U

static uint64_t now_ms(void) {
        return clock_now_ns() / NS_PER_MS;
}

static struct access_rules *rules_new(void) {
        struct access_rules *rules;

        ck_assert_int_eq(access_rules_new_default(&rules), 0);
        return rules;
}

static void what_was_looked_up_counts_for_a_minute(void) {
        static const struct ucred ucred = {.pid = 99, .uid = UNKNOWN_UID, .gid = 4711},
                                  root = {.pid = 98, .uid = 0, .gid = 4711};
        struct access_rules *rules = rules_new();
        struct peer_cache cache = {0};
        const struct cached_peer *added;
        uint64_t begun_ms = now_ms();

        ck_assert_ptr_null(peer_cache_find(&cache, &ucred, begun_ms));
        added = peer_cache_add(&cache, rules, &ucred);
        ck_assert(!added->is_master);
        ck_assert_uint_eq(added->peer.gid, 4711);
        ck_assert_ptr_eq(peer_cache_find(&cache, &ucred, begun_ms + 59999), added);
        ck_assert_ptr_null(peer_cache_find(&cache, &ucred, now_ms() + 60000));
        added = peer_cache_add(&cache, rules, &root);
        ck_assert(added->is_master);
        ck_assert_ptr_eq(peer_cache_find(&cache, &root, begun_ms), added);
        /* until others take its place */
        for (unsigned int i = 1; i <= N_CACHED_PEERS; i++)
                (void)peer_cache_add(&cache, rules, &(struct ucred){.uid = UNKNOWN_UID + i});
        ck_assert_ptr_null(peer_cache_find(&cache, &root, begun_ms));
        ck_assert_uint_eq(log_recorder_count(), 0);
        peer_cache_clear(&cache);
        access_rules_free(rules);
}

static void what_could_not_be_looked_up_counts_for_a_second(void) {
        struct ucred ucred = {.pid = 99, .uid = UNKNOWN_UID, .gid = 4711};
        struct access_rules *rules = rules_new();
        struct peer_cache cache = {0};
        const struct cached_peer *added;

        for (unsigned int round = 1; round <= 2; round++) {
                test_leave_fds(0);
                for (int i = 0; i < 3; i++) {
                        uint64_t begun_ms = now_ms();

                        ucred.uid++;
                        added = peer_cache_add(&cache, rules, &ucred);
                        ck_assert(!added->is_master);
                        ck_assert_uint_eq(added->peer.uid, ucred.uid);
                        ck_assert_uint_eq(added->peer.gid, 4711);
                        ck_assert_uint_eq(added->peer.n_groups, 0);
                        ck_assert_ptr_eq(peer_cache_find(&cache, &ucred, begun_ms + 999), added);
                        ck_assert_ptr_null(peer_cache_find(&cache, &ucred, now_ms() + 1000));
                }
                test_restore_fds();
                ck_assert_uint_eq(log_recorder_count(), round);
                ck_assert(log_recorder_has("cannot look up the groups of uid 40000000"));
                added = peer_cache_add(&cache, rules, &ucred); /* it works again */
                ck_assert_ptr_eq(peer_cache_find(&cache, &ucred, now_ms() + 1000), added);
        }
        peer_cache_clear(&cache);
        access_rules_free(rules);
}

static const struct test tests[] = {
        TEST(what_was_looked_up_counts_for_a_minute),
        TEST(what_could_not_be_looked_up_counts_for_a_second),
        {0},
};

int main(int argc, char **argv) {
        return test_main("peer-cache", tests, argc, argv);
}
