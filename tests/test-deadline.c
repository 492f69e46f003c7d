#include "tests/support.h"

#include <stdlib.h>

#include "daemon/deadline.h"
#include "lib/clock.h"
#include "lib/list.h"

static uint64_t now_ns;

static uint64_t fake_clock(void) {
        return now_ns;
}

struct item {
        struct deadline deadline;
        struct deadline_queue *queue;
        struct item *victim; /* cleared by this one's call */
        uint64_t again_ns;   /* set anew in this one's call; 0: not */
        unsigned int n_calls;
        uint64_t last_ns;
};

static uint64_t last_called_ns;

static void on_item(struct deadline *deadline, uint64_t at_ns) {
        struct item *item = container_of(deadline, struct item, deadline);

        ck_assert_uint_ge(at_ns, deadline->at_ns);
        ck_assert_uint_ge(deadline->at_ns, last_called_ns);
        last_called_ns = deadline->at_ns;
        item->n_calls++;
        if (item->victim)
                deadline_clear(item->queue, &item->victim->deadline);
        if (item->again_ns)
                ck_assert_int_eq(deadline_set(item->queue, deadline, item->again_ns, on_item), 0);
}

static void called_in_order_and_never_early(void) {
        struct deadline_queue *queue;
        struct item items[500] = {0};
        unsigned int seed = 7;

        ck_assert_int_eq(deadline_queue_new(NULL, fake_clock, &queue), 0);
        for (size_t round = 0; round < 4; round++)
                for (size_t i = 0; i < 500; i++) {
                        items[i].queue = queue;
                        ck_assert_int_eq(deadline_set(queue, &items[i].deadline,
                                                      1 + (uint64_t)rand_r(&seed) % 1000, on_item),
                                         0);
                        if (i % 7 == 0)
                                deadline_clear(queue, &items[i].deadline);
                }
        for (now_ns = 0; now_ns <= 1000; now_ns += 3) {
                deadline_run(queue);
                ck_assert_uint_gt(deadline_next_ns(queue), now_ns);
        }
        deadline_run(queue);
        for (size_t i = 0; i < 500; i++)
                ck_assert_uint_eq(items[i].n_calls, i % 7 != 0);
        ck_assert_uint_eq(deadline_next_ns(queue), UINT64_MAX);
        deadline_queue_close(queue);
}

static void a_callback_may_clear_one_that_is_due_with_it(void) {
        struct deadline_queue *queue;
        struct item a = {0}, b = {0};

        now_ns = 5;
        ck_assert_int_eq(deadline_queue_new(NULL, fake_clock, &queue), 0);
        a.queue = b.queue = queue;
        a.victim = &b;
        b.victim = &a;
        ck_assert_int_eq(deadline_set(queue, &a.deadline, 3, on_item), 0);
        ck_assert_int_eq(deadline_set(queue, &b.deadline, 3, on_item), 0);
        deadline_run(queue);
        ck_assert_uint_eq(a.n_calls + b.n_calls, 1);
        deadline_run(queue);
        ck_assert_uint_eq(a.n_calls + b.n_calls, 1);
        deadline_queue_close(queue);
}

static void one_that_sets_itself_anew_waits_for_the_next_turn(void) {
        struct deadline_queue *queue;
        struct item a = {.again_ns = 5};

        now_ns = 5;
        ck_assert_int_eq(deadline_queue_new(NULL, fake_clock, &queue), 0);
        a.queue = queue;
        ck_assert_int_eq(deadline_set(queue, &a.deadline, 3, on_item), 0);
        for (unsigned int i = 1; i <= 3; i++) {
                deadline_run(queue);
                ck_assert_uint_eq(a.n_calls, i);
        }
        deadline_clear(queue, &a.deadline);
        deadline_clear(queue, &a.deadline);
        deadline_run(queue);
        ck_assert_uint_eq(a.n_calls, 3);
        deadline_queue_close(queue);
}

static bool loop_turned;

static void on_alive(uv_timer_t *timer) {
        (void)timer;
        ck_abort_msg("the deadline did not come");
}

static void on_real(struct deadline *deadline, uint64_t at_ns) {
        ck_assert_uint_ge(at_ns, deadline->at_ns);
        loop_turned = true;
}

static void the_loop_calls_what_is_due(void) {
        struct deadline_queue *queue;
        struct deadline deadline = {0}, later = {0};
        uv_loop_t loop;
        uv_timer_t alive;

        ck_assert_int_eq(uv_loop_init(&loop), 0);
        ck_assert_int_eq(deadline_queue_new(&loop, clock_now_ns, &queue), 0);
        ck_assert_int_eq(deadline_set(queue, &later, clock_now_ns() + 3600 * NS_PER_S, on_real), 0);
        ck_assert_int_eq(deadline_set(queue, &deadline, clock_now_ns() + 3 * NS_PER_MS, on_real),
                         0);
        uv_timer_init(&loop, &alive);
        uv_timer_start(&alive, on_alive, 30000, 0);
        while (!loop_turned)
                uv_run(&loop, UV_RUN_ONCE);
        uv_close((uv_handle_t *)&alive, NULL);
        deadline_queue_close(queue);
        uv_run(&loop, UV_RUN_DEFAULT);
        ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static struct deadline_queue *stubborn_queue;
static unsigned int n_stubborn, n_polls;

/* Due again at once, until the loop has polled twice. */
static void on_stubborn(struct deadline *deadline, uint64_t at_ns) {
        n_stubborn++;
        ck_assert_uint_lt(n_stubborn, 1000);
        if (n_polls < 2)
                ck_assert_int_eq(deadline_set(stubborn_queue, deadline, at_ns, on_stubborn), 0);
}

static void on_polled(uv_check_t *check) {
        (void)check;
        n_polls++;
}

static void what_is_due_again_at_once_lets_the_loop_poll(void) {
        struct deadline deadline = {0};
        uv_loop_t loop;
        uv_check_t check;
        uv_timer_t alive;

        ck_assert_int_eq(uv_loop_init(&loop), 0);
        ck_assert_int_eq(deadline_queue_new(&loop, NULL, &stubborn_queue), 0);
        ck_assert_int_eq(deadline_set(stubborn_queue, &deadline, clock_now_ns(), on_stubborn), 0);
        uv_check_init(&loop, &check);
        uv_check_start(&check, on_polled);
        uv_timer_init(&loop, &alive);
        uv_timer_start(&alive, on_alive, 30000, 0);
        while (n_polls < 2)
                uv_run(&loop, UV_RUN_ONCE);
        ck_assert_uint_ge(n_stubborn, 2);
        uv_close((uv_handle_t *)&check, NULL);
        uv_close((uv_handle_t *)&alive, NULL);
        deadline_queue_close(stubborn_queue);
        uv_run(&loop, UV_RUN_DEFAULT);
        ck_assert_int_eq(uv_loop_close(&loop), 0);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(called_in_order_and_never_early),
                TEST(a_callback_may_clear_one_that_is_due_with_it),
                TEST(one_that_sets_itself_anew_waits_for_the_next_turn),
                TEST(the_loop_calls_what_is_due),
                TEST(what_is_due_again_at_once_lets_the_loop_poll),
                {0},
        };

        return test_main("deadline", tests, argc, argv);
}
