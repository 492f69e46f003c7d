/* Why a handle waits, in words: every state. */

#include "daemon/sentence.h"

#include "daemon/handle.h"
#include "lib/clock.h"
#include "tests/support.h"

#define NOW_NS      (100 * NS_PER_S)
#define REALTIME_MS 1000000

static void every_state_says_why_and_until_when(void) {
        static const struct {
                struct handle_why why;
                const char *text;
        } rows[] = {
                {{.state = HANDLE_IDLE}, "Nothing is pending"},
                {{.state = HANDLE_PENDING}, "It wakes now"},
                {{.state = HANDLE_QUIET, .until_ns = NOW_NS + 150 * NS_PER_MS},
                 "Quiet time: wakes in 150ms unless more is sent"},
                {{.state = HANDLE_QUIET, .until_ns = NOW_NS - 1},
                 "Quiet time: wakes in 0s unless more is sent"},
                {{.state = HANDLE_INTERVAL, .until_ns = NOW_NS + 1},
                 "Minimum interval: wakes in 1ms"},
                {{.state = HANDLE_INTERVAL, .is_jitter = true, .until_ns = NOW_NS + 1},
                 "Jitter: wakes in 1ms"},
                {{.state = HANDLE_RUNNING, .run_seq = 7, .since_realtime_ms = REALTIME_MS - 61000},
                 "Run 7 goes on since 1min 1s"},
                {{.state = HANDLE_BEHIND_RUN,
                  .run_seq = 4711,
                  .since_realtime_ms = REALTIME_MS - 3000},
                 "Behind run 4711, which goes on since 3s"},
                {{.state = HANDLE_BACKING_OFF,
                  .attempt = 3,
                  .attempts = 5,
                  .until_ns = NOW_NS + 4 * NS_PER_S},
                 "Attempt 3 of 5 failed, next in 4s"},
                {{.state = HANDLE_BACKING_OFF, .attempt = 3, .until_ns = NOW_NS + 4 * NS_PER_S},
                 "Attempt 3 failed, next in 4s"},
                {{.state = HANDLE_BACKING_OFF, .attempts = 5, .until_ns = NOW_NS + NS_PER_S},
                 "The run could not be started yet, next try in 1s"},
                {{.state = HANDLE_FAILED, .attempt = 5, .attempts = 5},
                 "Attempt 5 of 5 failed, the next send tries again"},
                {{.state = HANDLE_PAUSED, .by_uid = 1000, .since_realtime_ms = REALTIME_MS - 2000},
                 "Paused by uid 1000 since 2s"},
                {{.state = HANDLE_PAUSED,
                  .by_uid = 0,
                  .since_realtime_ms = REALTIME_MS - 2000,
                  .until_ns = NOW_NS + 598 * NS_PER_S},
                 "Paused by uid 0 since 2s, resumes in 9min 58s"},
                {{.state = HANDLE_GROUP_FULL, .group = "db"},
                 "Group db is full: waits for one of its runs to end"},
                {{.state = HANDLE_CLOSED}, "It is closed"},
        };
        char text[SENTENCE_MAX];

        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
                ck_assert_str_eq(sentence_why(&rows[i].why, NOW_NS, REALTIME_MS, text),
                                 rows[i].text);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {TEST(every_state_says_why_and_until_when), {}};

        return test_main("sentence", tests, argc, argv);
}
