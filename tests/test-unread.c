/* Who is found to leave answers unread, and who is not. */

#include "daemon/unread.h"

#include "lib/clock.h"
#include "tests/support.h"

#define N_ROOM  (16U << 20)
#define N_BYTES 768 /* an answer */

static struct unread unread;
static size_t n_unread;
static uint64_t now_ns;

static void begin(void) {
        unread_init(&unread, N_ROOM);
        n_unread = 0;
        now_ns = NS_PER_S;
}

/* False: it is not answered, or there is no room. */
static bool answer(uint64_t address, uint64_t user) {
        const struct unread_reader reader = {address, user};
        size_t n_before = n_unread;

        unread_look(&unread, n_unread);
        if (unread.is_tight && !unread_may_answer(&unread, &reader, now_ns))
                return false;
        if (n_unread + N_BYTES > N_ROOM)
                return false;
        n_unread += N_BYTES;
        if (unread.is_tight)
                (void)unread_answered(&unread, &reader, n_before, n_unread, now_ns);
        return true;
}

static bool answer_and_read(uint64_t address, uint64_t user) {
        if (!answer(address, user))
                return false;
        n_unread -= N_BYTES;
        return true;
}

static void one_that_does_not_read_leaves_most_of_the_room(void) {
        begin();
        for (int i = 0; i < 1000000; i++) {
                (void)answer(1, 0);
                now_ns += 10000; /* ten seconds of it */
        }
        ck_assert(unread.is_tight);
        ck_assert_uint_lt(n_unread, N_ROOM / 4);
}

/* The one who reads loses at most what came while nobody knew better. */
static void others_are_answered_beside_it(void) {
        unsigned int n_lost = 0;

        begin();
        for (int i = 0; i < 1000000; i++) {
                (void)answer(1, 0);
                n_lost += !answer_and_read(2, 0);
                n_lost += !answer_and_read(1000 + (uint64_t)i, 0); /* a new address each time */
                now_ns += 10000;
        }
        ck_assert_uint_lt(n_unread, N_ROOM / 4);
        ck_assert_uint_lt(n_lost, 2000000 / 50);
}

static void a_user_with_many_addresses_is_found(void) {
        unsigned int n_lost = 0;

        begin();
        for (int i = 0; i < 1000000; i++) {
                (void)answer(1000 + (uint64_t)i, 65535);
                n_lost += !answer_and_read(2, 1001);
                n_lost += !answer_and_read(3, 0);
                now_ns += 10000;
        }
        ck_assert_uint_lt(n_unread, N_ROOM / 2);
        ck_assert_uint_lt(n_lost, 2000000 / 50);
}

/* One socket of his that is not read. */
static void a_user_is_not_judged_by_one_address(void) {
        begin();
        for (int i = 0; i < 100000; i++) {
                (void)answer(1, 1001);
                if (n_unread > N_ROOM / 6) /* by then it is known */
                        break;
        }
        while (answer(1, 1001))
                ;
        for (int i = 0; i < 100000; i++)
                ck_assert(answer_and_read(2, 1001));
}

static void whoever_reads_again_is_answered_again(void) {
        begin();
        while (answer(1, 1001))
                ;
        ck_assert(unread.is_tight);
        n_unread = 0;
        ck_assert(answer(1, 1001));
        ck_assert(!unread.is_tight);

        /* Also while others do not: the trial that it gets later is passed. */
        begin();
        while (answer(1, 0))
                ;
        while (answer(2, 0))
                ;
        ck_assert(unread.is_tight);
        now_ns += NS_PER_S;
        for (int i = 0; i < 100000; i++)
                ck_assert(answer_and_read(2, 0));
        ck_assert(unread.is_tight);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(one_that_does_not_read_leaves_most_of_the_room),
                TEST(others_are_answered_beside_it),
                TEST(a_user_with_many_addresses_is_found),
                TEST(a_user_is_not_judged_by_one_address),
                TEST(whoever_reads_again_is_answered_again),
                {0},
        };

        return test_main("unread", tests, argc, argv);
}
