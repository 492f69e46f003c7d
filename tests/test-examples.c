/*
 * What people copy: every configuration in conf/ and every one in the manual page loads, and the
 * page has every key that there is.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/configuration.h"
#include "tests/conf-support.h"
#include "tests/support.h"

static char *source_path(const char *name) {
        const char *source = getenv("ROUSE_SOURCE") ?: ".";
        char *path;

        ck_assert_int_gt(asprintf(&path, "%s/%s", source, name), 0);
        return path;
}

/* Loads the files of a pattern; the number of handles in all of them. */
static size_t load_all(const char *pattern) {
        char *path = source_path(pattern);
        size_t n_handles = 0;
        glob_t files;

        ck_assert_int_eq(glob(path, 0, NULL, &files), 0);
        for (size_t i = 0; i < files.gl_pathc; i++) {
                struct conf_errors errors = CONF_ERRORS_NULL;
                struct configuration *configuration = NULL;
                char *lines;

                configuration_load(files.gl_pathv[i], &errors, &configuration);
                lines = conf_test_errors(&errors);
                ck_assert_str_eq(lines, "");
                n_handles += configuration->n_handles;
                free(lines);
                configuration_unref(configuration);
                conf_errors_deinit(&errors);
        }
        globfree(&files);
        free(path);
        return n_handles;
}

static void every_configuration_loads(void) {
        ck_assert_uint_gt(load_all("conf/roused.yaml"), 3);
        ck_assert_uint_eq(load_all("conf/default.yaml"), 0);
        ck_assert_uint_gt(load_all("conf/examples/*.yaml"), 5);
}

static void the_default_with_its_comments_taken_off_loads(void) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct configuration *configuration = NULL;
        char *path = source_path("conf/default.yaml"), *text = test_read_file(path), *p = text;
        char *lines;

        ck_assert_ptr_nonnull(text);
        while ((p = strstr(p, "\n#  ")))
                memmove(p + 1, p + 2, strlen(p + 2) + 1);
        configuration_parse("default.yaml", text, strlen(text), &errors, &configuration);
        lines = conf_test_errors(&errors);
        ck_assert_str_eq(lines, "");
        ck_assert_uint_eq(configuration->n_handles, 1);
        ck_assert_uint_eq(configuration->n_workers, 1);
        free(lines);
        configuration_unref(configuration);
        conf_errors_deinit(&errors);
        free(text);
        free(path);
}

static const char *const display = "\n.Bd -literal -offset indent\n";

/* Those displays of the page that are configurations; what a part leaves out, it does not name. */
static void every_configuration_in_the_manual_loads(void) {
        char *path = source_path("doc/roused.yaml.5"), *page = test_read_file(path), *end;
        unsigned int n_loaded = 0;

        ck_assert_ptr_nonnull(page);
        for (char *p = page; (p = strstr(p, display)); p = end) {
                struct conf_errors errors = CONF_ERRORS_NULL;
                struct configuration *configuration = NULL;
                char *lines;

                p += strlen(display);
                end = strstr(p, ".Ed");
                ck_assert_ptr_nonnull(end);
                if (strncmp(p, "handles:", 8) != 0 && strncmp(p, "workers:", 8) != 0)
                        continue;
                configuration_parse("page", p, (size_t)(end - p), &errors, &configuration);
                lines = conf_test_errors(&errors);
                ck_assert_str_eq(lines, "");
                n_loaded++;
                free(lines);
                configuration_unref(configuration);
                conf_errors_deinit(&errors);
        }
        ck_assert_uint_eq(n_loaded, 6);
        free(page);
        free(path);
}

/* In its section, the key is an item of a list. */
static void expect_key(void *arg, const char *section, const char *key) {
        static const struct {
                const char *section, *heading;
        } headings[] = {
                {"top", "\n.Sh DESCRIPTION\n"}, {"handle", "\n.Sh HANDLES\n"},
                {"group", "\n.Sh GROUPS\n"},    {"worker", "\n.Sh WORKERS\n"},
                {"access", "\n.Sh ACCESS\n"},
        };
        const char *page = arg, *begin = NULL, *end, *found;
        char item[64];

        for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++)
                if (strcmp(headings[i].section, section) == 0)
                        begin = strstr(page, headings[i].heading);
        ck_assert_msg(begin, "there is no section for %s", section);
        begin += strlen("\n.Sh ");
        end = strstr(begin, "\n.Sh ");
        snprintf(item, sizeof(item), "\n.It Cm %s", key);
        for (found = strstr(begin, item); found; found = strstr(found + 1, item))
                if (strchr(" \n", found[strlen(item)]))
                        break;
        ck_assert_msg(found && found < end, "%s has no item '%s'", section, key);
}

static void the_manual_has_every_key(void) {
        char *path = source_path("doc/roused.yaml.5"), *page = test_read_file(path);

        ck_assert_ptr_nonnull(page);
        configuration_each_key(expect_key, page);
        free(page);
        free(path);
}

static const struct test tests[] = {
        TEST(every_configuration_loads),
        TEST(the_default_with_its_comments_taken_off_loads),
        TEST(every_configuration_in_the_manual_loads),
        TEST(the_manual_has_every_key),
        {0},
};

int main(int argc, char **argv) {
        return test_main("examples", tests, argc, argv);
}
