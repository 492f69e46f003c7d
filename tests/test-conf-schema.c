/* Mappings read by tables, and each reader with what it takes and what it says to the rest. */
#include "daemon/conf-schema.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/conf-node.h"
#include "daemon/conf-yaml.h"
#include "daemon/signal-names.h"
#include "lib/names.h"
#include "lib/timespan.h"
#include "tests/conf-support.h"
#include "tests/support.h"

/* Everything that a reader may fill. */
struct target {
        bool yes;
        char *string, *path, *name;
        const char *text;
        const struct conf_node *node;
        uint32_t number;
        uint64_t span_ns, span_or_infinity_ns;
        int signal;
        mode_t mode;
        char **strings, **argv;
};

static const struct conf_key first_keys[] = {
        {"yes", conf_bool, offsetof(struct target, yes)},
        {"string", conf_string, offsetof(struct target, string)},
        {"path", conf_path, offsetof(struct target, path)},
        {"name", conf_handle_name, offsetof(struct target, name)},
        {"text", conf_text, offsetof(struct target, text)},
        {"any", conf_any, offsetof(struct target, node)},
        {NULL},
};

static const struct conf_key second_keys[] = {
        {"number", conf_u32, offsetof(struct target, number)},
        {"span", conf_timespan, offsetof(struct target, span_ns)},
        {"span_or_infinity", conf_timespan_or_infinity,
         offsetof(struct target, span_or_infinity_ns)},
        {"signal", conf_signal, offsetof(struct target, signal)},
        {"mode", conf_mode, offsetof(struct target, mode)},
        {"strings", conf_strings, offsetof(struct target, strings)},
        {"argv", conf_argv, offsetof(struct target, argv)},
        {NULL},
};

static const struct conf_key required_keys[] = {
        {"needed", conf_u32, offsetof(struct target, number), .required = true},
        {"wanted", conf_u32, offsetof(struct target, number), .required = true},
        {NULL},
};

static void target_deinit(struct target *target) {
        free(target->string);
        free(target->path);
        free(target->name);
        conf_strv_free(target->strings);
        conf_strv_free(target->argv);
}

/* Reads a text that stands in the file `file`; the arena holds what the target borrows. */
static int read_text(const char *file, const char *text, const struct conf_key *const *tables,
                     size_t n_tables, struct target *target, struct conf_arena *arena,
                     char **ret_errors) {
        void *const targets[] = {target, target};
        struct conf_errors errors = CONF_ERRORS_NULL;
        const struct conf_node *root;
        int r;

        ck_assert_int_eq(
                conf_yaml_parse(&errors, arena, file, text, strlen(text), NULL, NULL, &root), 0);
        ck_assert_ptr_nonnull(root);
        r = conf_map(&errors, root, tables, targets, n_tables);
        *ret_errors = conf_test_errors(&errors);
        ck_assert_int_eq(r, **ret_errors ? -EINVAL : 0);
        conf_errors_deinit(&errors);
        return r;
}

static const struct conf_key *const both_tables[] = {first_keys, second_keys};

/* The lines that a text in the file "t" gives; "" if there is nothing wrong with it. */
static void expect_errors(const char *text, const struct conf_key *const tables[2],
                          const char *lines) {
        struct conf_arena arena = CONF_ARENA_NULL;
        struct target target = {0};
        char *errors;

        read_text("t", text, tables, 2, &target, &arena, &errors);
        ck_assert_str_eq(errors, lines);
        free(errors);
        target_deinit(&target);
        conf_arena_deinit(&arena);
}

/* Writes the fields that a text sets. */
static char *show(const struct target *target) {
        size_t n_text;
        char *text;
        FILE *stream = open_memstream(&text, &n_text);

        if (target->yes)
                fputs("yes ", stream);
        if (target->string)
                fprintf(stream, "string=%s ", target->string);
        if (target->path)
                fprintf(stream, "path=%s ", target->path);
        if (target->name)
                fprintf(stream, "name=%s ", target->name);
        if (target->text)
                fprintf(stream, "text=%s ", target->text);
        if (target->node)
                fprintf(stream, "node=%d ", target->node->type);
        if (target->number)
                fprintf(stream, "number=%" PRIu32 " ", target->number);
        if (target->span_ns)
                fprintf(stream, "span=%" PRIu64 " ", target->span_ns);
        if (target->span_or_infinity_ns)
                fprintf(stream, "span=%" PRIu64 " ", target->span_or_infinity_ns);
        if (target->signal)
                fprintf(stream, "signal=%d ", target->signal);
        if (target->mode)
                fprintf(stream, "mode=%o ", target->mode);
        for (char **s = target->strings; s && *s; s++)
                fprintf(stream, "<%s>", *s);
        for (char **s = target->argv; s && *s; s++)
                fprintf(stream, "<%s>", *s);
        ck_assert_int_eq(fclose(stream), 0);
        return text;
}

static void readers_take_what_is_right(void) {
        static const struct {
                const char *text, *shown;
        } rows[] = {
                {"{}", ""},
                {"~", ""},
                {"yes: true", "yes "},
                {"yes: false", ""},
                {"string: a b", "string=a b "},
                {"string: ''", "string= "},
                {"string: 42", "string=42 "},
                {"string: 'null'", "string=null "},
                {"path: /a/b", "path=/a/b "},
                {"path: b/c", "path=/etc/roused/b/c "},
                {"path: ./b", "path=/etc/roused/b "},
                {"path: ../b", "path=/etc/roused/../b "},
                {"path: //a/./b//c/.", "path=/a/b/c "},
                {"path: /a/.b/c../", "path=/a/.b/c.. "},
                {"path: /", "path=/ "},
                {"path: //.", "path=/ "},
                {"name: a.b_c-d:e@f/g", "name=a.b_c-d:e@f/g "},
                {"text: x", "text=x "},
                {"any: [a]", "node=1 "},
                {"number: 4294967295", "number=4294967295 "},
                {"number: 007", "number=7 "},
                {"span: 200ms", "span=200000000 "},
                {"span: '1h 30s'", "span=3630000000000 "},
                {"span: 2", "span=2000000000 "},
                {"span_or_infinity: infinity", "span=18446744073709551615 "},
                {"signal: HUP", "signal=1 "},
                {"signal: SIGTERM", "signal=15 "},
                {"signal: 10", "signal=10 "},
                {"mode: 0660", "mode=660 "},
                {"mode: '640'", "mode=640 "},
                {"mode: 0o7777", "mode=7777 "},
                {"strings: a", "<a>"},
                {"strings: [a, '', \"b c\"]", "<a><><b c>"},
                {"argv: [/bin/true]", "</bin/true>"},
                {"argv: [sleep, 5, '', true]", "<sleep><5><><true>"},
                {"yes: true\nnumber: 3\nstring: x\n", "yes string=x number=3 "},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct conf_arena arena = CONF_ARENA_NULL;
                struct target target = {0};
                char *errors, *shown;

                read_text("/etc/roused/roused.yaml", rows[i].text, both_tables, 2, &target, &arena,
                          &errors);
                ck_assert_str_eq(errors, "");
                shown = show(&target);
                ck_assert_str_eq(shown, rows[i].shown);
                free(shown);
                free(errors);
                target_deinit(&target);
                conf_arena_deinit(&arena);
        }
}

static void readers_say_what_is_wrong(void) {
        static const struct {
                const char *text, *errors;
        } rows[] = {
                {"[a]", "t:1:1: expected a mapping (key: value), found a list\n"},
                {"a", "t:1:1: expected a mapping (key: value), found 'a'\n"},
                {"yes: yes", "t:1:6: expected true or false, found 'yes'\n"},
                {"yes: 'true'", "t:1:6: expected true or false without quotes, found 'true'\n"},
                {"yes:", "t:1:5: expected true or false, found nothing\n"},
                {"yes: [true]", "t:1:6: expected true or false, found a list\n"},
                {"string:", "t:1:8: expected a text, found nothing\n"},
                {"string: ~", "t:1:9: expected a text, found nothing\n"},
                {"string: {a: b}", "t:1:9: expected a text, found a mapping\n"},
                {"text: [a]", "t:1:7: expected a text, found a list\n"},
                {"path: ''", "t:1:7: expected a path, found an empty text\n"},
                {"path: '~/x'", "t:1:7: '~/x' begins with '~', which only a shell expands\n"},
                {"path: [/]", "t:1:7: expected a path, found a list\n"},
                {"name: ''", "t:1:7: a name has at least one character\n"},
                {"name: -a", "t:1:7: the name '-a' begins with '-'\n"},
                {"name: a b",
                 "t:1:7: the name 'a b' has something else in it than letters, digits and any of . "
                 "_ - : @ /\n"},
                {"name: [a]", "t:1:7: expected the name of a handle, found a list\n"},
                {"number: '5'",
                 "t:1:9: expected a whole number from 0 on, without quotes, found '5'\n"},
                {"number: -5", "t:1:9: expected a whole number from 0 on, found '-5'\n"},
                {"number: 5x", "t:1:9: expected a whole number from 0 on, found '5x'\n"},
                {"number: 1.5", "t:1:9: expected a whole number from 0 on, found '1.5'\n"},
                {"number:", "t:1:8: expected a whole number from 0 on, found nothing\n"},
                {"number: [5]", "t:1:9: expected a whole number from 0 on, found a list\n"},
                {"number: 4294967296", "t:1:9: '4294967296' is larger than 4294967295\n"},
                {"number: 99999999999999999999999",
                 "t:1:9: '99999999999999999999999' is larger than 4294967295\n"},
                {"span: 5 parsecs",
                 "t:1:7: expected a time span such as 200ms or 10min, found '5 parsecs'\n"},
                {"span:", "t:1:6: expected a time span such as 200ms or 10min, found nothing\n"},
                {"span: 1000y", "t:1:7: the time span '1000y' is too long\n"},
                {"span: infinity", "t:1:7: 'infinity' is not possible here\n"},
                {"signal: HUPP", "t:1:9: unknown signal 'HUPP', did you mean 'HUP'?\n"},
                {"signal: SIGTRM", "t:1:9: unknown signal 'SIGTRM', did you mean 'TERM'?\n"},
                {"signal: 0", "t:1:9: unknown signal '0'\n"},
                {"signal: 65", "t:1:9: unknown signal '65'\n"},
                {"signal:", "t:1:8: expected a signal such as HUP, found nothing\n"},
                {"mode: 0680", "t:1:7: expected an octal mode such as 0660, found '0680'\n"},
                {"mode: 10000", "t:1:7: expected an octal mode such as 0660, found '10000'\n"},
                {"mode: ''", "t:1:7: expected an octal mode such as 0660, found ''\n"},
                {"mode: rw", "t:1:7: expected an octal mode such as 0660, found 'rw'\n"},
                {"strings: []", "t:1:10: this list is empty\n"},
                {"strings:", "t:1:9: expected a text or a list of texts, found nothing\n"},
                {"strings: [a, ~, [b], {}]", "t:1:14: expected a text, found nothing\n"
                                             "t:1:17: expected a text, found a list\n"
                                             "t:1:22: expected a text, found a mapping\n"},
                {"argv: ls -l",
                 "t:1:7: expected a list such as [/bin/sh, -c, 'echo hello'], found 'ls -l'\n"},
                {"argv: ['']", "t:1:8: the program's name is empty\n"},
                {"argv: []", "t:1:7: this list is empty\n"},
                {"strin: a", "t:1:1: unknown key 'strin', did you mean 'string'?\n"},
                {"nmber: 1", "t:1:1: unknown key 'nmber', did you mean 'number'?\n"},
                {"spoon: 1", "t:1:1: unknown key 'spoon'\n"},
                {"yes: true\nnumber: 1\nyes: 5\n",
                 "t:3:1: key 'yes' is repeated; it stands first at 1:1\n"},
                {"yes: 1\nnumber: x\nspoon: 1\n",
                 "t:1:6: expected true or false, found '1'\n"
                 "t:2:9: expected a whole number from 0 on, found 'x'\n"
                 "t:3:1: unknown key 'spoon'\n"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                expect_errors(rows[i].text, both_tables, rows[i].errors);
}

static void missing_keys_are_all_named(void) {
        const struct conf_key *const tables[] = {required_keys, first_keys};
        static const struct {
                const char *text, *errors;
        } rows[] = {
                {"{needed: 1, wanted: 1}", ""},
                {"{}", "t:1:1: the key 'needed' is missing\nt:1:1: the key 'wanted' is missing\n"},
                {"~", "t:1:1: the key 'needed' is missing\nt:1:1: the key 'wanted' is missing\n"},
                {"  needed: 1\n  yes: x\n", "t:2:8: expected true or false, found 'x'\n"
                                            "t:1:3: the key 'wanted' is missing\n"},
                /* A wrong value is not a missing one. */
                {"{needed: x, wanted: 1}",
                 "t:1:10: expected a whole number from 0 on, found 'x'\n"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                expect_errors(rows[i].text, tables, rows[i].errors);
}

static void expect_path(const char *file, const char *text, const char *directory,
                        const char *rest) {
        struct conf_arena arena = CONF_ARENA_NULL;
        struct target target = {0};
        char *errors, *path;

        ck_assert_int_gt(asprintf(&path, "%s%s", directory, rest), 0);
        read_text(file, text, both_tables, 2, &target, &arena, &errors);
        ck_assert_str_eq(errors, "");
        ck_assert_str_eq(target.path, path);
        free(path);
        free(errors);
        target_deinit(&target);
        conf_arena_deinit(&arena);
}

static void relative_paths_are_below_their_file(void) {
        char *here;

        ck_assert_int_eq(chdir(test_dir()), 0);
        here = get_current_dir_name();
        expect_path("/roused.yaml", "path: a", "", "/a");
        expect_path("/etc/conf.d/x.yaml", "path: a/b", "", "/etc/conf.d/a/b");
        expect_path("/etc/conf.d/x.yaml", "path: /a", "", "/a");
        expect_path("x.yaml", "path: a", here, "/a");
        expect_path("./x.yaml", "path: a", here, "/a");
        expect_path("conf.d/x.yaml", "path: a", here, "/conf.d/a");
        free(here);
        ck_assert_int_eq(chdir("/"), 0);
        expect_path("x.yaml", "path: a", "", "/a");
        expect_path("etc/x.yaml", "path: a", "", "/etc/a");
}

static void paths_have_a_limit(void) {
        char text[5000] = "path: /";

        memset(text + 7, 'a', 4094);
        expect_errors(text, both_tables, "");
        text[7 + 4094] = 'a';
        expect_errors(text, both_tables, "t:1:7: this path is longer than 4095 bytes\n");
}

static void names_have_a_limit(void) {
        char text[300] = "name: ";

        memset(text + 6, 'a', NAME_MAX_BYTES);
        expect_errors(text, both_tables, "");
        text[6 + NAME_MAX_BYTES] = 'a';
        expect_errors(text, both_tables,
                      "t:1:7: a name has at most 255 characters, this one has 256\n");
}

static void a_default_is_replaced(void) {
        struct conf_arena arena = CONF_ARENA_NULL;
        struct target target = {.string = strdup("default"), .path = strdup("/default")};
        char *errors;

        read_text("/t", "string: x\npath: y\n", both_tables, 2, &target, &arena, &errors);
        ck_assert_str_eq(target.string, "x");
        ck_assert_str_eq(target.path, "/y");
        free(errors);
        /* and stays where the value is wrong */
        read_text("/t", "string: []\npath: []\n", both_tables, 2, &target, &arena, &errors);
        ck_assert_str_eq(target.string, "x");
        ck_assert_str_eq(target.path, "/y");
        free(errors);
        target_deinit(&target);
        conf_arena_deinit(&arena);
}

static void string_lists_are_compared(void) {
        char *ab[] = {"a", "b", NULL}, *ab2[] = {"a", "b", NULL}, *a[] = {"a", NULL};
        char *ac[] = {"a", "c", NULL}, *none[] = {NULL};

        ck_assert(conf_strv_equal(ab, ab2));
        ck_assert(!conf_strv_equal(ab, a));
        ck_assert(!conf_strv_equal(a, ab));
        ck_assert(!conf_strv_equal(ab, ac));
        ck_assert(conf_strv_equal(none, none));
        ck_assert(conf_strv_equal(NULL, NULL));
        ck_assert(!conf_strv_equal(NULL, none));
        ck_assert(conf_str_equal("a", "a"));
        ck_assert(!conf_str_equal("a", "b"));
        ck_assert(!conf_str_equal("a", NULL));
        ck_assert(conf_str_equal(NULL, NULL));
}

static void signals_have_names(void) {
        static const struct {
                const char *text;
                int signo;
        } rows[] = {
                {"HUP", SIGHUP},      {"SIGHUP", SIGHUP},    {"1", 1},
                {"64", 64},           {"CLD", SIGCHLD},      {"POLL", SIGIO},
                {"IOT", SIGABRT},     {"9", SIGKILL},        {"hup", -EINVAL},
                {"", -EINVAL},        {"SIG", -EINVAL},      {"0", -EINVAL},
                {"65", -EINVAL},      {"-1", -EINVAL},       {"1a", -EINVAL},
                {"0000001", -EINVAL}, {"RTMI", -EINVAL},     {"RTMIN-1", -EINVAL},
                {"RTMAX+1", -EINVAL}, {"RTMIN+99", -EINVAL}, {"RTMIN+", -EINVAL},
                {"RTMIN1", -EINVAL},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                ck_assert_msg(signal_from_string(rows[i].text) == rows[i].signo, "%s",
                              rows[i].text);
        ck_assert_int_eq(signal_from_string("RTMIN"), SIGRTMIN);
        ck_assert_int_eq(signal_from_string("SIGRTMIN+3"), SIGRTMIN + 3);
        ck_assert_int_eq(signal_from_string("RTMAX"), SIGRTMAX);
        ck_assert_int_eq(signal_from_string("RTMAX-2"), SIGRTMAX - 2);
        for (int signo = 1; signo < SIGRTMIN; signo++)
                if (sigabbrev_np(signo))
                        ck_assert_int_eq(signal_from_string(sigabbrev_np(signo)), signo);
}

static const struct test tests[] = {
        TEST(readers_take_what_is_right), TEST(readers_say_what_is_wrong),
        TEST(missing_keys_are_all_named), TEST(relative_paths_are_below_their_file),
        TEST(paths_have_a_limit),         TEST(names_have_a_limit),
        TEST(a_default_is_replaced),      TEST(string_lists_are_compared),
        TEST(signals_have_names),         {0},
};

int main(int argc, char **argv) {
        return test_main("conf-schema", tests, argc, argv);
}
