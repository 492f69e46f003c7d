/* When a cron comes: over leap years, in zones that change, and by clocks that are set. */

#include "daemon/cron.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/cron-must-parse.h"
#include "tests/support.h"

#define N(array) (sizeof(array) / sizeof(*(array)))

static void use_zone(const char *zone) {
        ck_assert_int_eq(setenv("TZ", zone, 1), 0);
        tzset();
}

/* "2024-02-29 12:30:00" in UTC */
static int64_t utc(const char *text) {
        struct tm tm = {0};

        ck_assert_ptr_nonnull(strptime(text, "%Y-%m-%d %H:%M:%S", &tm));
        return timegm(&tm);
}

/* The same of the zone that is set; " +0200" at its end tells it apart. */
static const char *show(int64_t t_s) {
        static char text[64];
        time_t t = (time_t)t_s;
        struct tm tm;

        ck_assert_ptr_nonnull(localtime_r(&t, &tm));
        ck_assert_uint_gt(strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z", &tm), 0);
        return text;
}

static void the_next_time_is_the_one_of_the_calendar(void) {
        static const struct {
                const char *zone, *text, *after; /* `after` is in UTC */
                const char *next[4];             /* in the zone, one after the other */
        } rows[] = {
                {"UTC",
                 "* * * * *",
                 "2024-01-01 00:00:00",
                 {"2024-01-01 00:01:00 +0000", "2024-01-01 00:02:00 +0000"}},
                {"UTC", "* * * * *", "2024-01-01 00:00:59", {"2024-01-01 00:01:00 +0000"}},
                {"UTC",
                 "30 2 * * *",
                 "2024-01-01 02:29:59",
                 {"2024-01-01 02:30:00 +0000", "2024-01-02 02:30:00 +0000"}},
                {"UTC", "30 2 * * *", "2024-01-01 02:30:00", {"2024-01-02 02:30:00 +0000"}},
                {"UTC",
                 "*/15 9-10 * * *",
                 "2024-01-01 09:31:00",
                 {"2024-01-01 09:45:00 +0000", "2024-01-01 10:00:00 +0000",
                  "2024-01-01 10:15:00 +0000", "2024-01-01 10:30:00 +0000"}},
                {"UTC",
                 "5-59/20 23 * * *",
                 "2024-01-01 23:45:00",
                 {"2024-01-02 23:05:00 +0000", "2024-01-02 23:25:00 +0000"}},
                {"UTC",
                 "0 0 1 1 *",
                 "2023-12-31 23:59:59",
                 {"2024-01-01 00:00:00 +0000", "2025-01-01 00:00:00 +0000"}},
                {"UTC", "59 23 31 12 *", "2023-12-31 23:59:00", {"2024-12-31 23:59:00 +0000"}},
                {"UTC",
                 "0 0 31 * *",
                 "2024-01-31 00:00:00",
                 {"2024-03-31 00:00:00 +0000", "2024-05-31 00:00:00 +0000"}},
                /* leap years; 2100 is none */
                {"UTC",
                 "0 12 29 2 *",
                 "2024-02-29 12:00:00",
                 {"2028-02-29 12:00:00 +0000", "2032-02-29 12:00:00 +0000"}},
                {"UTC", "0 12 29 2 *", "2096-02-29 12:00:00", {"2104-02-29 12:00:00 +0000"}},
                {"UTC", "* * 29 2 *", "2096-02-29 23:59:00", {"2104-02-29 00:00:00 +0000"}},
                {"UTC", "0 0 28 2 *", "2024-02-28 00:00:00", {"2025-02-28 00:00:00 +0000"}},
                {"UTC", "0 0 1 3 *", "2024-02-28 23:59:00", {"2024-03-01 00:00:00 +0000"}},
                /* one of both days is enough if both are given … */
                {"UTC",
                 "0 0 13 * fri",
                 "2024-09-05 00:00:00",
                 {"2024-09-06 00:00:00 +0000", "2024-09-13 00:00:00 +0000",
                  "2024-09-20 00:00:00 +0000", "2024-09-27 00:00:00 +0000"}},
                {"UTC", "0 0 13 * fri", "2024-10-12 00:00:00", {"2024-10-13 00:00:00 +0000"}},
                {"UTC",
                 "0 0 30 2 mon",
                 "2024-02-20 00:00:00",
                 {"2024-02-26 00:00:00 +0000", "2025-02-03 00:00:00 +0000"}},
                /* … and with a "*", both have to match */
                {"UTC",
                 "0 0 * * fri",
                 "2024-09-05 00:00:00",
                 {"2024-09-06 00:00:00 +0000", "2024-09-13 00:00:00 +0000"}},
                {"UTC",
                 "0 0 13 * *",
                 "2024-09-05 00:00:00",
                 {"2024-09-13 00:00:00 +0000", "2024-10-13 00:00:00 +0000"}},
                {"UTC",
                 "0 0 */2 * fri",
                 "2024-09-05 00:00:00",
                 {"2024-09-13 00:00:00 +0000", "2024-09-27 00:00:00 +0000"}},
                {"UTC",
                 "0 0 13 * */5",
                 "2024-09-01 00:00:00",
                 {"2024-09-13 00:00:00 +0000", "2024-10-13 00:00:00 +0000",
                  "2024-12-13 00:00:00 +0000"}},
                {"UTC",
                 "0 0 29 2 */6",
                 "2024-03-01 00:00:00",
                 {"2032-02-29 00:00:00 +0000", "2048-02-29 00:00:00 +0000"}},
                {"UTC", "0 0 * * 7", "2024-09-02 00:00:00", {"2024-09-08 00:00:00 +0000"}},
                /* zones */
                {"Europe/Berlin",
                 "0 8 * * *",
                 "2024-01-01 06:59:59",
                 {"2024-01-01 08:00:00 +0100"}},
                {"Asia/Kolkata", "0 8 * * *", "2024-01-01 00:00:00", {"2024-01-01 08:00:00 +0530"}},
                {"Asia/Kathmandu",
                 "@hourly",
                 "2024-01-01 00:00:00",
                 {"2024-01-01 06:00:00 +0545", "2024-01-01 07:00:00 +0545"}},
                {"America/St_Johns",
                 "30 2 * * *",
                 "2024-07-01 00:00:00",
                 {"2024-07-01 02:30:00 -0230"}},
                {"<+14>-14", "0 0 1 * *", "2024-01-31 09:59:59", {"2024-02-01 00:00:00 +1400"}},
                {"<-12>12", "0 0 1 * *", "2024-02-01 11:59:59", {"2024-02-01 00:00:00 -1200"}},
                /* Berlin skips 02:00 to 03:00 on 2024-03-31 (at 01:00 UTC) … */
                {"Europe/Berlin",
                 "30 2 * * *",
                 "2024-03-30 12:00:00",
                 {"2024-03-31 03:00:00 +0200", "2024-04-01 02:30:00 +0200"}},
                {"Europe/Berlin",
                 "*/5 2 * * *",
                 "2024-03-30 12:00:00",
                 {"2024-03-31 03:00:00 +0200", "2024-04-01 02:00:00 +0200"}},
                {"Europe/Berlin",
                 "0,30 2,3 * * *",
                 "2024-03-30 12:00:00",
                 {"2024-03-31 03:00:00 +0200", "2024-03-31 03:30:00 +0200",
                  "2024-04-01 02:00:00 +0200"}},
                {"Europe/Berlin",
                 "30 2 31 3 *",
                 "2024-01-01 00:00:00",
                 {"2024-03-31 03:00:00 +0200", "2025-03-31 02:30:00 +0200"}},
                {"Europe/Berlin",
                 "59 1 * * *",
                 "2024-03-30 12:00:00",
                 {"2024-03-31 01:59:00 +0100"}},
                {"Europe/Berlin",
                 "0 3 * * *",
                 "2024-03-31 00:59:59",
                 {"2024-03-31 03:00:00 +0200", "2024-04-01 03:00:00 +0200"}},
                /* … and repeats it on 2024-10-27 (until 01:00 UTC) */
                {"Europe/Berlin",
                 "30 2 * * *",
                 "2024-10-26 12:00:00",
                 {"2024-10-27 02:30:00 +0200", "2024-10-28 02:30:00 +0100"}},
                {"Europe/Berlin",
                 "30 2 * * *",
                 "2024-10-27 01:10:00",
                 {"2024-10-28 02:30:00 +0100"}},
                {"Europe/Berlin",
                 "0,30 1-3 * * *",
                 "2024-10-26 23:30:00",
                 {"2024-10-27 02:00:00 +0200", "2024-10-27 02:30:00 +0200",
                  "2024-10-27 03:00:00 +0100", "2024-10-27 03:30:00 +0100"}},
                /* with "*", the real hours */
                {"Europe/Berlin",
                 "30 * * * *",
                 "2024-03-31 00:00:00",
                 {"2024-03-31 01:30:00 +0100", "2024-03-31 03:30:00 +0200",
                  "2024-03-31 04:30:00 +0200"}},
                {"Europe/Berlin",
                 "0 */2 * * *",
                 "2024-03-30 23:30:00",
                 {"2024-03-31 04:00:00 +0200"}},
                {"Europe/Berlin",
                 "30 * * * *",
                 "2024-10-26 23:45:00",
                 {"2024-10-27 02:30:00 +0200", "2024-10-27 02:30:00 +0100",
                  "2024-10-27 03:30:00 +0100"}},
                {"Europe/Berlin",
                 "*/20 * * * *",
                 "2024-10-27 00:40:00",
                 {"2024-10-27 02:00:00 +0100", "2024-10-27 02:20:00 +0100",
                  "2024-10-27 02:40:00 +0100", "2024-10-27 03:00:00 +0100"}},
                {"Europe/Berlin",
                 "* * * 7 *",
                 "2024-01-01 00:00:00",
                 {"2024-07-01 00:00:00 +0200", "2024-07-01 00:01:00 +0200"}},
                {"America/New_York",
                 "30 2 * * *",
                 "2024-03-09 12:00:00",
                 {"2024-03-10 03:00:00 -0400", "2024-03-11 02:30:00 -0400"}},
                {"America/New_York",
                 "30 1 * * *",
                 "2024-11-02 12:00:00",
                 {"2024-11-03 01:30:00 -0400", "2024-11-04 01:30:00 -0500"}},
                /* half an hour, at midnight, a whole day */
                {"Australia/Lord_Howe",
                 "15 2 * * *",
                 "2024-10-05 12:00:00",
                 {"2024-10-06 02:30:00 +1100", "2024-10-07 02:15:00 +1100"}},
                {"Australia/Lord_Howe",
                 "45 1 * * *",
                 "2024-04-06 12:00:00",
                 {"2024-04-07 01:45:00 +1100", "2024-04-08 01:45:00 +1030"}},
                {"Australia/Lord_Howe",
                 "45 * * * *",
                 "2024-04-06 14:00:00",
                 {"2024-04-07 01:45:00 +1100", "2024-04-07 01:45:00 +1030",
                  "2024-04-07 02:45:00 +1030"}},
                {"Africa/Cairo",
                 "0 0 * * *",
                 "2024-04-25 12:00:00",
                 {"2024-04-26 01:00:00 +0300", "2024-04-27 00:00:00 +0300"}},
                {"Pacific/Apia",
                 "0 12 * * *",
                 "2011-12-29 12:00:00",
                 {"2011-12-29 12:00:00 -1000", "2011-12-31 00:00:00 +1400",
                  "2011-12-31 12:00:00 +1400"}},
                {"Pacific/Apia",
                 "0 * * * *",
                 "2011-12-30 09:00:00",
                 {"2011-12-31 00:00:00 +1400", "2011-12-31 01:00:00 +1400"}},
                /* before and after what 32 bits can say */
                {"UTC",
                 "0 0 1 1 *",
                 "1969-06-01 00:00:00",
                 {"1970-01-01 00:00:00 +0000", "1971-01-01 00:00:00 +0000"}},
                {"UTC", "* * * * *", "1901-12-13 20:45:51", {"1901-12-13 20:46:00 +0000"}},
                {"Europe/Berlin",
                 "0 0 1 7 *",
                 "2100-01-01 00:00:00",
                 {"2100-07-01 00:00:00 +0200"}},
        };

        for (size_t i = 0; i < N(rows); i++) {
                struct cron cron = must_parse(rows[i].text);
                int64_t t = utc(rows[i].after);

                use_zone(rows[i].zone);
                for (size_t k = 0; k < N(rows[i].next) && rows[i].next[k]; k++) {
                        const char *shown;

                        ck_assert_int_eq(cron_next(&cron, t, &t), 0);
                        shown = show(t);
                        ck_assert_msg(strcmp(shown, rows[i].next[k]) == 0,
                                      "row %zu, %s in %s: %s, not %s", i, rows[i].text,
                                      rows[i].zone, shown, rows[i].next[k]);
                }
        }
}

/* Every minute of some years is compared with what the calendar says, the plain way. */
static void follows_the_plain_search(void) {
        static const struct {
                const char *zone, *text;
        } rows[] = {
                {"Europe/Berlin", "*/7 * * * *"},        {"Europe/Berlin", "17 */5 */3 * *"},
                {"America/New_York", "0 * 10 3,11 sun"}, {"Australia/Lord_Howe", "*/30 * * * *"},
                {"Pacific/Apia", "1 * * * fri"},         {"Asia/Kathmandu", "59 * 31 * *"},
        };

        for (size_t i = 0; i < N(rows); i++) {
                struct cron cron = must_parse(rows[i].text);
                int64_t from = utc("2011-06-01 00:00:00"), to = utc("2012-06-01 00:00:00"), t;

                use_zone(rows[i].zone);
                t = from;
                for (int64_t s = from + 60; s < to; s += 60) {
                        time_t tt = (time_t)s;
                        struct tm tm;
                        bool day, weekday;

                        localtime_r(&tt, &tm);
                        day = cron.days >> tm.tm_mday & 1;
                        weekday = cron.weekdays >> tm.tm_wday & 1;
                        if (!(cron.minutes >> tm.tm_min & 1) || !(cron.hours >> tm.tm_hour & 1) ||
                            !(cron.months >> (tm.tm_mon + 1) & 1) ||
                            !(cron.any_day || cron.any_weekday ? day && weekday : day || weekday))
                                continue;
                        ck_assert_int_eq(cron_next(&cron, t, &t), 0);
                        ck_assert_msg(t == s, "%s in %s: %s, not %" PRIi64, rows[i].text,
                                      rows[i].zone, show(t), s);
                }
        }
}

static void fixed_times_come_once_a_day_in_every_zone(void) {
        static const char *const zones[] = {"Europe/Berlin",     "America/New_York",
                                            "America/Santiago",  "Australia/Lord_Howe",
                                            "Africa/Casablanca", "America/Scoresbysund",
                                            "Antarctica/Troll",  "Asia/Tehran"};
        static const char *const texts[] = {"30 0 * * *", "15 1 * * *", "30 2 * * *", "0 3 * * *",
                                            "59 23 * * *"};

        for (size_t i = 0; i < N(zones); i++)
                for (size_t k = 0; k < N(texts); k++) {
                        struct cron cron = must_parse(texts[k]);
                        int64_t t = utc("2019-01-01 12:00:00"), previous;
                        int n = 0;

                        use_zone(zones[i]);
                        for (;;) {
                                previous = t;
                                ck_assert_int_eq(cron_next(&cron, t, &t), 0);
                                if (t >= utc("2022-01-01 12:00:00"))
                                        break;
                                ck_assert_int_gt(t, previous);
                                n++;
                        }
                        ck_assert_msg(n == 3 * 365 + 1, "%s in %s: %d times", texts[k], zones[i],
                                      n);
                }
}

static void beyond_all_time_is_an_error(void) {
        struct cron cron = must_parse("0 0 1 1 *");
        int64_t t = 4711;

        use_zone("UTC");
        ck_assert_int_eq(cron_next(&cron, INT64_MAX / 2, &t), -ERANGE);
        cron = must_parse("* * * * *");
        ck_assert_int_eq(cron_next(&cron, INT64_MAX / 2, &t), -ERANGE);
        ck_assert_int_eq(t, 4711);
}

/* A plan, and what happens to its clock: `set_s` is by how much it was set before it showed `now`.
 */
static void a_plan_follows_a_clock_that_is_set(void) {
        static const struct {
                const char *text, *start;
                struct {
                        const char *now;
                        int64_t set_s;
                        bool due;
                        const char *next;
                } steps[5];
        } rows[] = {
                /* on time, then late (a busy or sleeping machine): one send for all */
                {"*/10 * * * *",
                 "2024-05-01 00:00:00",
                 {{"2024-05-01 00:10:00", 0, true, "2024-05-01 00:20:00"},
                  {"2024-05-01 00:20:07", 0, true, "2024-05-01 00:30:00"},
                  {"2024-05-01 08:01:00", 0, true, "2024-05-01 08:10:00"}}},
                /* woken too early: nothing yet */
                {"30 2 * * *",
                 "2024-05-01 00:00:00",
                 {{"2024-05-01 02:29:59", 0, false, "2024-05-01 02:30:00"},
                  {"2024-05-01 02:30:00", 0, true, "2024-05-02 02:30:00"}}},
                /* set forward over the time: at once */
                {"30 2 * * *",
                 "2024-05-01 00:00:00",
                 {{"2024-05-01 02:31:00", 120, true, "2024-05-02 02:30:00"}}},
                /* set forward, but not as far */
                {"30 2 * * *",
                 "2024-05-01 00:00:00",
                 {{"2024-05-01 02:00:00", 3600, false, "2024-05-01 02:30:00"}}},
                /* set back behind a time that was served: not again */
                {"30 2 * * *",
                 "2024-05-01 00:00:00",
                 {{"2024-05-01 02:30:00", 0, true, "2024-05-02 02:30:00"},
                  {"2024-05-01 02:20:00", -600, false, "2024-05-02 02:30:00"},
                  {"2024-05-02 02:30:00", 0, true, "2024-05-03 02:30:00"}}},
                /* … but what had not come yet still comes */
                {"30 2,4 * * *",
                 "2024-05-01 00:00:00",
                 {{"2024-05-01 02:30:00", 0, true, "2024-05-01 04:30:00"},
                  {"2024-05-01 01:00:00", -7200, false, "2024-05-01 04:30:00"}}},
                /* with "*", the clock as it is */
                {"* * * * *",
                 "2024-05-01 02:29:00",
                 {{"2024-05-01 02:30:00", 0, true, "2024-05-01 02:31:00"},
                  {"2024-05-01 02:20:00", -600, false, "2024-05-01 02:21:00"}}},
                /* from 1970 to now, and back */
                {"30 2 * * *",
                 "1970-01-01 00:00:10",
                 {{"2024-05-01 12:00:00", 1714564800, false, "2024-05-02 02:30:00"},
                  {"2024-05-02 02:30:00", 0, true, "2024-05-03 02:30:00"},
                  {"2024-04-01 00:00:00", -2773800, false, "2024-04-01 02:30:00"}}},
                /* three hours and a second */
                {"30 2 * * *",
                 "2024-05-01 02:00:00",
                 {{"2024-05-01 05:00:00", 10800, true, "2024-05-02 02:30:00"}}},
                {"30 2 * * *",
                 "2024-05-01 02:00:00",
                 {{"2024-05-01 05:00:01", 10801, false, "2024-05-02 02:30:00"}}},
        };

        use_zone("UTC");
        for (size_t i = 0; i < N(rows); i++) {
                struct cron cron = must_parse(rows[i].text);
                struct cron_plan plan;

                cron_plan_init(&plan, &cron, utc(rows[i].start));
                for (size_t k = 0; k < N(rows[i].steps) && rows[i].steps[k].now; k++) {
                        bool due = cron_plan_advance(&plan, &cron, utc(rows[i].steps[k].now),
                                                     rows[i].steps[k].set_s);

                        ck_assert_msg(due == rows[i].steps[k].due, "row %zu, step %zu: %d", i, k,
                                      due);
                        ck_assert_msg(plan.due_s == utc(rows[i].steps[k].next),
                                      "row %zu, step %zu: next is %s", i, k, show(plan.due_s));
                }
        }
}

static const struct test tests[] = {
        TEST(the_next_time_is_the_one_of_the_calendar),  TEST(follows_the_plain_search),
        TEST(fixed_times_come_once_a_day_in_every_zone), TEST(beyond_all_time_is_an_error),
        TEST(a_plan_follows_a_clock_that_is_set),        {0},
};

int main(int argc, char **argv) {
        return test_main("cron", tests, argc, argv);
}
