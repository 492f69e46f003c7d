/* Patterns against names, and that a nasty pattern does not take for ever. */

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/glob.h"
#include "daemon/limits.h"
#include "tests/support.h"

static const struct {
        const char *pattern, *name;
        bool fits;
} cases[] = {
        {"", "", true},
        {"", "a", false},
        {"a", "", false},
        {"abc", "abc", true},
        {"abc", "abd", false},
        {"abc", "abcd", false},
        {"abcd", "abc", false},
        {"*", "", true},
        {"*", "a/b.c", true},
        {"**", "a", true},
        {"a*", "a", true},
        {"a*", "ba", false},
        {"*a", "ba", true},
        {"*a", "bab", false},
        {"*a*", "bab", true},
        {"a*b*c", "abc", true},
        {"a*b*c", "aXbbYbc", true},
        {"a*b*c", "acb", false},
        {"*ab", "aab", true},
        {"*aab", "aaab", true},
        {"?", "a", true},
        {"?", "", false},
        {"??", "a", false},
        {"a?c", "abc", true},
        {"*?", "", false},
        {"*?", "abc", true},
        {"[abc]", "b", true},
        {"[abc]", "d", false},
        {"[a-c]x", "bx", true},
        {"[a-c]", "d", false},
        {"[!a-c]", "d", true},
        {"[^a-c]", "a", false},
        {"[]a]", "]", true},
        {"[!]a]", "]", false},
        {"[a-]", "-", true},
        {"[-a]", "-", true},
        {"[a-", "a", false},
        {"[a", "[a", true},
        {"[", "[", true},
        {"*[0-9]", "db1", true},
        {"*[0-9]", "db", false},
        {"web@*", "web@1", true},
};

static struct glob *make(const char *pattern) {
        struct glob *glob;

        ck_assert_int_eq(glob_new(pattern, strlen(pattern), &glob), 0);
        return glob;
}

static void assert_fits(const char *pattern, const char *name, bool fits) {
        struct glob *glob = make(pattern);

        ck_assert_msg(glob_fits(glob, name) == fits, "'%s' and '%s'", pattern, name);
        ck_assert_ptr_null(glob_free(glob));
}

static void patterns_fit_as_in_a_shell(void) {
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
                assert_fits(cases[i].pattern, cases[i].name, cases[i].fits);
}

static void choose(char *text, size_t n, const char *alphabet) {
        for (size_t i = 0; i < n; i++)
                text[i] = alphabet[(size_t)random() % strlen(alphabet)];
        text[n] = 0;
}

static void patterns_fit_as_the_c_library_has_it(void) {
        char pattern[12], name[8];

        srandom(1);
        for (int i = 0; i < 200000; i++) {
                choose(pattern, (size_t)random() % sizeof(pattern), "aabc**?[]!-");
                choose(name, (size_t)random() % sizeof(name), "abc-]");
                assert_fits(pattern, name, fnmatch(pattern, name, FNM_NOESCAPE) == 0);
        }
}

/* Places of the pattern go over from one word to the next. */
static void long_patterns_fit_too(void) {
        char pattern[LIMIT_PATTERN_BYTES + 1], name[LIMIT_PATTERN_BYTES + 1];

        for (size_t n = 1; n < sizeof(name); n++) {
                memset(name, 'a', n);
                name[n] = 0;
                strcpy(pattern, name);
                assert_fits(pattern, name, true);
                pattern[n / 2] = '*';
                assert_fits(pattern, name, true);
                pattern[n - 1] = 'b';
                assert_fits(pattern, name, false);
                name[n - 1] = 'b';
                assert_fits(pattern, name, true);
        }
}

static void no_pattern_is_longer_than_names(void) {
        char pattern[LIMIT_PATTERN_BYTES + 2];
        struct glob *glob = NULL;

        memset(pattern, '*', sizeof(pattern));
        ck_assert_int_eq(glob_new(pattern, LIMIT_PATTERN_BYTES + 1, &glob), -ENAMETOOLONG);
        ck_assert_ptr_null(glob);
        ck_assert_int_eq(glob_new(pattern, LIMIT_PATTERN_BYTES, &glob), 0);
        ck_assert(glob_fits(glob, "a"));
        glob_free(glob);
}

/* Fills all but the end of a pattern. */
static struct glob *make_nasty(const char *begin, const char *part, const char *end) {
        char pattern[LIMIT_PATTERN_BYTES + 1];
        size_t n = strlen(begin);

        strcpy(pattern, begin);
        for (; n + strlen(part) + strlen(end) < sizeof(pattern); n += strlen(part))
                strcpy(pattern + n, part);
        strcpy(pattern + n, end);
        return make(pattern);
}

/* Those at which a matching that goes back has most to go back for. */
static void nasty_patterns_come_to_an_end(void) {
        static const struct {
                const char *begin, *part, *end;
        } nasty[] = {
                {"", "*a", "*b"}, {"*[", "b", "]"}, {"*", "?", "b"}, {"*", "[", ""}, {"", "*", "b"},
        };
        char name[256];

        memset(name, 'a', sizeof(name) - 1);
        name[sizeof(name) - 1] = 0;
        for (size_t k = 0; k < sizeof(nasty) / sizeof(*nasty); k++) {
                struct glob *glob = make_nasty(nasty[k].begin, nasty[k].part, nasty[k].end);

                for (int i = 0; i < 50000; i++)
                        ck_assert(!glob_fits(glob, name + i % 128));
                glob_free(glob);
        }
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(patterns_fit_as_in_a_shell),    TEST(patterns_fit_as_the_c_library_has_it),
                TEST(long_patterns_fit_too),         TEST(no_pattern_is_longer_than_names),
                TEST(nasty_patterns_come_to_an_end), {},
        };

        return test_main("glob", tests, argc, argv);
}
