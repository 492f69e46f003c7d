/*
 * The short way of a wake against the long one: two handles of one configuration have the same
 * history, and at every moment the same to tell. One of them is given a life at its birth, so that
 * it always goes the long way; the other one takes the short way whenever it may.
 *
 * The seed is printed. ROUSE_WAYS_SEED repeats a walk.
 */

#include "tests/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/configuration.h"
#include "daemon/deadline.h"
#include "daemon/handle-private.h"
#include "daemon/handle-tools.h"
#include "daemon/handle.h"
#include "daemon/histogram.h"
#include "daemon/registry-setup.h"
#include "daemon/registry.h"
#include "daemon/seqfile.h"
#include "lib/clock.h"
#include "tests/configuration-fixture.h"

#define N_PAIRS  4
#define N_STEPS  3000
#define N_ROUNDS 20

/* The test's clock goes by minutes, and policies by hours. What the real clock adds to it, from the
 * first send to the wake, is far less, and not the same for both. */
#define MINUTE_NS (60 * NS_PER_S)

/* What a watch does to its handle when it is told of a wake. */
enum deed {
        DEED_NONE,
        DEED_SEND,
        DEED_PAUSE,
        DEED_CEASE, /* to watch */
        DEED_CLOSE,
        N_DEEDS,
};

/* What one of a pair has told. */
struct way {
        struct handle *handle; /* NULL: not there now */
        struct handle_watch watch;
        bool is_watched;
        enum deed deed; /* the next time */
        uint64_t n_told, last_seq, n_sends;
};

static struct pair { struct way ways[2]; /* the short and the long one */ } pairs[N_PAIRS];

static uint64_t now_ns;
static unsigned int seed;
static uint64_t n_short, n_long, n_done[N_DEEDS];

static unsigned int draw(unsigned int n) {
        return (unsigned int)rand_r(&seed) % n;
}

static uint64_t fake_clock(void) {
        return now_ns;
}

static void watch(struct way *way, bool is_watched);

static void on_wake(struct handle_watch *handle_watch, uint64_t seq, uint64_t n_sends) {
        struct way *way = container_of(handle_watch, struct way, watch);
        enum deed deed = way->deed;

        way->n_told++;
        way->last_seq = seq;
        way->n_sends += n_sends;
        way->deed = DEED_NONE;
        n_done[deed]++;
        if (deed == DEED_SEND)
                ck_assert_int_eq(handle_send_many(way->handle, 2), 0);
        else if (deed == DEED_PAUSE)
                ck_assert_int_eq(handle_pause(way->handle, 0, 0), 0);
        else if (deed == DEED_CEASE)
                watch(way, false);
        else if (deed == DEED_CLOSE)
                ck_assert_int_eq(handle_close(way->handle), 0);
}

static void on_closed(struct handle_watch *watch) {
        struct way *way = container_of(watch, struct way, watch);

        way->is_watched = false;
        way->handle = NULL;
}

static const struct handle_watch_ops watch_ops = {.wake = on_wake, .closed = on_closed};

static void watch(struct way *way, bool is_watched) {
        if (!way->handle || way->is_watched == is_watched)
                return;
        way->is_watched = is_watched;
        if (is_watched)
                handle_watch_add(way->handle, &way->watch, &watch_ops);
        else
                handle_watch_remove(&way->watch);
}

/* Both of a pair always have the same. */
static const char *const policies[] = {
        "{}",
        "{}",
        "{description: an ordinary one}",
        "{min_interval: 1h}",
        "{quiet: 1h, max_wait: 3h}",
        "{quiet: 1h, leading: true}",
        NULL, /* not there */
};

static void reload(struct registry *registry) {
        struct registry_changes changes = {0};
        struct configuration *configuration;
        char text[1024] = "handles: {", name[8];
        size_t n = strlen(text);

        for (unsigned int i = 0; i < N_PAIRS; i++) {
                const char *policy = policies[draw(sizeof(policies) / sizeof(*policies))];

                for (unsigned int k = 0; policy && k < 2; k++)
                        n += (size_t)snprintf(text + n, sizeof(text) - n, "p%u.%u: %s, ", i, k,
                                              policy);
        }
        snprintf(text + n, sizeof(text) - n, "other: {}}");
        configuration = conf_test_parse_good(text);
        /* Those that go away are not asked any more. */
        for (unsigned int i = 0; i < N_PAIRS; i++)
                for (unsigned int k = 0; k < 2; k++) {
                        snprintf(name, sizeof(name), "p%u.%u:", i, k);
                        if (!strstr(text, name)) {
                                watch(&pairs[i].ways[k], false);
                                pairs[i].ways[k].handle = NULL;
                        }
                }
        ck_assert_int_eq(registry_apply(registry, configuration, &changes), 0);
        registry_changes_deinit(&changes);
        configuration_unref(configuration);
        for (unsigned int i = 0; i < N_PAIRS; i++)
                for (unsigned int k = 0; k < 2; k++) {
                        snprintf(name, sizeof(name), "p%u.%u:", i, k);
                        if (!strstr(text, name))
                                continue;
                        name[strlen(name) - 1] = '\0';
                        pairs[i].ways[k].handle = registry_find(registry, name);
                        if (k == 1)
                                ck_assert_ptr_nonnull(handle_live(pairs[i].ways[k].handle));
                }
}

static uint64_t minutes(uint64_t ns) {
        return (ns + MINUTE_NS / 2) / MINUTE_NS;
}

static void compare(const struct pair *pair) {
        const struct handle *a = pair->ways[0].handle, *b = pair->ways[1].handle;
        struct handle_stats stats[2];
        struct handle_why why[2];

        test_expect(!a == !b);
        if (!a)
                return;
        test_expect(handle_seq(a) == handle_seq(b));
        test_expect(handle_pending(a) == handle_pending(b));
        test_expect(handle_is_busy(a) == handle_is_busy(b));
        test_expect(handle_foresee(a) == handle_foresee(b));
        handle_get_why(a, &why[0]);
        handle_get_why(b, &why[1]);
        test_expect(why[0].state == why[1].state);
        test_expect(minutes(why[0].until_ns) == minutes(why[1].until_ns));
        handle_get_stats(a, &stats[0]);
        handle_get_stats(b, &stats[1]);
        test_expect(stats[0].sends == stats[1].sends);
        test_expect(stats[0].wakes == stats[1].wakes);
        test_expect(stats[0].coalesced == stats[1].coalesced);
        test_expect(pair->ways[0].n_told == pair->ways[1].n_told);
        test_expect(pair->ways[0].last_seq == pair->ways[1].last_seq);
        test_expect(pair->ways[0].n_sends == pair->ways[1].n_sends);
}

/* As many were measured as there were wakes, whichever way they went. */
static void compare_latency(const struct pair *pair) {
        for (unsigned int k = 0; k < 2 && pair->ways[k].handle; k++) {
                struct histogram *sketched = NULL;
                struct handle_stats stats;

                handle_get_stats(pair->ways[k].handle, &stats);
                if (!stats.wake_latency)
                        stats.wake_latency = sketched =
                                handle_sketched_latency(pair->ways[k].handle);
                test_expect((stats.wake_latency ? histogram_count(stats.wake_latency) : 0) ==
                            stats.wakes);
                histogram_free(sketched);
        }
}

static void take_step(struct registry *registry, struct deadline_queue *deadlines,
                      uv_loop_t *loop) {
        struct pair *pair = &pairs[draw(N_PAIRS)];
        unsigned int what = draw(64), n = 1 + draw(3);
        enum deed deed = draw(N_DEEDS);

        if (what < 3) {
                reload(registry);
        } else if (what < 20) {
                now_ns += draw(50) * MINUTE_NS;
                deadline_run(deadlines);
        } else if (what < 35) {
                uv_run(loop, UV_RUN_NOWAIT);
        }
        for (unsigned int k = 0; k < 2; k++) {
                struct way *way = &pair->ways[k];

                if (!way->handle)
                        continue;
                if (what >= 36)
                        ck_assert_int_eq(handle_send_many(way->handle, n), 0);
                else if (what == 35 && n == 1)
                        ck_assert_int_eq(handle_pause(way->handle, 0, 0), 0);
                else if (what == 35 || what == 34)
                        ck_assert_int_eq(handle_resume(way->handle), 0);
                else if (what == 33)
                        watch(way, n == 1);
                else if (what == 32)
                        way->deed = deed;
        }
        for (unsigned int i = 0; i < N_PAIRS; i++) {
                const struct handle *handle = pairs[i].ways[0].handle;

                compare(&pairs[i]);
                if (handle && handle->seq > handle_first_seq(handle))
                        ++*(handle->has_life ? &n_long : &n_short);
        }
}

static void on_alive(uv_timer_t *timer) {
        (void)timer;
}

static void walk(unsigned int first_seed) {
        static char *env[] = {NULL};
        struct handle_tools tools = {.env = env};
        struct registry *registry;
        uv_timer_t alive;
        uv_loop_t loop;
        int error;

        seed = first_seed;
        now_ns = MINUTE_NS;
        memset(pairs, 0, sizeof(pairs));
        ck_assert_int_eq(uv_loop_init(&loop), 0);
        ck_assert_int_eq(rouse_hub_create(&loop, &tools.hub), 0);
        ck_assert_int_eq(deadline_queue_new(NULL, fake_clock, &tools.deadlines), 0);
        ck_assert_int_eq(seqfile_open(test_path("seq-%u", first_seed), &error, &tools.seqfile), 0);
        uv_timer_init(&loop, &alive);
        uv_timer_start(&alive, on_alive, 1000000, 0);
        ck_assert_int_eq(registry_new(&tools, &registry), 0);
        reload(registry);
        for (unsigned int i = 0; i < N_STEPS; i++)
                take_step(registry, tools.deadlines, &loop);
        for (unsigned int i = 0; i < N_PAIRS; i++) {
                compare_latency(&pairs[i]);
                for (unsigned int k = 0; k < 2; k++)
                        watch(&pairs[i].ways[k], false);
        }
        registry_free(registry);
        rouse_hub_close(tools.hub, NULL, NULL);
        uv_close((uv_handle_t *)&alive, NULL);
        uv_run(&loop, UV_RUN_DEFAULT);
        ck_assert_int_eq(uv_loop_close(&loop), 0);
        /* The file has the same numbers for both. */
        for (unsigned int i = 0; i < N_PAIRS; i++) {
                struct seqfile_entry entry;
                char names[2][8];

                snprintf(names[0], sizeof(names[0]), "p%u.0", i);
                snprintf(names[1], sizeof(names[1]), "p%u.1", i);
                ck_assert_uint_eq(seqfile_enter(tools.seqfile, names[0], &entry),
                                  seqfile_enter(tools.seqfile, names[1], &entry));
        }
        seqfile_close(tools.seqfile);
        deadline_queue_close(tools.deadlines);
}

static void the_short_way_ends_where_the_long_one_does(void) {
        const char *value = getenv("ROUSE_WAYS_SEED");
        unsigned int first_seed =
                value ? (unsigned int)strtoul(value, NULL, 10) : (unsigned int)time(NULL);

        for (unsigned int i = 0; i < N_ROUNDS; i++) {
                fprintf(stderr, "seed %u\n", first_seed + i);
                walk(first_seed + i);
        }
        /* Both ways were gone. */
        ck_assert_uint_gt(n_short, N_ROUNDS * 100);
        ck_assert_uint_gt(n_long, N_ROUNDS * 100);
        for (enum deed deed = 0; deed < N_DEEDS; deed++)
                ck_assert_uint_gt(n_done[deed], N_ROUNDS);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(the_short_way_ends_where_the_long_one_does),
                {0},
        };

        return test_main("wake-ways", tests, argc, argv);
}
