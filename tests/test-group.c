#include "daemon/group.h"

#include <string.h>

#include "lib/cleanup.h"
#include "tests/support.h"

#define N_MEMBERS 5

struct runner {
        struct group_member member;
        unsigned int n_granted;
        bool leaves_at_once;
        struct group *asks_again; /* once */
};

static char order[64]; /* who was granted a place, by letter */
static struct runner runners[N_MEMBERS];

static void on_granted(struct group_member *member) {
        struct runner *runner = container_of(member, struct runner, member);
        size_t n = strlen(order);

        ck_assert(member->is_running);
        runner->n_granted++;
        order[n] = (char)('a' + (runner - runners));
        if (runner->leaves_at_once)
                group_leave(member);
        if (runner->asks_again && group_enter(steal_ptr(runner->asks_again), member))
                order[n + 1] = (char)('A' + (runner - runners));
}

static struct group *new_group(uint32_t max) {
        struct group *group;

        ck_assert_int_eq(group_new("db", max, &group), 0);
        ck_assert_str_eq(group_name(group), "db");
        for (unsigned int i = 0; i < N_MEMBERS; i++)
                runners[i].member.granted = on_granted;
        return group;
}

static bool enter(struct group *group, unsigned int i) {
        return group_enter(group, &runners[i].member);
}

static void leave(unsigned int i) {
        group_leave(&runners[i].member);
}

static void so_many_run_and_the_others_wait(void) {
        struct group *group = new_group(2);

        ck_assert(enter(group, 0));
        ck_assert(enter(group, 1));
        ck_assert(!enter(group, 2));
        ck_assert(!enter(group, 3));
        ck_assert_str_eq(order, "");
        leave(1);
        ck_assert_str_eq(order, "c");
        leave(0);
        ck_assert_str_eq(order, "cd");
        leave(2);
        leave(3);
        ck_assert(enter(group, 4)); /* all places are free again */
        leave(4);
        group_unref(group);
}

static void who_asks_again_stands_behind_those_that_wait(void) {
        struct group *group = new_group(1);

        ck_assert(enter(group, 0));
        ck_assert(!enter(group, 1));
        ck_assert(!enter(group, 2));
        for (unsigned int round = 0; round < 12; round++) {
                unsigned int i = round % 3;

                leave(i);
                ck_assert(!enter(group, i));
        }
        ck_assert_str_eq(order, "bcabcabcabca");
        for (unsigned int i = 0; i < 3; i++)
                ck_assert_uint_eq(runners[i].n_granted, 4);
        for (unsigned int i = 3; i-- > 0;)
                leave(i);
        group_unref(group);
}

static void a_higher_bound_lets_waiting_ones_in(void) {
        struct group *group = new_group(1);

        for (unsigned int i = 0; i < N_MEMBERS; i++)
                ck_assert(enter(group, i) == (i == 0));
        group_set_max(group, 3);
        ck_assert_str_eq(order, "bc");
        group_set_max(group, 10);
        ck_assert_str_eq(order, "bcde");
        for (unsigned int i = 0; i < N_MEMBERS; i++)
                leave(i);
        group_unref(group);
}

static void a_lower_bound_ends_nobody_and_holds_from_then_on(void) {
        struct group *group = new_group(3);

        for (unsigned int i = 0; i < N_MEMBERS; i++)
                ck_assert(enter(group, i) == (i < 3));
        group_set_max(group, 1);
        for (unsigned int i = 0; i < 3; i++)
                ck_assert(runners[i].member.is_running);
        leave(0);
        leave(1);
        ck_assert_str_eq(order, "");
        leave(2);
        ck_assert_str_eq(order, "d");
        leave(3);
        ck_assert_str_eq(order, "de");
        leave(4);
        group_unref(group);
}

static void who_leaves_while_waiting_is_passed_over(void) {
        struct group *group = new_group(1);

        ck_assert(enter(group, 0));
        for (unsigned int i = 1; i < 4; i++)
                ck_assert(!enter(group, i));
        leave(2);
        leave(2); /* may be repeated */
        leave(1);
        leave(0);
        ck_assert_str_eq(order, "d");
        leave(3);
        ck_assert(enter(group, 2));
        leave(2);
        group_unref(group);
}

static void a_place_that_is_left_at_once_goes_to_the_next(void) {
        struct group *group = new_group(1);

        ck_assert(enter(group, 0));
        for (unsigned int i = 1; i < N_MEMBERS; i++) {
                runners[i].leaves_at_once = i != 3;
                ck_assert(!enter(group, i));
        }
        runners[1].asks_again = group; /* in the call that grants it a place */
        leave(0);
        ck_assert_str_eq(order, "bcd");
        leave(3);
        ck_assert_str_eq(order, "bcdeb");
        group_unref(group);
}

static void members_keep_the_group(void) {
        struct group *group = new_group(1);

        ck_assert(enter(group, 0));
        ck_assert(!enter(group, 1));
        ck_assert_ptr_null(group_unref(group));
        ck_assert_str_eq(group_name(runners[0].member.group), "db");
        leave(0);
        ck_assert_str_eq(order, "b");
        leave(1); /* and with it the group goes, which the sanitizer of leaks looks for */
        ck_assert_ptr_null(runners[1].member.group);
        ck_assert_ptr_null(group_unref(NULL));
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(so_many_run_and_the_others_wait),
                TEST(who_asks_again_stands_behind_those_that_wait),
                TEST(a_higher_bound_lets_waiting_ones_in),
                TEST(a_lower_bound_ends_nobody_and_holds_from_then_on),
                TEST(who_leaves_while_waiting_is_passed_over),
                TEST(a_place_that_is_left_at_once_goes_to_the_next),
                TEST(members_keep_the_group),
                {0},
        };

        return test_main("group", tests, argc, argv);
}
