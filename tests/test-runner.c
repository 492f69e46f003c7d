/*
 * The runner is tested by all sequences of events up to a length against an oracle of a few lines:
 * at most one run, a run after every wake, no more runs than wakes and failures explain.
 */

#include "tests/support.h"

#include "daemon/policy.h"
#include "daemon/runner.h"

#define DEPTH 9

static const struct runner_policy policies[] = {
        {0},
        {.on_busy = ON_BUSY_RESTART},
        {.on_busy = ON_BUSY_SIGNAL},
        {.attempts = 3, .backoff_ns = 2, .max_backoff_ns = 3},
        {.attempts = 1, .backoff_ns = 2},
        {.attempts = 0, .backoff_ns = 5, .on_busy = ON_BUSY_RESTART},
};

enum event {
        WAKE,
        ROOM,    /* the run that was asked for can start */
        NO_ROOM, /* it cannot for now, for want of processes */
        SUCCEED,
        FAIL,
        TICK,
        N_EVENTS,
};

struct world {
        struct runner runner;
        uint64_t now_ns;
        bool is_asked; /* START was returned */
        bool is_running;
        bool is_stopped; /* STOP was returned for the run */
        bool is_owed;    /* a wake that no run which began after it covers */
        bool is_told;    /* by SIGNAL */
};

static void obey(struct world *world, enum runner_step step) {
        if (step == RUNNER_START) {
                test_expect(!world->is_running);
                test_expect(!world->is_asked);
                world->is_asked = true;
        } else if (step == RUNNER_STOP) {
                test_expect(world->is_running && !world->is_stopped);
                world->is_stopped = true;
        } else if (step == RUNNER_SIGNAL) {
                test_expect(world->is_running);
                world->is_told = true;
        }
}

static bool apply(struct world *world, const struct runner_policy *policy, enum event event) {
        enum runner_step step = RUNNER_NOTHING;

        switch (event) {
        case WAKE:
                world->is_told = false;
                obey(world, runner_wake(&world->runner, policy));
                world->is_owed = world->is_owed || !world->is_told;
                return true;
        case ROOM:
                if (!world->is_asked)
                        return false;
                runner_started(&world->runner);
                world->is_asked = false;
                world->is_running = true;
                world->is_stopped = false;
                world->is_owed = false;
                break;
        case NO_ROOM:
                if (!world->is_asked)
                        return false;
                world->is_asked = false;
                runner_deferred(&world->runner, world->now_ns + 1);
                break;
        case SUCCEED:
        case FAIL:
                if (!world->is_running)
                        return false;
                world->is_running = false;
                step = runner_ended(&world->runner, policy, event == SUCCEED, world->now_ns);
                break;
        case TICK:
                world->now_ns++;
                step = runner_tick(&world->runner, world->now_ns);
                break;
        case N_EVENTS:
                return false;
        }
        obey(world, step);
        return true;
}

static void check(const struct world *world, const struct runner_policy *policy) {
        const struct runner *runner = &world->runner;

        test_expect(runner_is_running(runner) == world->is_running);
        test_expect((runner->state == RUNNER_WAITING) == world->is_asked);
        /* What is owed leads to a run by itself: one is asked for, or due, or follows the one that
         * goes on. */
        if (world->is_owed)
                test_expect(world->is_asked || runner_due_ns(runner) != UINT64_MAX ||
                            (world->is_running && runner->dirty));
        if (runner->state == RUNNER_FAILED)
                test_expect(policy->attempts && runner->n_failed >= policy->attempts);
        if (runner->state == RUNNER_BACKING_OFF && policy->max_backoff_ns)
                test_expect(runner->retry_ns <= world->now_ns + policy->max_backoff_ns);
}

static uint64_t n_explored;

static void explore(struct world world, const struct runner_policy *policy, int depth) {
        n_explored++;
        check(&world, policy);
        if (depth == 0)
                return;
        for (int event = 0; event < N_EVENTS; event++) {
                struct world next = world;

                if (apply(&next, policy, (enum event)event))
                        explore(next, policy, depth - 1);
        }
}

static void every_wake_is_followed_by_a_run(void) {
        for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++)
                explore((struct world){.runner = RUNNER_INIT, .now_ns = 10}, &policies[i], DEPTH);
        test_expect(n_explored > 100000);
}

static void wakes_during_a_run_make_one_more(void) {
        struct runner runner = RUNNER_INIT;
        const struct runner_policy *policy = &policies[0];

        ck_assert_int_eq(runner_wake(&runner, policy), RUNNER_START);
        runner_started(&runner);
        for (int i = 0; i < 10; i++)
                ck_assert_int_eq(runner_wake(&runner, policy), RUNNER_NOTHING);
        ck_assert_int_eq(runner_ended(&runner, policy, true, 1), RUNNER_START);
        runner_started(&runner);
        ck_assert_int_eq(runner_ended(&runner, policy, true, 2), RUNNER_NOTHING);
        ck_assert_int_eq(runner.state, RUNNER_IDLE);
}

static void back_off_doubles_up_to_its_cap(void) {
        const struct runner_policy policy = {.backoff_ns = 10, .max_backoff_ns = 60};
        static const uint64_t expected[] = {10, 20, 40, 60, 60};
        struct runner runner = RUNNER_INIT;
        uint64_t now_ns = 1000;

        ck_assert_int_eq(runner_wake(&runner, &policy), RUNNER_START);
        for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
                runner_started(&runner);
                ck_assert_int_eq(runner_ended(&runner, &policy, false, now_ns), RUNNER_NOTHING);
                ck_assert_uint_eq(runner_due_ns(&runner), now_ns + expected[i]);
                ck_assert_int_eq(runner_tick(&runner, now_ns + expected[i] - 1), RUNNER_NOTHING);
                now_ns += expected[i];
                ck_assert_int_eq(runner_tick(&runner, now_ns), RUNNER_START);
        }
        runner_started(&runner);
        ck_assert_int_eq(runner_ended(&runner, &policy, true, now_ns), RUNNER_NOTHING);
        ck_assert_uint_eq(runner.n_failed, 0);
}

static void the_next_wake_leaves_failed(void) {
        const struct runner_policy policy = {.attempts = 2, .backoff_ns = 1};
        struct runner runner = RUNNER_INIT;

        ck_assert_int_eq(runner_wake(&runner, &policy), RUNNER_START);
        runner_started(&runner);
        runner_ended(&runner, &policy, false, 0);
        ck_assert_int_eq(runner_tick(&runner, 1), RUNNER_START);
        runner_started(&runner);
        ck_assert_int_eq(runner_ended(&runner, &policy, false, 1), RUNNER_NOTHING);
        ck_assert_int_eq(runner.state, RUNNER_FAILED);
        ck_assert_int_eq(runner_wake(&runner, &policy), RUNNER_START);
        ck_assert_uint_eq(runner.n_failed, 0);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(every_wake_is_followed_by_a_run),
                TEST(wakes_during_a_run_make_one_more),
                TEST(back_off_doubles_up_to_its_cap),
                TEST(the_next_wake_leaves_failed),
                {0},
        };

        return test_main("runner", tests, argc, argv);
}
