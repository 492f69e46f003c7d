/* What the configuration says about a command, seen by the command; and what is wrong in it. */
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/conf-error.h"
#include "daemon/configuration.h"
#include "tests/harness.h"
#include "tests/support.h"

/* Runs a shell's script with these keys beside it; what it writes to $OUT is returned. */
static char *run_script(const char *keys, const char *script, unsigned int n_lines) {
        struct roused roused;
        char config[2048], *lines;

        snprintf(config, sizeof(config),
                 "handles:\n  a:\n    run: [sh, -c, '{ %s; } >>$ROUSE_DIR/out']\n%s", script, keys);
        roused_start(&roused, "d", config);
        roused_send(&roused, "a");
        lines = roused_expect_lines(&roused, "out", n_lines);
        roused_stop(&roused);
        return lines;
}

static void expect_script(const char *keys, const char *script, const char *expected) {
        char *lines = run_script(keys, script, count_lines(expected));

        ck_assert_str_eq(lines, expected);
        free(lines);
}

static void variables_are_added_and_replaced(void) {
        setenv("INHERITED", "as it was", 1);
        setenv("REPLACED", "not this", 1);
        expect_script("    env: {REPLACED: by us, ADDED: \"a b=c\", EMPTY: '', N: 5}\n",
                      "echo $INHERITED; echo $REPLACED; echo $ADDED; echo [$EMPTY]; echo $N; "
                      "env | grep -c ^REPLACED; echo $ROUSE_HANDLE",
                      "as it was\nby us\na b=c\n[]\n5\n1\na\n");
}

static void the_sockets_are_found_from_everywhere(void) {
        struct roused roused;
        char *lines;

        roused_start(&roused, "d",
                     "handles: {a: {cwd: /, run: [sh, -c, 'cd $ROUSE_DIR && pwd >>out']}}\n");
        roused_stop(&roused);
        ck_assert_int_eq(chdir(test_dir()), 0);
        roused.dir = "d"; /* now as somebody may type it */
        roused_restart(&roused);
        roused_send(&roused, "a");
        lines = roused_expect_lines(&roused, "out", 1);
        ck_assert_ptr_nonnull(strstr(lines, "/d\n"));
        free(lines);
        roused_stop(&roused);
}

static void the_program_is_found_in_the_path_that_is_given(void) {
        ck_assert_int_eq(mkdir(test_path("bin"), 0755), 0);
        test_write_file(test_path("bin/mine"), "#!/bin/sh\necho mine >>$ROUSE_DIR/out\n");
        ck_assert_int_eq(chmod(test_path("bin/mine"), 0755), 0);
        struct roused roused;
        char config[PATH_MAX + 200], *lines;

        snprintf(config, sizeof(config),
                 "handles: {a: {run: [mine], env: {PATH: '%s:/usr/bin:/bin'}}}\n",
                 test_path("bin"));
        roused_start(&roused, "d", config);
        roused_send(&roused, "a");
        lines = roused_expect_lines(&roused, "out", 1);
        ck_assert_str_eq(lines, "mine\n");
        free(lines);
        roused_stop(&roused);
}

static void the_directory_is_changed(void) {
        expect_script("    cwd: /usr/bin\n", "pwd", "/usr/bin\n");
}

static void umask_and_nice_are_set(void) {
        expect_script("    umask: 0027\n    nice: 7\n", "umask; nice", "0027\n7\n");
}

static void limits_are_set_soft_and_hard(void) {
        expect_script("    rlimits: {nofile: '20:40', core: 0, as: 1G, cpu: infinity}\n",
                      "ulimit -Sn; ulimit -Hn; ulimit -Sc; ulimit -Hc; ulimit -v; ulimit -t",
                      "20\n40\n0\n0\n1048576\nunlimited\n");
}

static void who_is_root_runs_as_others(void) {
        struct passwd *nobody = getpwnam("nobody");
        char expected[128], keys[128];

        if (!test_is_root())
                return;
        if (!nobody) {
                test_skip("there is no user nobody");
                return;
        }
        ck_assert_int_eq(chmod(test_dir(), 0755), 0);
        /* Ids and groups of the process, whose files root opened. */
        snprintf(expected, sizeof(expected), "%u\n%u\n%u\n", nobody->pw_uid, nobody->pw_gid,
                 nobody->pw_gid);
        snprintf(keys, sizeof(keys), "    user: nobody\n    stdout: ./ids\n");
        for (int round = 0; round < 3; round++) {
                struct roused roused;
                char config[512], name[8], *lines;

                snprintf(name, sizeof(name), "d%d", round % 10);
                if (round == 1) {
                        snprintf(keys, sizeof(keys), "    user: '%u:7'\n    stdout: ./ids\n",
                                 nobody->pw_uid);
                        snprintf(expected, sizeof(expected), "%u\n7\n7\n", nobody->pw_uid);
                } else if (round == 2) { /* whom the user database does not know */
                        snprintf(keys, sizeof(keys), "    user: 12345:54321\n    stdout: ./ids\n");
                        snprintf(expected, sizeof(expected), "12345\n54321\n54321\n");
                }
                snprintf(config, sizeof(config),
                         "handles:\n  a:\n    run: [sh, -c, 'id -u; id -g; id -G']\n%s", keys);
                roused_start(&roused, name, config);
                roused_send(&roused, "a");
                lines = roused_expect_lines(&roused, "ids", 3);
                ck_assert_str_eq(lines, expected);
                free(lines);
                roused_stop(&roused);
        }
}

static void output_goes_where_it_is_told(void) {
        struct roused roused;
        struct stat st;
        char *text;

        umask(022);
        roused_start(&roused, "d",
                     "handles:\n"
                     "  file: {run: [sh, -c, 'echo to file; echo to log >&2'], stdout: ./file}\n"
                     "  both: {run: [sh, -c, 'echo one; echo two >&2'], stdout: ./both, "
                     "stderr: ./both}\n"
                     "  null: {run: [sh, -c, 'echo not this; echo but this >&2; echo ran "
                     ">>$ROUSE_DIR/ran'], stdout: null, stderr: log}\n");
        for (int i = 0; i < 2; i++) {
                roused_send(&roused, "file");
                free(roused_expect_lines(&roused, "file", (unsigned int)i + 1));
        }
        roused_expect_log(&roused, "to log");
        roused_send(&roused, "both");
        text = roused_expect_lines(&roused, "both", 2);
        ck_assert_str_eq(text, "one\ntwo\n");
        free(text);
        roused_send(&roused, "null");
        roused_expect_log(&roused, "but this");
        free(roused_expect_lines(&roused, "ran", 1));
        roused_stop(&roused);
        text = test_read_file(test_path("d/file"));
        ck_assert_str_eq(text, "to file\nto file\n"); /* appended */
        free(text);
        ck_assert_int_eq(stat(test_path("d/file"), &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0640);
        text = test_read_file(roused.log);
        ck_assert_ptr_null(strstr(text, "to file"));
        ck_assert_ptr_null(strstr(text, "not this"));
        free(text);
}

static void a_status_may_mean_success(void) {
        struct roused roused;
        char *log;

        roused_start(&roused, "d",
                     "handles:\n"
                     "  good: {run: [sh, -c, 'exit 3'], success_exit: [3, 255]}\n"
                     "  last: {run: [sh, -c, 'exit 255'], success_exit: [3, 255]}\n"
                     "  zero: {run: [sh, -c, 'exit 0'], success_exit: 3}\n"
                     "  bad: {run: [sh, -c, 'exit 4'], success_exit: [3, 5]}\n");
        roused_send(&roused, "good");
        roused_send(&roused, "last");
        roused_send(&roused, "zero");
        roused_send(&roused, "bad");
        roused_expect_log(&roused, "bad: sh failed with exit status 4");
        roused_stop(&roused);
        log = test_read_file(roused.log);
        ck_assert_ptr_null(strstr(log, "good: sh failed"));
        ck_assert_ptr_null(strstr(log, "last: sh failed"));
        ck_assert_ptr_null(strstr(log, "zero: sh failed"));
        free(log);
}

static void a_step_that_fails_says_which(void) {
        struct roused roused;

        roused_start(&roused, "d",
                     "handles:\n"
                     "  cwd: {run: ['true'], cwd: /no/such/directory}\n"
                     "  out: {run: ['true'], stdout: /no/such/file}\n"
                     "  err: {run: ['true'], stderr: /no/such/file}\n"
                     "  program: {run: [/no/such/program]}\n"
                     "  limit: {run: ['true'], rlimits: {nofile: infinity}}\n"
                     "  fifo: {run: ['true'], stdout: ./fifo}\n");
        ck_assert_int_eq(mkfifo(test_path("d/fifo"), 0600), 0);
        roused_send(&roused, "cwd");
        roused_expect_log(&roused, "cwd: cannot run true: chdir /no/such/directory: No such file");
        roused_send(&roused, "out");
        roused_expect_log(&roused, "out: cannot run true: stdout /no/such/file: No such file");
        roused_send(&roused, "err");
        roused_expect_log(&roused, "err: cannot run true: stderr /no/such/file: No such file");
        roused_send(&roused, "program");
        roused_expect_log(&roused, "program: cannot run /no/such/program: exec: No such file");
        roused_send(&roused, "limit"); /* above fs.nr_open, whoever asks */
        roused_expect_log(&roused,
                          "limit: cannot run true: rlimit nofile: Operation not permitted");
        roused_send(&roused, "fifo"); /* without a reader: nobody waits for one */
        roused_expect_log(&roused, test_path("d/fifo: No such device"));
        roused_stop(&roused);
}

/* The errors that a configuration gives, a line each. */
static void expect_errors(const char *keys, const char *expected) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct configuration *configuration = NULL;
        char text[1024], found[2048] = "";

        snprintf(text, sizeof(text), "handles:\n  a:\n    run: [x]\n    %s\n", keys);
        ck_assert_msg(configuration_parse("t", text, strlen(text), &errors, &configuration) < 0,
                      "no error: %s", keys);
        for (size_t i = 0; i < errors.n_items; i++) {
                char *line = conf_error_format(&errors.items[i]);

                strncat(found, line, sizeof(found) - strlen(found) - 2);
                strcat(found, "\n");
                free(line);
        }
        ck_assert_str_eq(found, expected);
        conf_errors_deinit(&errors);
}

static void what_is_wrong_is_said_with_its_place(void) {
        static const struct {
                const char *keys, *errors;
        } cases[] = {
                {"success_exit: x", "t:4:19: expected a whole number from 0 on, found 'x'\n"},
                {"success_exit: [1, 256, -1]",
                 "t:4:23: an exit status is 255 at most\n"
                 "t:4:28: expected a whole number from 0 on, found '-1'\n"},
                {"success_exit: {}",
                 "t:4:19: expected an exit status or a list of them, found a mapping\n"},
                {"env: [A=b]", "t:4:10: expected a mapping of names to texts, found a list\n"},
                {"env: {A=B: c, '': d, ROUSE_SEQ: 5, OK: [x]}",
                 "t:4:11: 'A=B' is no name of a variable\n"
                 "t:4:19: '' is no name of a variable\n"
                 "t:4:26: names that begin with ROUSE_ are roused's own\n"
                 "t:4:44: expected a text, found a list\n"},
                {"env: {A: b, A: c}", "t:4:17: 'A' is repeated; it stands first at 4:11\n"},
                {"cwd: ''", "t:4:10: expected a path, found an empty text\n"},
                {"user: no-such-user", "t:4:11: there is no user 'no-such-user'\n"},
                {"user: root:no-such-group", "t:4:11: there is no group 'no-such-group'\n"},
                {"user: [root]", "t:4:11: expected a text, found a list\n"},
                {"umask: 8", "t:4:12: expected an octal mode such as 0660, found '8'\n"},
                {"umask: 1000", "t:4:12: a umask is 0777 at most\n"},
                {"nice: 20", "t:4:11: expected a number from -20 to 19, found '20'\n"},
                {"nice: ' 1'", "t:4:11: expected a number from -20 to 19, found ' 1'\n"},
                {"nice: low", "t:4:11: expected a number from -20 to 19, found 'low'\n"},
                {"rlimits: 5", "t:4:14: expected a mapping such as {nofile: 1024}, found '5'\n"},
                {"rlimits: {nofiles: 5, nproc: 1K, as: 1k, core: '2:1', cpu: -1}",
                 "t:4:15: unknown limit 'nofiles', did you mean 'nofile'?\n"
                 "t:4:34: expected a number, infinity or soft:hard, found '1K'\n"
                 "t:4:42: expected a size such as 512M, infinity or soft:hard, found '1k'\n"
                 "t:4:52: the soft limit is above the hard one\n"
                 "t:4:64: expected a number, infinity or soft:hard, found '-1'\n"},
                {"rlimits: {as: 16E, data: 99999999999999999999, core: 1:2:3, stack: [1]}",
                 "t:4:19: expected a size such as 512M, infinity or soft:hard, found '16E'\n"
                 "t:4:30: expected a size such as 512M, infinity or soft:hard, found "
                 "'99999999999999999999'\n"
                 "t:4:58: expected a size such as 512M, infinity or soft:hard, found '1:2:3'\n"
                 "t:4:72: expected a size such as 512M, infinity or soft:hard, found a list\n"},
                {"rlimits: {core: 0, core: 1}",
                 "t:4:24: key 'core' is repeated; it stands first at 4:15\n"},
                {"stdout: lgo", "t:4:13: expected log, null or a path with a slash, found 'lgo'\n"},
                {"stderr: [log]", "t:4:13: expected log, null or a path, found a list\n"},
                {"stdout:", "t:4:12: expected log, null or a path with a slash, found nothing\n"},
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
                expect_errors(cases[i].keys, cases[i].errors);
}

static void who_is_not_root_cannot_be_others(void) {
        if (geteuid() == 0)
                ck_assert_int_eq(setresuid(12345, 12345, 12345), 0);
        expect_errors("user: root", "t:4:11: only root's roused can run a command as 'root'\n");
}

static void an_unknown_number_needs_a_group(void) {
        if (!test_is_root())
                return;
        expect_errors("user: 12345",
                      "t:4:11: the user 12345 is not in the user database: name a group, too, as "
                      "in 12345:GROUP\n");
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(variables_are_added_and_replaced),
                TEST(the_sockets_are_found_from_everywhere),
                TEST(the_program_is_found_in_the_path_that_is_given),
                TEST(the_directory_is_changed),
                TEST(umask_and_nice_are_set),
                TEST(limits_are_set_soft_and_hard),
                TEST(who_is_root_runs_as_others),
                TEST(output_goes_where_it_is_told),
                TEST(a_status_may_mean_success),
                TEST(a_step_that_fails_says_which),
                TEST(what_is_wrong_is_said_with_its_place),
                TEST(who_is_not_root_cannot_be_others),
                TEST(an_unknown_number_needs_a_group),
                {0},
        };

        return test_main("run-options", tests, argc, argv);
}
