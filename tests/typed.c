/* Output goes to files, so that nothing has to be read while the program runs. */

#include "tests/typed.h"

#include <check.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support.h"

const char *typed_rouse(void) {
        static char *path;
        const char *build = getenv("ROUSE_BUILD");

        if (!path)
                ck_assert_int_ge(asprintf(&path, "%s/cli/rouse", build ? build : "."), 0);
        return path;
}

static const char words[] =
        "until_watch_count() { until rouse call stats | grep -q \"\\\"watched\\\":$1\"; do sleep 0.02; done; }\n"
        "until_watched() { until_watch_count '[1-9]'; }\n"
        "until_unwatched() { until_watch_count '0[,}]'; }\n";

struct typed typed(const char *dir, const char *line) {
        posix_spawn_file_actions_t actions;
        char *script, *out, *err;
        struct typed result;
        pid_t pid;
        int status;

        ck_assert_int_ge(asprintf(&out, "%s/out", test_dir()), 0);
        ck_assert_int_ge(asprintf(&err, "%s/err", test_dir()), 0);
        ck_assert_int_ge(
                asprintf(&script, "rouse() { '%s' \"$@\"; }\n%s%s\n", typed_rouse(), words, line),
                0);
        setenv("DIR", dir, 1);
        setenv("ROUSE", typed_rouse(), 1);
        setenv("ROUSE_DIR", dir, 1);
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addopen(&actions, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        posix_spawn_file_actions_addopen(&actions, 2, err, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        ck_assert_int_eq(posix_spawn(&pid, "/bin/sh", &actions, NULL,
                                     (char *[]){"sh", "-c", script, NULL}, environ),
                         0);
        posix_spawn_file_actions_destroy(&actions);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        result.out = test_read_file(out);
        result.err = test_read_file(err);
        ck_assert(result.out && result.err);
        free(script);
        free(out);
        free(err);
        return result;
}

void typed_deinit(struct typed *result) {
        free(result->out);
        free(result->err);
}

static void check_text(const char *dir, const char *line, const char *what, const char *text,
                       const char *expected) {
        char *whole = NULL;
        size_t n = 0;
        FILE *file;

        if (!expected)
                return;
        file = open_memstream(&whole, &n);
        ck_assert_ptr_nonnull(file);
        for (; *expected; expected++)
                if (strncmp(expected, "$DIR", 4) == 0) {
                        fputs(dir, file);
                        expected += 3;
                } else {
                        putc(*expected, file);
                }
        fclose(file);
        ck_assert_msg(strcmp(text, whole) == 0, "%s\nsays on %s:\n%s\nnot:\n%s", line, what, text,
                      whole);
        free(whole);
}

void typed_check(const char *dir, const char *line, int code, const char *out, const char *err) {
        struct typed result = typed(dir, line);

        ck_assert_msg(result.code == code, "%s\nends with %d, not %d:\n%s%s", line, result.code,
                      code, result.out, result.err);
        check_text(dir, line, "standard output", result.out, out);
        check_text(dir, line, "standard error", result.err, err);
        typed_deinit(&result);
}

void typed_check_rows(const char *dir, const struct typed_row *rows) {
        for (; rows->line; rows++)
                typed_check(dir, rows->line, rows->code, rows->out, rows->err);
}
