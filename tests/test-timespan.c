/* Lengths of time, read and written. */
#include "lib/timespan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "tests/support.h"

#define US_NS   1000ULL
#define MIN_NS  (60 * NS_PER_S)
#define HOUR_NS (60 * MIN_NS)
#define DAY_NS  (24 * HOUR_NS)

static void spans_are_read(void) {
        static const struct {
                const char *text;
                uint64_t ns;
        } rows[] = {
                {"0", 0},
                {"30", 30 * NS_PER_S},
                {"0.5", NS_PER_S / 2},
                {".5", NS_PER_S / 2},
                {"5.", 5 * NS_PER_S},
                {"200ms", 200 * NS_PER_MS},
                {"10min", 10 * MIN_NS},
                {"1h 30s", HOUR_NS + 30 * NS_PER_S},
                {"1h30s", HOUR_NS + 30 * NS_PER_S},
                {" 1 h\t30 s ", HOUR_NS + 30 * NS_PER_S},
                {"30s 1h", HOUR_NS + 30 * NS_PER_S},
                {"1s 1s", 2 * NS_PER_S},
                {"1h 30", HOUR_NS + 30 * NS_PER_S},
                {"1.5h", 90 * MIN_NS},
                {"0.1s", 100 * NS_PER_MS},
                {"0.000000001s", 1},
                {"0.0000000001s", 0},
                {"0.9999999999999999999999999s", NS_PER_S - 1},
                {"0.25us", 250},
                {"7ns", 7},
                {"7nsec", 7},
                {"7us", 7 * US_NS},
                {"7usec", 7 * US_NS},
                {"7µs", 7 * US_NS},
                {"7μs", 7 * US_NS},
                {"7msec", 7 * NS_PER_MS},
                {"7s", 7 * NS_PER_S},
                {"7sec", 7 * NS_PER_S},
                {"1second", NS_PER_S},
                {"7seconds", 7 * NS_PER_S},
                {"7m", 7 * MIN_NS},
                {"1minute", MIN_NS},
                {"7minutes", 7 * MIN_NS},
                {"7h", 7 * HOUR_NS},
                {"7hr", 7 * HOUR_NS},
                {"1hour", HOUR_NS},
                {"7hours", 7 * HOUR_NS},
                {"7d", 7 * DAY_NS},
                {"1day", DAY_NS},
                {"7days", 7 * DAY_NS},
                {"2w", 14 * DAY_NS},
                {"1week", 7 * DAY_NS},
                {"2weeks", 14 * DAY_NS},
                {"12M", 365 * DAY_NS + 6 * HOUR_NS},
                {"1month", 2629800 * NS_PER_S},
                {"12months", 31557600 * NS_PER_S},
                {"1y", 31557600 * NS_PER_S},
                {"1year", 31557600 * NS_PER_S},
                {"4years", 1461 * DAY_NS},
                {"18446744073709551614ns", UINT64_MAX - 1},
                {"infinity", TIMESPAN_INFINITY},
                {" infinity ", TIMESPAN_INFINITY},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                uint64_t ns = 42;
                int r = timespan_parse(rows[i].text, &ns);

                ck_assert_msg(r == 0 && ns == rows[i].ns, "'%s': %d, %llu", rows[i].text, r,
                              (unsigned long long)ns);
        }
}

static void anything_else_is_refused(void) {
        static const struct {
                const char *text;
                int error;
        } rows[] = {
                {"", -EINVAL},
                {" ", -EINVAL},
                {"-1s", -EINVAL},
                {"+1s", -EINVAL},
                {"s", -EINVAL},
                {".", -EINVAL},
                {".s", -EINVAL},
                {"1.2.3s", -EINVAL},
                {"1e3", -EINVAL},
                {"0x10", -EINVAL},
                {"1 fortnight", -EINVAL},
                {"1S", -EINVAL},
                {"1MS", -EINVAL},
                {"1s,", -EINVAL},
                {"1s +", -EINVAL},
                {"infinity s", -EINVAL},
                {"infinityx", -EINVAL},
                {"1s infinity", -EINVAL},
                {"Infinity", -EINVAL},
                {"1\xc2s", -EINVAL},
                {"18446744073709551615ns", -ERANGE},
                {"18446744073709551616ns", -ERANGE},
                {"18446744073709551615", -ERANGE},
                {"99999999999999999999999999", -ERANGE},
                {"585y", -ERANGE},
                {"584y 1y", -ERANGE},
                {"99999999999999999999 fortnights", -EINVAL},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                uint64_t ns = 42;
                int r = timespan_parse(rows[i].text, &ns);

                ck_assert_msg(r == rows[i].error, "'%s': %d", rows[i].text, r);
                ck_assert_uint_eq(ns, 42);
        }
}

static void spans_are_written_for_people(void) {
        static const struct {
                uint64_t ns;
                const char *text;
        } rows[] = {
                {0, "0s"},
                {1, "1ns"},
                {200 * NS_PER_MS, "200ms"},
                {10 * MIN_NS, "10min"},
                {HOUR_NS + 30 * NS_PER_S, "1h 30s"},
                {1500 * NS_PER_MS, "1s 500ms"},
                {DAY_NS, "1d"},
                {400 * DAY_NS, "400d"},
                {TIMESPAN_INFINITY, "infinity"},
                {TIMESPAN_INFINITY - 1, "213503d 23h 34min 33s 709ms 551us 614ns"},
        };
        char buffer[TIMESPAN_TEXT_MAX];

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                ck_assert_str_eq(timespan_format(rows[i].ns, buffer), rows[i].text);
}

static void what_is_written_reads_the_same(void) {
        char buffer[TIMESPAN_TEXT_MAX];
        uint64_t ns = 1, again;

        /* Over all magnitudes, with digits everywhere. */
        for (int i = 0; i < 20000; i++) {
                ns = ns * 6364136223846793005ULL + 1442695040888963407ULL;
                uint64_t value = ns >> (i % 64);

                ck_assert_int_eq(timespan_parse(timespan_format(value, buffer), &again), 0);
                ck_assert_uint_eq(again, value);
        }
}

static const struct test tests[] = {
        TEST(spans_are_read),
        TEST(anything_else_is_refused),
        TEST(spans_are_written_for_people),
        TEST(what_is_written_reads_the_same),
        {0},
};

int main(int argc, char **argv) {
        return test_main("timespan", tests, argc, argv);
}
