/* Patterns against names, and that a nasty pattern does not take for ever. */

#include <string.h>

#include "daemon/glob.h"
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

static void patterns_fit_as_in_a_shell(void) {
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
                ck_assert_msg(glob_match(cases[i].pattern, cases[i].name) == cases[i].fits,
                              "'%s' and '%s'", cases[i].pattern, cases[i].name);
}

/* Going back to every star would take longer than the universe is old. */
static void nasty_patterns_are_quick(void) {
        char pattern[1024], name[256];

        for (size_t i = 0; i + 2 < sizeof(pattern); i += 2)
                memcpy(pattern + i, "*a", 2);
        strcpy(pattern + sizeof(pattern) - 4, "*b");
        memset(name, 'a', sizeof(name) - 1);
        name[sizeof(name) - 1] = 0;
        for (int i = 0; i < 1000; i++)
                ck_assert(!glob_match(pattern, name));
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(patterns_fit_as_in_a_shell),
                TEST(nasty_patterns_are_quick),
                {},
        };

        return test_main("glob", tests, argc, argv);
}
