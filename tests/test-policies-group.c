/* Groups of handles that do not run all at once, in the real daemon. */

#include "tests/run-notes.h"
#include "tests/support.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMBER \
        "{group: g, run: [sh, -c, 'echo +$ROUSE_HANDLE >>$ROUSE_DIR/g; read x <$ROUSE_DIR/gate; echo -$ROUSE_HANDLE >>$ROUSE_DIR/g']}"
#define MEMBERS(max)                                                                      \
        "groups: {g: {max: " max "}}\nhandles: {a: " MEMBER ", b: " MEMBER ", c: " MEMBER \
        ", d: " MEMBER "}\n"

/* Never more at once than `max`, and each as often as it should. */
static void check_group(const char *text, unsigned int max, unsigned int n_each) {
        unsigned int n_running = 0, n_runs[4] = {0};

        for (const char *p = text; *p; p += 3) {
                ck_assert(*p == '+' || *p == '-');
                ck_assert(p[1] >= 'a' && p[1] <= 'd');
                if (*p == '-') {
                        n_running--;
                        continue;
                }
                n_runs[p[1] - 'a']++;
                ck_assert_msg(++n_running <= max, "%u run at once:\n%s", n_running, text);
        }
        ck_assert_uint_eq(n_running, 0);
        for (unsigned int i = 0; i < 4; i++)
                ck_assert_uint_eq(n_runs[i], n_each);
}

/* One of the group runs, and the others wait for it. Returns the gate. */
static int start_full(struct roused *roused) {
        int gate_fd;

        roused_start(roused, "d", MEMBERS("1"));
        gate_fd = open_gate(roused);
        free(roused_poke(roused, "a\nb\nc\nd\n"));
        free(roused_expect_lines(roused, "g", 1));
        roused_expect_state(roused, "d", "group_full");
        return gate_fd;
}

static void only_one_of_a_group_runs_and_each_gets_its_turn(void) {
        struct roused roused;
        char *text;
        int gate_fd;

        gate_fd = start_full(&roused);
        roused_send(&roused, "a"); /* stands behind those that wait */
        roused_expect_state(&roused, "a", "behind_run");
        let_go(gate_fd, 5);
        text = roused_expect_lines(&roused, "g", 10);
        ck_assert_str_eq(text, "+a\n-a\n+b\n-b\n+c\n-c\n+d\n-d\n+a\n-a\n");
        free(text);
        roused_stop(&roused);
        close(gate_fd);
}

static void only_two_of_a_group_run(void) {
        struct roused roused;
        char *text;
        int gate_fd;

        roused_start(&roused, "d", MEMBERS("2"));
        gate_fd = open_gate(&roused);
        for (unsigned int round = 1; round <= 3; round++) {
                free(roused_poke(&roused, "a\nb\nc\nd\n"));
                let_go(gate_fd, 4);
                text = roused_expect_lines(&roused, "g", 8 * round);
                check_group(text, 2, round);
                free(text);
                roused_expect_state(&roused, "a", "idle");
                roused_expect_state(&roused, "b", "idle");
                roused_expect_state(&roused, "c", "idle");
                roused_expect_state(&roused, "d", "idle");
        }
        roused_stop(&roused);
        close(gate_fd);
}

static void a_reload_makes_room_in_a_group(void) {
        struct roused roused;
        char *text;
        int gate_fd;

        gate_fd = start_full(&roused);
        roused_reload(&roused, MEMBERS("3"));
        free(roused_expect_lines(&roused, "g", 3));
        roused_expect_state(&roused, "d", "group_full");
        roused_reload(&roused, MEMBERS("1")); /* those that run go on */
        let_go(gate_fd, 4);
        text = roused_expect_lines(&roused, "g", 8);
        check_group(text, 3, 1);
        ck_assert_ptr_nonnull(strstr(text, "+d\n-d\n"));
        free(text);
        roused_stop(&roused);
        close(gate_fd);
}

static void a_handle_that_leaves_its_group_runs(void) {
        struct roused roused;
        int gate_fd;

        roused_start(&roused, "d",
                     "groups: {g: }\nhandles: {a: {" GATED ", group: g}, b: {" GATED
                     ", group: g}}\n");
        gate_fd = open_gate(&roused);
        free(roused_poke(&roused, "a\nb\n"));
        line_of(&roused, "a", 0);
        roused_expect_state(&roused, "b", "group_full");
        roused_reload(&roused,
                      "groups: {g: }\nhandles: {a: {" GATED ", group: g}, b: {" GATED "}}\n");
        line_of(&roused, "b", 0);
        let_go(gate_fd, 2);
        stop_after(&roused, "b", 1);
        close(gate_fd);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(only_one_of_a_group_runs_and_each_gets_its_turn),
                TEST(only_two_of_a_group_run),
                TEST(a_reload_makes_room_in_a_group),
                TEST(a_handle_that_leaves_its_group_runs),
                {0},
        };

        return test_main("policies-group", tests, argc, argv);
}
