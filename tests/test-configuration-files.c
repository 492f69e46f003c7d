/* Which files are read, in what order, and what is said about those that cannot be. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/configuration.h"
#include "daemon/limits.h"
#include "tests/conf-support.h"
#include "tests/support.h"
#include "tests/unix-socket.h"

/* Loads the file; the errors with the test's directory taken out of them. */
static struct configuration *load(const char *file, int expected, char **ret_errors) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct configuration *configuration = NULL;
        size_t n_dir = strlen(test_dir()) + 1;
        char *p;

        ck_assert_int_eq(configuration_load(file, &errors, &configuration), expected);
        ck_assert_int_eq(expected == 0, configuration != NULL);
        ck_assert_int_eq(expected == 0, errors.n_items == 0);
        *ret_errors = conf_test_errors(&errors);
        conf_errors_deinit(&errors);
        while ((p = strstr(*ret_errors, test_dir())))
                memmove(p, p + n_dir, strlen(p + n_dir) + 1);
        return configuration;
}

static void expect_load_error(const char *file, int expected, const char *lines) {
        char *errors;

        ck_assert_ptr_null(load(file, expected, &errors));
        ck_assert_str_eq(errors, lines);
        free(errors);
}

static void conf_d_is_read_in_the_order_of_names(void) {
        struct configuration *configuration;
        char *errors;

        test_write_file(test_path("main.yaml"), "handles: {a: {send: b}}\nworkers: {w: []}\n");
        ck_assert_int_eq(mkdir(test_path("conf.d"), 0755), 0);
        test_write_file(test_path("conf.d/20.yaml"), "handles: {c: }\nworkers: {v: }\n");
        test_write_file(test_path("conf.d/10.yaml"), "handles: {b: {send: c}}\n");
        test_write_file(test_path("conf.d/15.yaml"), "");
        test_write_file(test_path("conf.d/.30.yaml"), "broken: ");
        test_write_file(test_path("conf.d/30.yaml~"), "broken: ");
        test_write_file(test_path("conf.d/yaml"), "broken: ");
        test_write_file(test_path("conf.d/.yaml"), "broken: ");
        configuration = load(test_path("main.yaml"), 0, &errors);
        ck_assert_uint_eq(configuration->n_handles, 3);
        ck_assert_str_eq(configuration->handles[0].name, "a");
        ck_assert_str_eq(configuration->handles[1].name, "b");
        ck_assert_str_eq(configuration->handles[2].name, "c");
        ck_assert_uint_eq(configuration->n_workers, 2);
        configuration_unref(configuration);
        free(errors);
}

static void a_file_in_the_current_directory_has_its_conf_d_there(void) {
        struct configuration *configuration;
        char *errors;

        test_write_file(test_path("main.yaml"), "handles: {a: {send: b}}\n");
        ck_assert_int_eq(mkdir(test_path("conf.d"), 0755), 0);
        test_write_file(test_path("conf.d/x.yaml"), "handles: {b: }\n");
        ck_assert_int_eq(chdir(test_dir()), 0);
        configuration = load("main.yaml", 0, &errors);
        ck_assert_uint_eq(configuration->n_handles, 2);
        configuration_unref(configuration);
        free(errors);
}

static void files_are_checked_together(void) {
        test_write_file(test_path("main.yaml"),
                        "handles: {a: {send: [b, d]}}\naccess: {}\nworkers: {w: []}\n");
        ck_assert_int_eq(mkdir(test_path("conf.d"), 0755), 0);
        test_write_file(test_path("conf.d/1.yaml"), "handles:\n  b: {send: c}\n  a: {}\n");
        test_write_file(test_path("conf.d/2.yaml"),
                        "handles: {c: {send: a}}\naccess: {}\nworkers: {w: []}\n");
        expect_load_error(
                test_path("main.yaml"), -EINVAL,
                "main.yaml:1:25: there is no handle 'd'\n"
                "conf.d/1.yaml:3:3: the handle 'a' is defined twice; the first stands at "
                "main.yaml:1:11\n"
                "conf.d/2.yaml:1:21: handles send to each other in a cycle: a -> b -> c -> a\n"
                "conf.d/2.yaml:2:9: 'access' is given twice; the first stands at main.yaml:2:9\n"
                "conf.d/2.yaml:3:11: the worker 'w' is defined twice; the first stands at "
                "main.yaml:3:11\n");
}

static void conf_d_has_a_limit_of_files(void) {
        char name[32], *errors;

        test_write_file(test_path("main.yaml"), "");
        ck_assert_int_eq(mkdir(test_path("conf.d"), 0755), 0);
        ck_assert_int_eq(chdir(test_dir()), 0);
        for (unsigned int i = 0; i <= LIMIT_CONF_FILES; i++) {
                snprintf(name, sizeof(name), "conf.d/%u.yaml", i);
                ck_assert_int_eq(link("main.yaml", name), 0);
        }
        expect_load_error("main.yaml", -EINVAL,
                          "conf.d: there are too many files in this directory\n");
        ck_assert_int_eq(unlink(name), 0);
        configuration_unref(load("main.yaml", 0, &errors));
        free(errors);
}

static void every_file_is_looked_at(void) {
        test_write_file(test_path("main.yaml"), "handles: {a: {send: b}\n");
        ck_assert_int_eq(mkdir(test_path("conf.d"), 0755), 0);
        test_write_file(test_path("conf.d/1.yaml"), "handels: {b: }\n");
        ck_assert_int_eq(mkdir(test_path("conf.d/2.yaml"), 0755), 0);
        ck_assert_int_eq(mkfifo(test_path("conf.d/3.yaml"), 0644), 0);
        ck_assert_int_eq(symlink("nowhere", test_path("conf.d/4.yaml")), 0);
        expect_load_error(
                test_path("main.yaml"), -EINVAL,
                "main.yaml:2:1: YAML: while parsing a flow mapping that begins in line 1, did not "
                "find expected ',' or '}'\n"
                "conf.d/1.yaml:1:1: unknown key 'handels', did you mean 'handles'?\n"
                "conf.d/2.yaml: Is a directory\n"
                "conf.d/3.yaml: this is not a regular file\n"
                "conf.d/4.yaml: No such file or directory\n");
}

static void the_main_file_must_be_a_file(void) {
        ck_assert_int_eq(mkdir(test_path("d"), 0755), 0);
        ck_assert_int_eq(mkfifo(test_path("f"), 0644), 0);
        close(unix_bound(test_path("s"), SOCK_STREAM));

        expect_load_error(test_path("none"), -ENOENT, "none: No such file or directory\n");
        expect_load_error(test_path("none/none"), -ENOENT,
                          "none/none: No such file or directory\n");
        expect_load_error("", -ENOENT, ": No such file or directory\n");
        expect_load_error(test_path("d"), -EINVAL, "d: Is a directory\n");
        expect_load_error(test_path("f"), -EINVAL, "f: this is not a regular file\n");
        expect_load_error(test_path("s"), -EINVAL, "s: No such device or address\n");
        expect_load_error("/dev/zero", -EINVAL, "/dev/zero: this is not a regular file\n");
}

static void conf_d_must_be_a_directory(void) {
        test_write_file(test_path("main.yaml"), "handles: {a: {send: b}}\n");
        test_write_file(test_path("conf.d"), "");
        expect_load_error(test_path("main.yaml"), -EINVAL, "conf.d: Not a directory\n");
}

static void files_that_may_not_be_read_are_reported(void) {
        test_write_file(test_path("main.yaml"), "");
        ck_assert_int_eq(mkdir(test_path("conf.d"), 0755), 0);
        test_write_file(test_path("conf.d/x.yaml"), "");
        ck_assert_int_eq(chmod(test_path("conf.d/x.yaml"), 0), 0);
        ck_assert_int_eq(chmod(test_dir(), 0755), 0);
        if (geteuid() == 0) /* root may read everything: be nobody for a while */
                ck_assert_int_eq(seteuid(65534), 0);
        expect_load_error(test_path("main.yaml"), -EINVAL, "conf.d/x.yaml: Permission denied\n");
        if (getuid() == 0)
                ck_assert_int_eq(seteuid(0), 0);
        ck_assert_int_eq(chmod(test_path("conf.d"), 0), 0);
        if (geteuid() == 0)
                ck_assert_int_eq(seteuid(65534), 0);
        expect_load_error(test_path("main.yaml"), -EINVAL, "conf.d: Permission denied\n");
        if (getuid() == 0)
                ck_assert_int_eq(seteuid(0), 0);
        ck_assert_int_eq(chmod(test_path("conf.d"), 0755), 0);
}

static void a_file_may_not_be_larger_than_the_limit(void) {
        test_write_file(test_path("main.yaml"), "");
        /* Sparse: it takes no room. */
        ck_assert_int_eq(truncate(test_path("main.yaml"), (off_t)LIMIT_CONF_FILE_BYTES + 1), 0);
        expect_load_error(test_path("main.yaml"), -EINVAL, "main.yaml: File too large\n");
}

static const struct test tests[] = {
        TEST(conf_d_is_read_in_the_order_of_names),
        TEST(a_file_in_the_current_directory_has_its_conf_d_there),
        TEST(files_are_checked_together),
        TEST(conf_d_has_a_limit_of_files),
        TEST(every_file_is_looked_at),
        TEST(the_main_file_must_be_a_file),
        TEST(conf_d_must_be_a_directory),
        TEST(files_that_may_not_be_read_are_reported),
        TEST(a_file_may_not_be_larger_than_the_limit),
        {0},
};

int main(int argc, char **argv) {
        return test_main("configuration-files", tests, argc, argv);
}
