/* Every error that a configuration may have: a text, and the exact lines it gives. */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/conf-error.h"
#include "daemon/configuration.h"
#include "daemon/limits.h"
#include "tests/conf-support.h"
#include "tests/configuration-fixture.h"
#include "tests/support.h"

static void errors_of_the_top_level(void) {
        static const struct error_row rows[] = {
                {"hello\n", "t:1:1: expected a mapping (key: value), found 'hello'\n"},
                {"- a\n", "t:1:1: expected a mapping (key: value), found a list\n"},
                {"handels: {}\n", "t:1:1: unknown key 'handels', did you mean 'handles'?\n"},
                {"grups: {}\n", "t:1:1: unknown key 'grups', did you mean 'groups'?\n"},
                {"handles: {}\nhandles: {}\n",
                 "t:2:1: key 'handles' is repeated; it stands first at 1:1\n"},
                {"handles: [a]\n",
                 "t:1:10: expected a mapping of names to handles, found a list\n"},
                {"handles: a\n", "t:1:10: expected a mapping of names to handles, found 'a'\n"},
                {"workers: [a]\n",
                 "t:1:10: expected a mapping of names to workers, found a list\n"},
                {"handles:\n  a: &x\n",
                 "t:2:6: anchors (&x) are not supported: write the value out where it is "
                 "needed\n"},
        };

        EXPECT_ERRORS(rows);
}

static void errors_of_handles(void) {
        static const struct error_row rows[] = {
                {"handles:\n  a: {quite: 200ms}\n",
                 "t:2:7: unknown key 'quite', did you mean 'quiet'?\n"},
                {"handles:\n  a: {startd: true, tmeout: 5}\n",
                 "t:2:7: unknown key 'startd', did you mean 'started'?\n"
                 "t:2:21: unknown key 'tmeout', did you mean 'timeout'?\n"},
                {"handles:\n  a:\n    rnu: [x]\n",
                 "t:3:5: unknown key 'rnu', did you mean 'run'?\n"},
                {"handles:\n  a: 5\n", "t:2:6: expected a mapping (key: value), found '5'\n"},
                {"handles:\n  a: [run]\n",
                 "t:2:6: expected a mapping (key: value), found a list\n"},
                {"handles:\n  a:\n    run: [x]\n    started: true\n    run: [y]\n",
                 "t:5:5: key 'run' is repeated; it stands first at 3:5\n"},
                {"handles:\n  a: {started: 1, description: [x], access: 5}\n",
                 "t:2:16: expected true or false, found '1'\n"
                 "t:2:32: expected a text, found a list\n"
                 "t:2:45: expected a mapping (key: value), found '5'\n"},
                {"handles:\n  a:\n    run: [x]\n    signal: {pidfile: /p, signal: HUP}\n",
                 "t:4:5: a handle has one action: 'signal' cannot stand beside 'run' at 3:5\n"},
                {"handles:\n  a:\n    send: b\n    run: 5\n  b:\n",
                 "t:4:5: a handle has one action: 'run' cannot stand beside 'send' at 3:5\n"
                 "t:4:10: expected a list such as [/bin/sh, -c, 'echo hello'], found '5'\n"},
                {"handles:\n  a: {timeout: 5}\n",
                 "t:2:7: 'timeout' means something only together with 'run'\n"},
                {"handles:\n  a: {send: b, kill_after: 1s}\n  b:\n",
                 "t:2:16: 'kill_after' means something only together with 'run'\n"},
                {"handles:\n  a: {run: [x], timeout: soon}\n",
                 "t:2:26: expected a time span such as 200ms or 10min, found 'soon'\n"},
                {"handles:\n  a: {run: ls -l, timeout: 5}\n",
                 "t:2:12: expected a list such as [/bin/sh, -c, 'echo hello'], found 'ls -l'\n"},
                {"handles:\n  a: {run: }\n",
                 "t:2:12: expected a list such as [/bin/sh, -c, 'echo hello'], found nothing\n"},
                {"handles:\n  a: {signal: {pidfile: /p, signla: HUP}}\n",
                 "t:2:15: the key 'signal' is missing\n"
                 "t:2:29: unknown key 'signla', did you mean 'signal'?\n"},
                {"handles:\n  a b: {}\n",
                 "t:2:3: the name 'a b' has something else in it than letters, digits and any of . "
                 "_ - : @ /\n"},
                {"handles:\n  -a: {}\n", "t:2:3: the name '-a' begins with '-'\n"},
                {"handles:\n  '': {}\n", "t:2:3: a name has at least one character\n"},
                {"handles:\n  a: {}\n  b: {}\n  a: {}\n",
                 "t:4:3: the handle 'a' is defined twice; the first stands at t:2:3\n"},
                {"handles:\n  a: {}\n  a: {}\n  a: {}\n",
                 "t:3:3: the handle 'a' is defined twice; the first stands at t:2:3\n"
                 "t:4:3: the handle 'a' is defined twice; the first stands at t:2:3\n"},
        };

        EXPECT_ERRORS(rows);
}

static void errors_of_workers(void) {
        static const struct error_row rows[] = {
                {"workers:\n  a: {every: 5}\n",
                 "t:2:6: expected a list of sources, found a mapping\n"},
                {"workers:\n  a: [every]\n",
                 "t:2:7: expected a source such as {every: 30s, send: NAME}, found 'every'\n"},
                {"workers:\n  a: [{}]\n",
                 "t:2:7: this is no source: it needs one of the keys every, cron, watch, "
                 "signal or fifo\n"},
                {"workers:\n  a: [{send: b}]\nhandles: {b: }\n",
                 "t:2:7: this is no source: it needs one of the keys every, cron, watch, "
                 "signal or fifo\n"},
                {"workers:\n  a: [{send: b, evry: 5}]\nhandles: {b: }\n",
                 "t:2:17: unknown key 'evry', did you mean 'every'?\n"},
                {"workers:\n  a:\n    - every: 5\n      watch: /x\n      send: b\n",
                 "t:4:7: a source has one kind: 'watch' cannot stand beside 'every' at 3:7\n"},
                {"workers:\n  a: [{every: 5}]\n", "t:2:7: the key 'send' is missing\n"},
                {"workers:\n  a: [{every: 5, sned: b}]\nhandles: {b: }\n",
                 "t:2:7: the key 'send' is missing\n"
                 "t:2:18: unknown key 'sned', did you mean 'send'?\n"},
                {"workers:\n  a: [{every: never, send: b}]\nhandles: {b: }\n",
                 "t:2:15: expected a time span such as 200ms or 10min, found 'never'\n"},
                {"workers:\n  a: [{every: infinity, send: b}]\nhandles: {b: }\n",
                 "t:2:15: 'infinity' is not possible here\n"},
                {"workers:\n  a: [{every: 0, send: b}]\nhandles: {b: }\n",
                 "t:2:15: a period must be at least 1ms\n"},
                {"workers:\n  a: [{fifo: /x, send: b}]\nhandles: {b: }\n",
                 "t:2:18: 'fifo' has no 'send': it reads the names of the handles that it sends "
                 "to\n"},
                {"workers:\n  a: [{fifo: /x, send: b, mode: 999, mod: 7}]\n",
                 "t:2:18: 'fifo' has no 'send': it reads the names of the handles that it sends "
                 "to\n"
                 "t:2:33: expected an octal mode such as 0660, found '999'\n"
                 "t:2:38: unknown key 'mod', did you mean 'mode'?\n"},
                {"workers:\n  a: [{fifo: /x, mode: 999}]\n",
                 "t:2:24: expected an octal mode such as 0660, found '999'\n"},
                {"workers:\n  a: [{every: 5, send: [b]}]\nhandles: {b: }\n",
                 "t:2:24: expected the name of a handle, found a list\n"},
                {"workers:\n  a: []\n  b: []\n  a: []\n",
                 "t:4:3: the worker 'a' is defined twice; the first stands at t:2:3\n"},
                {"workers:\n  a b: []\n",
                 "t:2:3: the name 'a b' has something else in it than letters, digits and any of . "
                 "_ - : @ /\n"},
        };

        EXPECT_ERRORS(rows);
}

static void errors_of_access(void) {
        static const struct error_row rows[] = {
                {"access: 5\n", "t:1:9: expected a mapping (key: value), found '5'\n"},
                {"access: {raed: []}\n", "t:1:10: unknown key 'raed', did you mean 'read'?\n"},
                {"access: {read: }\n",
                 "t:1:16: expected a list of users, \"@group\" or \"*\", found nothing\n"},
                {"access: {read: {a: b}}\n",
                 "t:1:16: expected a list of users, \"@group\" or \"*\", found a mapping\n"},
                {"access: {read: [[a], ]}\n", "t:1:17: expected a text, found a list\n"},
                {"access: {read: [@root]}\n", "t:1:17: a text that begins with '@' needs quotes\n"},
                {"access: {read: [*]}\n", "t:1:18: a text that begins with '*' needs quotes\n"},
                {"access:\n  send: [root, no.such.user, '@no.such.group', '@', '']\n",
                 "t:2:16: there is no user 'no.such.user'\n"
                 "t:2:30: there is no group 'no.such.group'\n"
                 "t:2:48: there is no group ''\n"
                 "t:2:53: there is no user ''\n"},
                {"access:\n  admin: [4294967295, '@4294967295', '99999999999999']\n",
                 "t:2:11: there is no user '4294967295'\n"
                 "t:2:23: there is no group '4294967295'\n"
                 "t:2:38: there is no user '99999999999999'\n"},
                {"handles:\n  a: {access: {send: no.such.user}}\n",
                 "t:2:22: there is no user 'no.such.user'\n"},
        };

        EXPECT_ERRORS(rows);
}

static void errors_of_references(void) {
        static const struct error_row rows[] = {
                {"handles:\n  deploy: {send: [reindx, reindex, x]}\n  reindex:\n",
                 "t:2:19: there is no handle 'reindx', did you mean 'reindex'?\n"
                 "t:2:36: there is no handle 'x'\n"},
                {"handles:\n  a: {send: heartbeet}\n  heartbeat:\n",
                 "t:2:13: there is no handle 'heartbeet', did you mean 'heartbeat'?\n"},
                {"workers:\n  w:\n    - every: 5\n      send: heartbeet\n    - watch: /x\n"
                 "      send: y\nhandles:\n  heartbeat:\n",
                 "t:4:13: there is no handle 'heartbeet', did you mean 'heartbeat'?\n"
                 "t:6:13: there is no handle 'y'\n"},
                {"handles:\n  a: {send: a}\n",
                 "t:2:13: handles send to each other in a cycle: a -> a\n"},
                {"handles:\n  a: {send: [c, b]}\n  b: {send: a}\n  c: {}\n",
                 "t:3:13: handles send to each other in a cycle: a -> b -> a\n"},
                {"handles:\n  x: {send: a}\n  a: {send: b}\n  b: {send: c}\n  c: {send: a}\n",
                 "t:5:13: handles send to each other in a cycle: a -> b -> c -> a\n"},
                {"handles:\n  a: {send: [b, c]}\n  b: {send: a}\n  c: {send: [a, c]}\n",
                 "t:3:13: handles send to each other in a cycle: a -> b -> a\n"
                 "t:4:14: handles send to each other in a cycle: a -> c -> a\n"
                 "t:4:17: handles send to each other in a cycle: c -> c\n"},
                {"handles: {0: {send: 1}, 1: {send: 2}, 2: {send: 3}, 3: {send: 4},\n"
                 " 4: {send: 5}, 5: {send: 6}, 6: {send: 7}, 7: {send: 8}, 8: {send: 9},\n"
                 " 9: {send: 0}}\n",
                 "t:3:12: handles send to each other in a cycle: 0 -> 1 -> 2 -> 3 -> 4 -> 5 -> 6 -> "
                 "7 -> 8 -> 9 -> 0\n"},
                {"handles: {0: {send: 1}, 1: {send: 2}, 2: {send: 3}, 3: {send: 4},\n"
                 " 4: {send: 5}, 5: {send: 6}, 6: {send: 7}, 7: {send: 8}, 8: {send: 9},\n"
                 " 9: {send: 10}, 10: {send: 0}}\n",
                 "t:3:28: handles send to each other in a cycle: 0 -> 1 -> 2 -> 3 -> 4 -> 5 -> 6 -> "
                 "7 -> … -> 10 -> 0\n"},
                /* A diamond is no cycle. */
                {"handles:\n  a: {send: [b, c]}\n  b: {send: d}\n  c: {send: d}\n  d: {send: e}\n",
                 "t:5:13: there is no handle 'e'\n"},
                /* One mistake is one message: a handle that has errors is still defined. */
                {"handles:\n  a: {send: b}\n  b: {startd: true}\n",
                 "t:3:7: unknown key 'startd', did you mean 'started'?\n"},
                /* A file that could not be read whole may define what seems to be missing. */
                {"handles:\n  a: {send: b}\n  b: [\n",
                 "t:4:1: YAML: while parsing a flow node, did not find expected node content\n"},
        };

        EXPECT_ERRORS(rows);
}

static void all_errors_come_in_the_order_of_the_lines(void) {
        static const char text[] = "workers:\n"
                                   "  w:\n"
                                   "    - every: 5\n"
                                   "      send: nobody\n"
                                   "handles:\n"
                                   "  a: {send: [b, none], started: maybe}\n"
                                   "  b: {send: a}\n"
                                   "  a:\n"
                                   "acess: {}\n";
        static const struct error_row row = {
                text,
                "t:4:13: there is no handle 'nobody'\n"
                "t:6:17: there is no handle 'none'\n"
                "t:6:33: expected true or false, found 'maybe'\n"
                "t:7:13: handles send to each other in a cycle: a -> b -> a\n"
                "t:8:3: the handle 'a' is defined twice; the first stands at t:6:3\n"
                "t:9:1: unknown key 'acess', did you mean 'access'?\n",
        };

        conf_test_expect_errors(&row, 1);
}

static void too_many_errors_are_counted(void) {
        char *text = NULL, *errors, *last;
        size_t n_text;
        FILE *stream = open_memstream(&text, &n_text);

        fputs("handles:\n  a:\n", stream);
        for (unsigned int i = 0; i < LIMIT_CONF_ERRORS + 500; i++)
                fprintf(stream, "    xyz%u: 1\n", i);
        for (unsigned int i = 0; i < 500; i++)
                fputs("    started: true\n", stream);
        fclose(stream);
        ck_assert_ptr_null(conf_test_parse(text, &errors));
        last = strrchr(strndupa(errors, strlen(errors) - 1), '\n') + 1;
        ck_assert_str_eq(last, "and 999 more");
        free(errors);
        free(text);
}

/* Handles h0 -> h1 -> … -> hN, and what the last one says. */
static char *chain(int n, const char *last) {
        char *text = NULL;
        size_t n_text;
        FILE *stream = open_memstream(&text, &n_text);

        fputs("handles:\n", stream);
        for (int i = 0; i < n; i++)
                fprintf(stream, "  h%d: {send: h%d}\n", i, i + 1);
        fprintf(stream, "  h%d: %s\n", n, last);
        fclose(stream);
        return text;
}

static void a_long_chain_is_no_cycle_and_no_recursion(void) {
        enum { N = 200000 };
        struct configuration *configuration;
        char *text = chain(N, "{}"), *errors;

        configuration = conf_test_parse_good(text);
        ck_assert_uint_eq(configuration->n_handles, N + 1);
        for (int i = 0; i <= N; i += 1000) {
                char name[16];

                snprintf(name, sizeof(name), "h%d", i);
                ck_assert_ptr_eq(configuration_find_handle(configuration, name),
                                 &configuration->handles[i]);
        }
        ck_assert_ptr_null(configuration_find_handle(configuration, "h200001"));
        configuration_unref(configuration);
        free(text);

        text = chain(N, "{send: h0}");
        ck_assert_ptr_null(conf_test_parse(text, &errors));
        ck_assert_str_eq(errors,
                         "t:200002:19: handles send to each other in a cycle: h0 -> h1 -> h2 -> h3 "
                         "-> h4 -> h5 -> h6 -> h7 -> … -> h200000 -> h0\n");
        free(errors);
        free(text);
}

static void there_is_a_limit_of_workers(void) {
        char text[4096] = "workers: {", *errors;
        struct configuration *configuration;
        size_t n = strlen(text);

        for (unsigned int i = 0; i < LIMIT_WORKERS; i++)
                n += (size_t)sprintf(text + n, "w%02u: [], ", i);
        strcpy(text + n, "}");
        configuration = conf_test_parse_good(text);
        ck_assert_uint_eq(configuration->n_workers, LIMIT_WORKERS);
        configuration_unref(configuration);
        strcpy(text + n, "x: []}");
        ck_assert_ptr_null(conf_test_parse(text, &errors));
        ck_assert_str_eq(errors, "t:1:587: there are more than 64 workers\n");
        free(errors);
}

/* Loads a file of the corpus, which gives what stands beside it: its errors, or what it holds. */
static void expect_as_beside(const char *file) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct configuration *configuration = NULL;
        char name[256], *expected, *found;

        if (configuration_load(file, &errors, &configuration) == 0)
                ck_assert_int_gt(asprintf(&found, "handles: %zu\nworkers: %zu\n",
                                          configuration->n_handles, configuration->n_workers),
                                 0);
        else
                found = conf_test_errors(&errors);
        snprintf(name, sizeof(name), "%.*s.expected", (int)(strlen(file) - strlen(".yaml")), file);
        expected = test_read_file(name);
        ck_assert_msg(expected, "%s is missing", name);
        ck_assert_str_eq(found, expected);
        free(expected);
        free(found);
        configuration_unref(configuration);
        conf_errors_deinit(&errors);
}

static void there_is_a_limit_of_sources(void) {
        const size_t n_half = LIMIT_SOURCES / 2;
        char *text = malloc(LIMIT_SOURCES * 32 + 256), *at, *errors;

        at = stpcpy(text, "handles: {a: {}}\nworkers:\n  w:\n");
        for (size_t i = 0; i < LIMIT_SOURCES; i++) {
                at = stpcpy(at, i == n_half ? "  x:\n" : "");
                at = stpcpy(at, "    - {every: 1h, send: a}\n");
        }
        configuration_unref(conf_test_parse_good(text));
        /* It is told once, and all others are. */
        at = stpcpy(at, "    - {every: 1h, send: a}\n    - {every: 1h, send: a}\n"
                        "  y:\n    - {evry: 1h, send: a}\n");
        ck_assert_ptr_null(conf_test_parse(text, &errors));
        ck_assert_str_eq(errors, "t:8197:7: there are more than 8192 sources\n"
                                 "t:8200:8: unknown key 'evry', did you mean 'every'?\n");
        free(errors);
        free(text);
}

static void the_corpus_gives_what_stands_beside_it(void) {
        const char *source = getenv("ROUSE_SOURCE") ?: ".";
        char *path;
        glob_t files;

        ck_assert_int_gt(asprintf(&path, "%s/tests/conf", source), 0);
        ck_assert_int_eq(chdir(path), 0);
        ck_assert_int_eq(glob("*.yaml", 0, NULL, &files), 0);
        ck_assert_uint_gt(files.gl_pathc, 30);
        for (size_t i = 0; i < files.gl_pathc; i++)
                expect_as_beside(files.gl_pathv[i]);
        globfree(&files);
        free(path);
}

static const struct test tests[] = {
        TEST(errors_of_the_top_level),
        TEST(errors_of_handles),
        TEST(errors_of_workers),
        TEST(errors_of_access),
        TEST(errors_of_references),
        TEST(all_errors_come_in_the_order_of_the_lines),
        TEST(too_many_errors_are_counted),
        TEST(a_long_chain_is_no_cycle_and_no_recursion),
        TEST(there_is_a_limit_of_workers),
        TEST(there_is_a_limit_of_sources),
        TEST(the_corpus_gives_what_stands_beside_it),
        {0},
};

int main(int argc, char **argv) {
        return test_main("configuration-errors", tests, argc, argv);
}
