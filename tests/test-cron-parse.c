/* Crontab expressions: what is legal, and what is refused with which reason. */

#include "daemon/cron.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cron-must-parse.h"
#include "tests/support.h"

#define N(array) (sizeof(array) / sizeof(*(array)))

static void equal_expressions(void) {
        static const struct {
                const char *a, *b;
        } rows[] = {
                {"@hourly", "0 * * * *"},
                {"@daily", "0 0 * * *"},
                {"@midnight", "0 0 * * *"},
                {"@weekly", "0 0 * * 0"},
                {"@monthly", "0 0 1 * *"},
                {"@yearly", "0 0 1 1 *"},
                {"@annually", "@YEARLY"},
                {" \t@daily ", "@daily"},
                {"  1\t2 3  4 5 ", "1 2 3 4 5"},
                {"0 0 1 jan mon", "0 0 1 1 1"},
                {"0 0 1 DEC Sat", "0 0 1 12 6"},
                {"0 0 * * sun", "0 0 * * 7"},
                {"0 0 * * 0", "0 0 * * 7"},
                {"0 0 * * sat-sun", "0 0 * * 0,6"},
                {"0 0 * * 5-7", "0 0 * * fri,sat,sun"},
                {"0 0 * * mon-fri", "0 0 * * 1-5"},
                {"0 0 * * sun-tue", "0 0 * * 0-2"},
                {"0 0 * * sun-sun", "0 0 * * 0"},
                {"0 0 1 jan-mar,oct *", "0 0 1 1,2,3,10 *"},
                {"0-30/10 0 1 1 1", "0,10,20,30 0 1 1 1"},

                {"5-59/60 0 1 1 1", "5 0 1 1 1"},
                {"0 1-5/2 1 1 1", "0 1,3,5 1 1 1"},
                {"00 08 01 01 1", "0 8 1 1 1"},
                {"1,1,1 0 1 1 1", "1 0 1 1 1"},
        };

        for (size_t i = 0; i < N(rows); i++) {
                struct cron a = must_parse(rows[i].a), b = must_parse(rows[i].b);

                ck_assert_msg(cron_equal(&a, &b), "%s is not %s", rows[i].a, rows[i].b);
        }
}

static void different_expressions(void) {
        static const char *const rows[] = {
                "0 0 1 1 1", "1 0 1 1 1", "0 1 1 1 1",    "0 0 2 1 1", "0 0 1 2 1",    "0 0 1 1 2",
                "0 0 * 1 1", "0 0 1 1 *", "0 0 1-31 1 1", "0 * 1 1 1", "0 0-23 1 1 1",
        };

        for (size_t i = 0; i < N(rows); i++)
                for (size_t k = 0; k < N(rows); k++) {
                        struct cron a = must_parse(rows[i]), b = must_parse(rows[k]);

                        ck_assert_msg(cron_equal(&a, &b) == (i == k), "%s, %s", rows[i], rows[k]);
                }
}

static void refused_with_a_reason(void) {
        static const struct {
                const char *text, *reason; /* what the reason holds */
        } rows[] = {
                {"", "0 fields where five"},
                {"   ", "0 fields where five"},
                {"* * * *", "4 fields where five"},
                {"* * * * * *", "6 fields where five"},
                {"0 0 0 0 0 root run-me", "7 fields where five"},
                {"60 * * * *", "minute: \"60\" is out of range (0-59)"},
                {"* 24 * * *", "hour: \"24\" is out of range (0-23)"},
                {"* * 0 * *", "day of the month: \"0\" is out of range (1-31)"},
                {"* * 32 * *", "day of the month: \"32\" is out of range"},
                {"* * * 0 *", "month: \"0\" is out of range (1-12 or jan-dec)"},
                {"* * * 13 *", "month: \"13\" is out of range"},
                {"* * * * 8", "day of the week: \"8\" is out of range (0-7 or sun-sat)"},
                {"99999999999999999999 * * * *", "minute: \""},
                {"0-99999999999999999999 * * * *", "minute: \""},
                {"30-10 * * * *", "minute: the range in \"30-10\" runs backwards"},
                {"* * * * sat-mon", "day of the week: the range in \"sat-mon\" runs backwards"},
                {"* * * * 6-0", "day of the week: the range in \"6-0\" runs backwards"},
                {"* * * dec-jan *", "month: the range in \"dec-jan\" runs backwards"},
                {"*/0 * * * *", "minute: the step in \"*/0\" must not be 0"},
                {"*/ * * * *", "minute: cannot read the step in \"*/\""},
                {"*/x * * * *", "minute: cannot read the step in \"*/x\""},
                {"*/5/5 * * * *", "minute: cannot read the step in \"*/5/5\""},
                {"*/-5 * * * *", "minute: cannot read the step in \"*/-5\""},
                {"*/90 * * * *", "minute: the step in \"*/90\" is longer than the field (0-59)"},
                {"* */25 * * *", "hour: the step in"},
                {"* * * */jan *", "month: cannot read the step in"},
                {"5/10 * * * *", "minute: the step in \"5/10\" needs a range"},
                {", * * * *", "minute: cannot read \"\""},
                {"1, * * * *", "minute: cannot read \"\""},
                {"1,,2 * * * *", "minute: cannot read \"\""},
                {"1- * * * *", "minute: cannot read \"1-\""},
                {"-1 * * * *", "minute: cannot read \"-1\""},
                {"1-2-3 * * * *", "minute: cannot read \"1-2-3\""},
                {"** * * * *", "minute: cannot read \"**\""},
                {"*-5 * * * *", "minute: cannot read \"*-5\""},
                {"*5 * * * *", "minute: cannot read \"*5\""},
                {"1.5 * * * *", "minute: cannot read \"1.5\""},
                {"a * * * *", "minute: cannot read \"a\" (0-59)"},
                {"* jan * * *", "hour: cannot read \"jan\""},
                {"* * L * *", "day of the month: cannot read \"L\""},
                {"* * ? * *", "day of the month: cannot read \"?\""},
                {"* * * january *", "month: cannot read \"january\" (1-12 or jan-dec)"},
                {"* * * mon *", "month: cannot read \"mon\""},
                {"* * * * jan", "day of the week: cannot read \"jan\""},
                {"* * * * 5L", "day of the week: cannot read \"5L\""},
                {"* * * * mon#1", "day of the week: cannot read \"mon#1\""},
                {"0 0 30 2 *", "day of the month: never comes"},
                {"0 0 30,31 feb *", "day of the month: never comes"},
                {"0 0 31 4,6,9,11 *", "day of the month: never comes"},
                {"0 0 31 feb */2", "day of the month: never comes"},
                {"@reboot", "@reboot is not a time"},
                {"@fortnightly", "cannot read \"@fortnightly\""},
                {"@daily 5", "cannot read \"@daily 5\""},
                {"@", "cannot read \"@\""},
        };

        for (size_t i = 0; i < N(rows); i++) {
                struct cron cron = {.minutes = 12345};
                char *reason = NULL;

                ck_assert_msg(cron_parse(rows[i].text, &cron, &reason) == -EINVAL,
                              "\"%s\" is taken", rows[i].text);
                ck_assert_ptr_nonnull(reason);
                ck_assert_msg(strstr(reason, rows[i].reason), "\"%s\": %s", rows[i].text, reason);
                ck_assert_uint_eq(cron.minutes, 12345);
                free(reason);
        }
}

static const struct test tests[] = {
        TEST(equal_expressions),
        TEST(different_expressions),
        TEST(refused_with_a_reason),
        {0},
};

int main(int argc, char **argv) {
        return test_main("cron-parse", tests, argc, argv);
}
