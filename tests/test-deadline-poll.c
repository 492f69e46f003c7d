/* How long a wait takes, with a poll(2) of the test's own. */

#include <errno.h>
#include <limits.h>
#include <poll.h>

#include "lib/deadline.h"
#include "tests/support.h"

/* What the next calls answer, in turn, and the longest that any was asked to wait. */
static const int *answers;
static unsigned int n_calls;
static int longest_ms;

int poll(struct pollfd *fds, nfds_t n, int timeout_ms) {
        int answer = answers[n_calls++];

        ck_assert_uint_eq(n, 1);
        fds->revents = answer > 0 ? fds->events : 0;
        if (timeout_ms < 0 || (longest_ms >= 0 && timeout_ms > longest_ms))
                longest_ms = timeout_ms;
        if (answer < 0) {
                errno = -answer;
                return -1;
        }
        return answer;
}

static int wait_with(const int *script, uint64_t deadline_ns, int most_ms) {
        answers = script;
        n_calls = 0;
        longest_ms = 0;
        return rouse__deadline_poll(deadline_ns, 0, POLLIN, most_ms);
}

static void goes_on_after_an_interruption(void) {
        static const int script[] = {-EINTR, -EINTR, 1};

        ck_assert_int_eq(wait_with(script, deadline_in_ms(1000000), -1), 1);
        ck_assert_uint_eq(n_calls, 3);
        ck_assert_int_ge(longest_ms, 999000);
        ck_assert_int_le(longest_ms, 1000000);
}

static void a_month_is_longer_than_poll_can_wait(void) {
        static const int script[] = {0, 0, 1};
        const int64_t months = INT64_C(3) * 31 * 24 * 3600 * 1000;

        ck_assert_int_eq(wait_with(script, deadline_in_ms(months), -1), 1);
        ck_assert_uint_eq(n_calls, 3);
        ck_assert_int_eq(longest_ms, INT_MAX);
}

static void ends_with_the_time_or_an_error(void) {
        static const int over[] = {0}, failed[] = {-EINTR, -ENOMEM}, ready[] = {1};

        ck_assert_int_eq(wait_with(over, deadline_in_ms(1000), -1), 0);
        ck_assert_int_eq(wait_with(over, deadline_in_ms(1000000), 10), 0);
        ck_assert_int_eq(longest_ms, 10);
        ck_assert_int_eq(wait_with(over, 0, -1), 0);
        ck_assert_int_eq(longest_ms, 0);
        ck_assert_int_eq(wait_with(failed, DEADLINE_NEVER, -1), -ENOMEM);
        ck_assert_int_eq(wait_with(ready, DEADLINE_NEVER, -1), 1);
        ck_assert_int_eq(longest_ms, -1);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(goes_on_after_an_interruption),
                TEST(a_month_is_longer_than_poll_can_wait),
                TEST(ends_with_the_time_or_an_error),
                {0},
        };

        return test_main("deadline-poll", tests, argc, argv);
}
