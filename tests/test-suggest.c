/* What is near enough to be suggested. */
#include "lib/suggest.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support.h"

static unsigned int distance(const char *a, const char *b, unsigned int limit) {
        return suggest_distance(a, strlen(a), b, strlen(b), limit);
}

static void distance_counts_edits_and_swaps(void) {
        static const struct {
                const char *a, *b;
                unsigned int distance;
        } rows[] = {
                {"", "", 0},
                {"", "abc", 3},
                {"abc", "abc", 0},
                {"abc", "abd", 1},
                {"abc", "ab", 1},
                {"abc", "xabc", 1},
                {"quite", "quiet", 1},
                {"ab", "ba", 1},
                {"abcd", "badc", 2},
                {"ca", "abc", 3}, /* a swap and an insertion between may not overlap */
                {"kitten", "sitting", 3},
                {"max-wait", "max_wait", 1},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                ck_assert_msg(distance(rows[i].a, rows[i].b, 10) == rows[i].distance, "%s %s",
                              rows[i].a, rows[i].b);
                ck_assert_msg(distance(rows[i].b, rows[i].a, 10) == rows[i].distance, "%s %s",
                              rows[i].b, rows[i].a);
        }
}

static void distance_stops_at_its_limit(void) {
        ck_assert_uint_eq(distance("kitten", "sitting", 3), 3);
        ck_assert_uint_eq(distance("kitten", "sitting", 2), 3);
        ck_assert_uint_eq(distance("kitten", "sitting", 0), 1);
        ck_assert_uint_eq(distance("ab", "ba", 1), 1);
        ck_assert_uint_eq(distance("ab", "ba", 0), 1);
}

/* All pairs of words over two letters, against the same distance worked out the slow way. */
static unsigned int slow_distance(const char *a, size_t n_a, const char *b, size_t n_b) {
        unsigned int best, d;

        if (n_a == 0 || n_b == 0)
                return (unsigned int)(n_a + n_b);
        best = slow_distance(a, n_a - 1, b, n_b - 1) + (a[n_a - 1] != b[n_b - 1]);
        d = slow_distance(a, n_a - 1, b, n_b) + 1;
        best = d < best ? d : best;
        d = slow_distance(a, n_a, b, n_b - 1) + 1;
        best = d < best ? d : best;
        if (n_a > 1 && n_b > 1 && a[n_a - 1] == b[n_b - 2] && a[n_a - 2] == b[n_b - 1]) {
                d = slow_distance(a, n_a - 2, b, n_b - 2) + 1;
                best = d < best ? d : best;
        }
        return best;
}

static size_t spell(unsigned int number, char word[8]) {
        size_t n = 0;

        for (; number > 1; number >>= 1)
                word[n++] = number & 1 ? 'a' : 'b';
        return n;
}

static void distance_agrees_with_its_definition(void) {
        char a[8], b[8];

        for (unsigned int i = 1; i < 64; i++)
                for (unsigned int k = 1; k < 64; k++) {
                        size_t n_a = spell(i, a), n_b = spell(k, b);
                        unsigned int right = slow_distance(a, n_a, b, n_b);

                        for (unsigned int limit = 0; limit < 7; limit++)
                                ck_assert_uint_eq(suggest_distance(a, n_a, b, n_b, limit),
                                                  right <= limit ? right : limit + 1);
                }
}

static void long_words_have_no_neighbours(void) {
        char a[300], b[300];

        memset(a, 'a', sizeof(a));
        memset(b, 'a', sizeof(b));
        ck_assert_uint_eq(suggest_distance(a, 255, b, 255, 3), 0);
        ck_assert_uint_eq(suggest_distance(a, 256, b, 256, 3), 4);
        ck_assert_uint_eq(suggest_distance(a, 255, b, 258, 3), 4);
}

static const char *nearest(const char *word) {
        static const char *const candidates[] = {"description", "started", "access", "run",
                                                 "signal",      "send",    "quiet",  "timeout",
                                                 "a",           "b",       NULL};
        struct suggest suggest;

        suggest_init(&suggest, word);
        for (size_t i = 0; candidates[i]; i++)
                suggest_offer(&suggest, candidates[i]);
        return suggest.best;
}

static void the_nearest_is_suggested_or_nothing(void) {
        static const struct {
                const char *word, *nearest;
        } rows[] = {
                {"quite", "quiet"},
                {"timeot", "timeout"},
                {"tmieout", "timeout"},
                {"Started", "started"},
                {"signals", "signal"},
                {"rnu", "run"},
                {"runs", "run"},
                {"desc", "description"},
                {"descripton", "description"},
                {"sent", "send"},
                {"ru", "run"},
                {"timeout", "timeout"},
                {"rum_and_coke", NULL},
                {"des", NULL},
                {"xyz", NULL},
                {"c", NULL},
                {"", NULL},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                const char *found = nearest(rows[i].word);

                ck_assert_msg(rows[i].nearest ? found && strcmp(found, rows[i].nearest) == 0
                                              : !found,
                              "%s: %s", rows[i].word, found ?: "nothing");
        }
}

static void of_equally_near_ones_the_first_stays(void) {
        struct suggest suggest;

        suggest_init(&suggest, "cart");
        suggest_offer(&suggest, "card");
        suggest_offer(&suggest, "care");
        ck_assert_str_eq(suggest.best, "card");
        suggest_offer(&suggest, "cart");
        ck_assert_str_eq(suggest.best, "cart");
        suggest_offer(&suggest, "cart");
        ck_assert_str_eq(suggest.best, "cart");
}

static const struct test tests[] = {
        TEST(distance_counts_edits_and_swaps),
        TEST(distance_stops_at_its_limit),
        TEST(distance_agrees_with_its_definition),
        TEST(long_words_have_no_neighbours),
        TEST(the_nearest_is_suggested_or_nothing),
        TEST(of_equally_near_ones_the_first_stays),
        {0},
};

int main(int argc, char **argv) {
        return test_main("suggest", tests, argc, argv);
}
