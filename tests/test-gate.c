/*
 * The gate is tested by all sequences of events up to a length, under a set of policies, against
 * the contract's sentences: no send is lost, none is counted twice, no wake comes before its time,
 * and when the clock goes on every send becomes a wake.
 */

#include "tests/support.h"

#include <string.h>

#include "daemon/gate.h"
#include "daemon/policy.h"

#define DEPTH 7

static const struct gate_policy policies[] = {
        {0},
        {.quiet_ns = 3},
        {.quiet_ns = 3, .max_wait_ns = 5},
        {.quiet_ns = 3, .leading = true},
        {.quiet_ns = 3, .max_wait_ns = 4, .leading = true, .min_interval_ns = 6},
        {.min_interval_ns = 4},
        {.min_interval_ns = 4, .jitter_ns = 2},
        {.quiet_ns = UINT64_MAX},
        {.quiet_ns = 2, .max_wait_ns = UINT64_MAX, .min_interval_ns = UINT64_MAX},
};
#define N_POLICIES (sizeof(policies) / sizeof(*policies))

enum event {
        SEND,
        TICK,
        LEAP, /* a long time passes */
        PAUSE,
        RESUME,
        N_EVENTS,
};

struct world {
        struct gate gate;
        uint64_t now_ns;
        uint64_t n_sent, n_woken, n_wakes;
        uint64_t first_ns, last_ns, wake_ns;
        bool was_quiet; /* the first pending send came after a quiet time */
};

static void wake_if_due(struct world *world, const struct gate_policy *policy) {
        uint64_t n, until_ns;

        if (gate_due_ns(&world->gate, policy) > world->now_ns) {
                enum gate_wait why = gate_why(&world->gate, policy, world->now_ns, &until_ns);

                test_expect(why != GATE_DUE);
                test_expect(until_ns > world->now_ns);
                if (why == GATE_JITTER)
                        test_expect(until_ns - world->now_ns <= policy->jitter_ns);
                if (why != GATE_PAUSED && why != GATE_IDLE)
                        test_expect(until_ns == gate_due_ns(&world->gate, policy));
                return;
        }
        test_expect(!world->gate.paused);
        if (world->now_ns == GATE_NEVER - 1)
                goto wake; /* the end of time, where limits that exceed it end, too */
        test_expect(gate_why(&world->gate, policy, world->now_ns, &until_ns) == GATE_DUE);
        if (world->n_wakes)
                test_expect(world->now_ns - world->wake_ns >= policy->min_interval_ns);
        if (policy->quiet_ns && !(policy->leading && world->was_quiet))
                test_expect(world->now_ns - world->last_ns >= policy->quiet_ns ||
                            (policy->max_wait_ns &&
                             world->now_ns - world->first_ns >= policy->max_wait_ns));
wake:
        n = gate_wake(&world->gate, world->now_ns);
        test_expect(n >= 1);
        world->n_woken += n;
        world->n_wakes++;
        world->wake_ns = world->now_ns;
        test_expect(world->n_woken == world->n_sent);
        test_expect(gate_due_ns(&world->gate, policy) == GATE_NEVER);
}

static void apply(struct world *world, const struct gate_policy *policy, enum event event) {
        switch (event) {
        case SEND:
                if (world->n_sent == world->n_woken) {
                        world->first_ns = world->now_ns;
                        world->was_quiet = world->n_sent == 0 ||
                                           world->now_ns - world->last_ns >= policy->quiet_ns;
                }
                world->last_ns = world->now_ns;
                world->n_sent += 2;
                gate_send(&world->gate, policy, world->now_ns, 2, world->now_ns * 7);
                break;
        case TICK:
                world->now_ns++;
                break;
        case LEAP:
                world->now_ns += 20;
                break;
        case PAUSE:
                world->gate.paused = true;
                break;
        case RESUME:
                world->gate.paused = false;
                break;
        case N_EVENTS:
                break;
        }
        wake_if_due(world, policy);
        test_expect(world->gate.n_sends == world->n_sent - world->n_woken);
}

/* Whatever happened, when nothing pauses it and time goes on, what was sent becomes a wake. */
static void run_dry(struct world world, const struct gate_policy *policy) {
        world.gate.paused = false;
        wake_if_due(&world, policy);
        if (world.n_woken != world.n_sent) {
                uint64_t due_ns = gate_due_ns(&world.gate, policy);

                test_expect(due_ns != GATE_NEVER && due_ns > world.now_ns);
                world.now_ns = due_ns;
                wake_if_due(&world, policy);
        }
        test_expect(world.n_woken == world.n_sent);
}

static uint64_t n_explored;

static void explore(struct world world, const struct gate_policy *policy, int depth) {
        n_explored++;
        run_dry(world, policy);
        if (depth == 0)
                return;
        for (int event = 0; event < N_EVENTS; event++) {
                struct world next = world;

                apply(&next, policy, (enum event)event);
                explore(next, policy, depth - 1);
        }
}

static void every_send_becomes_a_wake_in_time(void) {
        for (size_t i = 0; i < N_POLICIES; i++)
                explore((struct world){.gate = GATE_INIT, .now_ns = 100}, &policies[i], DEPTH);
        test_expect(n_explored > 800000);
}

/* A reload gives another policy after each event: nothing is lost, and nothing is due that was not
 * sent. */
static void explore_reloads(struct gate gate, uint64_t now_ns, uint64_t n_open, size_t i,
                            int depth) {
        const struct gate_policy *policy = &policies[i];

        test_expect(gate.n_sends == n_open);
        if (!gate.paused)
                test_expect((gate_due_ns(&gate, policy) == GATE_NEVER) == (n_open == 0));
        if (depth == 0)
                return;
        for (int event = 0; event < N_EVENTS; event++) {
                struct gate next = gate;
                uint64_t then_ns = now_ns + (event == TICK ? 1 : event == LEAP ? 20 : 0);
                uint64_t n = n_open + (event == SEND);

                if (event == SEND)
                        gate_send(&next, policy, now_ns, 1, 3);
                if (event == PAUSE || event == RESUME)
                        next.paused = event == PAUSE;
                if (gate_due_ns(&next, policy) <= then_ns) {
                        test_expect(gate_wake(&next, then_ns) == n);
                        n = 0;
                }
                explore_reloads(next, then_ns, n, (i + 1) % N_POLICIES, depth - 1);
        }
}

static void a_change_of_policy_loses_nothing(void) {
        for (size_t i = 0; i < N_POLICIES; i++)
                explore_reloads((struct gate)GATE_INIT, 100, 0, i, DEPTH);
}

static void leading_wakes_at_once_after_a_quiet_time(void) {
        const struct gate_policy policy = {.quiet_ns = 10, .leading = true};
        struct gate gate = GATE_INIT;

        gate_send(&gate, &policy, 100, 1, 0);
        ck_assert_uint_eq(gate_due_ns(&gate, &policy), 100);
        gate_wake(&gate, 100);
        gate_send(&gate, &policy, 105, 1, 0);
        ck_assert_uint_eq(gate_due_ns(&gate, &policy), 115);
        gate_send(&gate, &policy, 112, 1, 0);
        ck_assert_uint_eq(gate_due_ns(&gate, &policy), 122);
        ck_assert_uint_eq(gate_wake(&gate, 122), 2);
        gate_send(&gate, &policy, 122, 1, 0); /* ten after the last send, which was at 112 */
        ck_assert_uint_eq(gate_due_ns(&gate, &policy), 122);
}

static void jitter_stays_within_its_bound(void) {
        const struct gate_policy policy = {.jitter_ns = 5};

        for (uint64_t chance = 0; chance < 100; chance++) {
                struct gate gate = GATE_INIT;

                gate_send(&gate, &policy, 50, 1, chance);
                ck_assert_uint_ge(gate_due_ns(&gate, &policy), 50);
                ck_assert_uint_le(gate_due_ns(&gate, &policy), 55);
        }
}

static void more_sends_than_can_be_counted_are_still_some(void) {
        static const struct gate_policy policy = {0};
        struct gate gate = GATE_INIT;

        for (int i = 0; i < 3; i++)
                gate_send(&gate, &policy, 1, UINT64_C(1) << 63, 0);
        ck_assert_uint_gt(gate.n_sends, UINT64_C(1) << 63);
        ck_assert_uint_eq(gate_due_ns(&gate, &policy), 1);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(every_send_becomes_a_wake_in_time),
                TEST(a_change_of_policy_loses_nothing),
                TEST(leading_wakes_at_once_after_a_quiet_time),
                TEST(jitter_stays_within_its_bound),
                TEST(more_sends_than_can_be_counted_are_still_some),
                {0},
        };

        return test_main("gate", tests, argc, argv);
}
