/* Policies and groups in the configuration: what a text gives, and the exact errors of others. */
#include "daemon/policy.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/conf-error.h"
#include "daemon/configuration.h"
#include "daemon/limits.h"
#include "lib/clock.h"
#include "tests/configuration-fixture.h"
#include "tests/support.h"

#define KEYS_DEFAULT \
        { .max = POLICY_KEYS_MAX, .max_bytes = POLICY_KEYS_MAX_BYTES }

struct good_row {
        const char *keys; /* of a handle, in flow style */
        struct policy_conf policy;
};

static const struct good_row good_rows[] = {
        {"quiet: 200ms", {.gate = {.quiet_ns = 200 * NS_PER_MS}, .keys = KEYS_DEFAULT}},
        {"quiet: 1, max_wait: 1",
         {.gate = {.quiet_ns = NS_PER_S, .max_wait_ns = NS_PER_S}, .keys = KEYS_DEFAULT}},
        {"max_wait: 1h 30s, quiet: 1s, leading: true",
         {.gate = {.quiet_ns = NS_PER_S, .max_wait_ns = 3630 * NS_PER_S, .leading = true},
          .keys = KEYS_DEFAULT}},
        {"quiet: 1s, leading: false", {.gate = {.quiet_ns = NS_PER_S}, .keys = KEYS_DEFAULT}},
        {"min_interval: 10min, jitter: 5s",
         {.gate = {.min_interval_ns = 600 * NS_PER_S, .jitter_ns = 5 * NS_PER_S},
          .keys = KEYS_DEFAULT}},
        {"run: [x], on_busy: rerun", {.keys = KEYS_DEFAULT}},
        {"run: [x], on_busy: restart",
         {.runner = {.on_busy = ON_BUSY_RESTART}, .keys = KEYS_DEFAULT}},
        {"run: [x], on_busy: signal USR1",
         {.runner = {.on_busy = ON_BUSY_SIGNAL}, .busy_signal = SIGUSR1, .keys = KEYS_DEFAULT}},
        {"run: [x], on_busy: \"signal   SIGHUP\"",
         {.runner = {.on_busy = ON_BUSY_SIGNAL}, .busy_signal = SIGHUP, .keys = KEYS_DEFAULT}},
        {"run: [x], on_busy: {signal: 12}",
         {.runner = {.on_busy = ON_BUSY_SIGNAL}, .busy_signal = 12, .keys = KEYS_DEFAULT}},
        {"run: [x], retry: ",
         {.runner = {.attempts = 5, .backoff_ns = NS_PER_S, .max_backoff_ns = 60 * NS_PER_S},
          .keys = KEYS_DEFAULT}},
        {"run: [x], retry: {attempts: 3, backoff: 100ms, max_backoff: 1s}, on_busy: restart",
         {.runner = {.on_busy = ON_BUSY_RESTART,
                     .attempts = 3,
                     .backoff_ns = 100 * NS_PER_MS,
                     .max_backoff_ns = NS_PER_S},
          .keys = KEYS_DEFAULT}},
        {"run: [x], on_busy: signal USR2, retry: {attempts: infinity, max_backoff: infinity}",
         {.runner = {.on_busy = ON_BUSY_SIGNAL, .backoff_ns = NS_PER_S},
          .busy_signal = SIGUSR2,
          .keys = KEYS_DEFAULT}},
        {"run: [x], retry: {backoff: 5min}",
         {.runner = {.attempts = 5, .backoff_ns = 300 * NS_PER_S, .max_backoff_ns = 300 * NS_PER_S},
          .keys = KEYS_DEFAULT}},
        {"signal: {pidfile: /p, signal: HUP}, retry: {attempts: 1}",
         {.runner = {.attempts = 1, .backoff_ns = NS_PER_S, .max_backoff_ns = 60 * NS_PER_S},
          .keys = KEYS_DEFAULT}},
        {"run: [x], group: db", {.keys = KEYS_DEFAULT, .group = (char *)"db"}},
        {"run: [x], keys: {max: 10}", {.keys = {.max = 10, .max_bytes = POLICY_KEYS_MAX_BYTES}}},
        {"run: [x], keys: {max_bytes: 64K, max: 1000000}",
         {.keys = {.max = 1000000, .max_bytes = 65536}}},
        {"run: [x], keys: {max_bytes: 64M}",
         {.keys = {.max = POLICY_KEYS_MAX, .max_bytes = 64 << 20}}},
        {"run: [x], keys: {max_bytes: 17}", {.keys = {.max = POLICY_KEYS_MAX, .max_bytes = 17}}},
        {"run: [x], keys: {}", {.keys = KEYS_DEFAULT}},
        {"run: [x], keys: true", {.keys = KEYS_DEFAULT}},
        {"run: [x], keys: false", {.keys = {.max = 0}}},
};

static struct configuration *parse_keys(const char *keys) {
        struct configuration *configuration;
        char *text;

        ck_assert_int_gt(
                asprintf(&text, "groups: {db: {max: 2}, bd: }\nhandles: {a: {%s}}\n", keys), 0);
        configuration = conf_test_parse_good(text);
        free(text);
        return configuration;
}

#define N_GOOD (sizeof(good_rows) / sizeof(good_rows[0]))

static void every_key_gives_its_value(void) {
        for (size_t i = 0; i < N_GOOD; i++) {
                struct configuration *configuration = parse_keys(good_rows[i].keys);
                const struct policy_conf *policy = configuration->handles[0].policy;

                ck_assert_msg(policy != NULL, "%s", good_rows[i].keys);
                ck_assert_msg(policy_conf_equal(policy, &good_rows[i].policy), "%s",
                              good_rows[i].keys);
                configuration_unref(configuration);
        }
}

static void no_key_is_no_policy(void) {
        struct configuration *configuration = parse_keys("run: [x], timeout: 5");

        ck_assert_ptr_null(configuration->handles[0].policy);
        ck_assert(policy_conf_equal(NULL, &policy_none));
        configuration_unref(configuration);
}

static void every_field_counts_for_equality(void) {
        static const struct policy_conf other[] = {
                {.gate.quiet_ns = 1},
                {.gate.max_wait_ns = 1},
                {.gate.min_interval_ns = 1},
                {.gate.jitter_ns = 1},
                {.gate.leading = true},
                {.runner.on_busy = ON_BUSY_RESTART},
                {.runner.attempts = 1},
                {.runner.backoff_ns = 1},
                {.runner.max_backoff_ns = 1},
                {.busy_signal = 1},
                {.keys.max = 1},
                {.keys.max_bytes = 1},
                {.group = (char *)"a"},
                {.group = (char *)"b"},
        };
        const size_t n = sizeof(other) / sizeof(other[0]);

        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < n; k++) {
                        struct handle_conf x = {.name = "x",
                                                .policy = (struct policy_conf *)&other[i]};
                        struct handle_conf y = {.name = "x",
                                                .policy = (struct policy_conf *)&other[k]};

                        ck_assert_int_eq(handle_conf_equal(&x, &y), i == k);
                }
}

#define H "handles:\n  a: {run: [x], "

static void errors_of_delays(void) {
        static const struct error_row rows[] = {
                {H "quiet: 0}\n", "t:2:24: this must be more than nothing\n"},
                {H "quiet: 0ms, min_interval: 0, jitter: 0s}\n",
                 "t:2:24: this must be more than nothing\n"
                 "t:2:43: this must be more than nothing\n"
                 "t:2:54: this must be more than nothing\n"},
                {H "quiet: soon}\n",
                 "t:2:24: expected a time span such as 200ms or 10min, found 'soon'\n"},
                {H "quiet: infinity}\n", "t:2:24: 'infinity' is not possible here\n"},
                {H "quiet: 5s, max_wait: 4s}\n",
                 "t:2:38: 'max_wait' is shorter than 'quiet', which could never pass\n"},
                {H "quiet: 5s, max_wait: 0}\n", "t:2:38: this must be more than nothing\n"},
                {H "max_wait: 4s}\n",
                 "t:2:17: 'max_wait' means something only together with 'quiet'\n"},
                {H "leading: true}\n",
                 "t:2:17: 'leading' means something only together with 'quiet'\n"},
                {H "quiet: 1s, leading: 1}\n", "t:2:37: expected true or false, found '1'\n"},
                {H "quite: 1s, max_wiat: 5s}\n",
                 "t:2:17: unknown key 'quite', did you mean 'quiet'?\n"
                 "t:2:28: unknown key 'max_wiat', did you mean 'max_wait'?\n"},
                {H "quiet: 1s, quiet: 1s}\n",
                 "t:2:28: key 'quiet' is repeated; it stands first at 2:17\n"},
        };

        EXPECT_ERRORS(rows);
}

static void errors_of_busy_and_retry(void) {
        static const struct error_row rows[] = {
                {H "on_busy: restrat}\n",
                 "t:2:26: unknown word 'restrat', did you mean 'restart'?\n"},
                {H "on_busy: kill}\n",
                 "t:2:26: expected rerun, restart, or signal and its name, found 'kill'\n"},
                {H "on_busy: [restart]}\n",
                 "t:2:26: expected rerun, restart, or signal and its name, found a list\n"},
                {H "on_busy: }\n",
                 "t:2:26: expected rerun, restart, or signal and its name, found nothing\n"},
                {H "on_busy: signal}\n", "t:2:26: which signal? As in 'signal USR1'\n"},
                {H "on_busy: 'signal '}\n", "t:2:26: which signal? As in 'signal USR1'\n"},
                {H "on_busy: signal USR3}\n",
                 "t:2:33: unknown signal 'USR3', did you mean 'USR1'?\n"},
                {H "on_busy: 'signal  USR3'}\n",
                 "t:2:35: unknown signal 'USR3', did you mean 'USR1'?\n"},
                {H "on_busy: {signal: }}\n",
                 "t:2:35: expected a signal such as HUP, found nothing\n"},
                {H "on_busy: signal KILL}\n",
                 "t:2:33: no program can catch this signal; to end it and run it again, there "
                 "is 'restart'\n"},
                {H "on_busy: {signal: SIGSTOP}}\n",
                 "t:2:35: no program can catch this signal; to end it and run it again, there "
                 "is 'restart'\n"},
                {H "on_busy: {}}\n", "t:2:26: the key 'signal' is missing\n"},
                {H "on_busy: {restart: true}}\n", "t:2:26: the key 'signal' is missing\n"
                                                  "t:2:27: unknown key 'restart'\n"},
                {H "retry: 5}\n", "t:2:24: expected a mapping (key: value), found '5'\n"},
                {H "retry: {attempts: 0}}\n",
                 "t:2:35: there is at least 1 attempt; 'infinity' is without end\n"},
                {H "retry: {attempts: many}}\n",
                 "t:2:35: expected a whole number from 0 on, found 'many'\n"},
                {H "retry: {backoff: 0, max_backoff: 0}}\n",
                 "t:2:34: this must be more than nothing\n"
                 "t:2:50: this must be more than nothing\n"},
                {H "retry: {backoff: infinity}}\n", "t:2:34: 'infinity' is not possible here\n"},
                {H "retry: {backoff: 2min, max_backoff: 1min}}\n",
                 "t:2:53: 'max_backoff' is shorter than 'backoff'\n"},
                {H "retry: {max_backoff: 500ms}}\n",
                 "t:2:38: 'max_backoff' is shorter than 'backoff'\n"},
                {H "retry: {atempts: 1}}\n",
                 "t:2:25: unknown key 'atempts', did you mean 'attempts'?\n"},
        };

        EXPECT_ERRORS(rows);
}

static void errors_of_keys(void) {
        static const struct error_row rows[] = {
                {H "keys: 5}\n",
                 "t:2:23: expected false, or a mapping such as {max: 1000}, found '5'\n"},
                {H "keys: }\n",
                 "t:2:23: expected false, or a mapping such as {max: 1000}, found nothing\n"},
                {H "keys: {max: 0, max_bytes: 0}}\n",
                 "t:2:29: this must be more than nothing; 'keys: false' keeps none\n"
                 "t:2:43: this must be more than nothing; 'keys: false' keeps none\n"},
                {H "keys: {max: 1000001, max_bytes: 65M}}\n",
                 "t:2:29: this is more than 1000000\n"
                 "t:2:49: this is more than 67108864\n"},
                {H "keys: {max_bytes: 4G}}\n", "t:2:35: '4G' is larger than 4294967295\n"},
                {H "keys: {max_bytes: 99999999999999999999999G}}\n",
                 "t:2:35: '99999999999999999999999G' is larger than 4294967295\n"},
                {H "keys: {max_bytes: 4KB}}\n",
                 "t:2:35: expected a number of bytes such as 4096 or 256K, found '4KB'\n"},
                {H "keys: {max_bytes: K}}\n",
                 "t:2:35: expected a number of bytes such as 4096 or 256K, found 'K'\n"},
                {H "keys: {mx: 1}}\n", "t:2:24: unknown key 'mx', did you mean 'max'?\n"},
        };

        EXPECT_ERRORS(rows);
}

static void errors_of_actions_that_cannot(void) {
        static const struct error_row rows[] = {
                {"handles:\n  a: {on_busy: restart, retry: , keys: false, group: g}\n"
                 "groups: {g: }\n",
                 "t:2:7: 'on_busy' means something only together with 'run'\n"
                 "t:2:25: 'retry' means something only together with an action\n"
                 "t:2:34: 'keys' means something only together with 'run'\n"
                 "t:2:47: 'group' means something only together with 'run'\n"},
                {"handles:\n"
                 "  a: {send: b, on_busy: signal USR1}\n"
                 "  b: {signal: {pidfile: /p, signal: HUP}, keys: {max: 1}}\n",
                 "t:2:16: 'on_busy' means something only together with 'run'\n"
                 "t:3:43: 'keys' means something only together with 'run'\n"},
                {"handles:\n  a: {run: 5, on_busy: restart}\n",
                 "t:2:12: expected a list such as [/bin/sh, -c, 'echo hello'], found '5'\n"},
        };

        EXPECT_ERRORS(rows);
}

static void errors_of_groups(void) {
        static const struct error_row rows[] = {
                {"groups: [a]\n", "t:1:9: expected a mapping of names to groups, found a list\n"},
                {"groups: {a: 5}\n", "t:1:13: expected a mapping (key: value), found '5'\n"},
                {"groups: {a: {max: 0}}\n", "t:1:19: at least 1 handle of a group has to run\n"},
                {"groups: {a: {mx: 2}}\n", "t:1:14: unknown key 'mx', did you mean 'max'?\n"},
                {"groups: {-a: }\n", "t:1:10: the name '-a' begins with '-'\n"},
                {"groups:\n  a: {max: 2}\n  a: {max: 3}\n",
                 "t:3:3: the group 'a' is defined twice; the first stands at t:2:3\n"},
                {H "group: databse}\ngroups: {database: }\n",
                 "t:2:24: there is no group 'databse', did you mean 'database'?\n"},
                {H "group: db}\n",
                 "t:2:24: there is no group 'db'; it has to stand below 'groups'\n"},
                {H "group: db}\ngroups: {db: {max: 0}}\n",
                 "t:3:20: at least 1 handle of a group has to run\n"},
                {H "group: [db]}\n", "t:2:24: expected the name of a group, found a list\n"},
                {H "group: }\n", "t:2:24: expected the name of a group, found nothing\n"},
                {H "group: a b}\n",
                 "t:2:24: the name 'a b' has something else in it than letters, digits and any of . "
                 "_ - : @ /\n"},
        };

        EXPECT_ERRORS(rows);
}

static void groups_are_read(void) {
        struct configuration *configuration =
                conf_test_parse_good("handles: {a: {run: [x], group: c}}\n"
                                     "groups: {b: {max: 4294967295}, c: , d: {}}\n");

        ck_assert_uint_eq(configuration->n_groups, 3);
        ck_assert_str_eq(configuration->groups[0].name, "b");
        ck_assert_uint_eq(configuration->groups[0].max, UINT32_MAX);
        ck_assert_str_eq(configuration->groups[1].name, "c");
        ck_assert_uint_eq(configuration->groups[1].max, 1);
        ck_assert_uint_eq(configuration->groups[2].max, 1);
        configuration_unref(configuration);
}

static void a_group_in_two_files_is_an_error(void) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct configuration *configuration = NULL;
        char *expected;

        test_write_file(test_path("main.yaml"), "groups: {db: }\n"
                                                "handles: {a: {run: [x], group: web}}\n");
        ck_assert_int_eq(mkdir(test_path("conf.d"), 0755), 0);
        test_write_file(test_path("conf.d/x.yaml"), "groups: {web: , db: {max: 2}}\n");
        ck_assert_int_eq(configuration_load(test_path("main.yaml"), &errors, &configuration),
                         -EINVAL);
        ck_assert_uint_eq(errors.n_items, 1);
        ck_assert_str_eq(errors.items[0].file, test_path("conf.d/x.yaml"));
        ck_assert_uint_eq(errors.items[0].column, 17);
        ck_assert_int_gt(asprintf(&expected,
                                  "the group 'db' is defined twice; the first stands at %s:1:10",
                                  test_path("main.yaml")),
                         0);
        ck_assert_str_eq(errors.items[0].message, expected);
        free(expected);
        conf_errors_deinit(&errors);
}

static void there_is_a_limit_of_groups(void) {
        struct configuration *configuration;
        char *text = NULL, *errors;
        size_t n_text;
        FILE *stream = open_memstream(&text, &n_text);

        fputs("groups:\n", stream);
        for (unsigned int i = 0; i < LIMIT_GROUPS; i++)
                fprintf(stream, "  g%u:\n", i);
        fflush(stream);
        configuration = conf_test_parse_good(text);
        ck_assert_uint_eq(configuration->n_groups, LIMIT_GROUPS);
        configuration_unref(configuration);
        fputs("  x:\n", stream);
        fclose(stream);
        ck_assert_ptr_null(conf_test_parse(text, &errors));
        ck_assert_str_eq(errors, "t:258:3: there are more than 256 groups\n");
        free(errors);
        free(text);
}

static const struct test tests[] = {
        TEST(every_key_gives_its_value),
        TEST(no_key_is_no_policy),
        TEST(every_field_counts_for_equality),
        TEST(errors_of_delays),
        TEST(errors_of_busy_and_retry),
        TEST(errors_of_keys),
        TEST(errors_of_actions_that_cannot),
        TEST(errors_of_groups),
        TEST(groups_are_read),
        TEST(a_group_in_two_files_is_an_error),
        TEST(there_is_a_limit_of_groups),
        {0},
};

int main(int argc, char **argv) {
        return test_main("conf-policy", tests, argc, argv);
}
