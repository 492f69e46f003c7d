/*
 * Optimal string alignment distance, row by row, of words that are short enough for the stack;
 * longer ones are never suggested. A candidate is near enough if a third of its letters are wrong
 * at most, and never more than three; so words of one or two letters have no neighbours. A word
 * that begins like a candidate and stops early ("desc" for "description") counts as near, but after
 * all that differ by less.
 */
#include "lib/suggest.h"

#include <string.h>

#define WORD_MAX         255U
#define DISTANCE_MAX     3U
#define ABBREVIATION_MIN 4U

void suggest_init(struct suggest *suggest, const char *word) {
        *suggest = (struct suggest){
                .word = word,
                .n_word = strlen(word),
                .best_distance = DISTANCE_MAX + 2,
        };
}

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c) {
        unsigned int m = a < b ? a : b;

        return m < c ? m : c;
}

unsigned int suggest_distance(const char *a, size_t n_a, const char *b, size_t n_b,
                              unsigned int limit) {
        /* The last three rows of the table, used in turn. */
        unsigned int rows[3][WORD_MAX + 2];
        size_t n_diff = n_a > n_b ? n_a - n_b : n_b - n_a;

        if (n_diff > limit || n_a > WORD_MAX || n_b > WORD_MAX)
                return limit + 1;
        for (size_t k = 0; k <= n_b; k++)
                rows[0][k] = (unsigned int)k;
        for (size_t i = 1; i <= n_a; i++) {
                const unsigned int *above2 = rows[(i + 1) % 3], *above = rows[(i + 2) % 3];
                unsigned int *row = rows[i % 3], least;
                /* Further from the diagonal all is greater than the limit. */
                size_t first = i > limit ? i - limit : 1;
                size_t last = i + limit < n_b ? i + limit : n_b;

                row[first - 1] = least = first > 1 ? limit + 1 : (unsigned int)i;
                row[last + 1] = limit + 1;
                for (size_t k = first; k <= last; k++) {
                        unsigned int change = above[k - 1] + (a[i - 1] != b[k - 1]);

                        row[k] = min3(above[k] + 1, row[k - 1] + 1, change);
                        if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] &&
                            above2[k - 2] + 1 < row[k])
                                row[k] = above2[k - 2] + 1;
                        if (row[k] < least)
                                least = row[k];
                }
                /* A swap reaches back two rows, but never below the least of the row between. */
                if (least > limit)
                        return limit + 1;
        }
        return rows[n_a % 3][n_b] > limit ? limit + 1 : rows[n_a % 3][n_b];
}

void suggest_offer(struct suggest *suggest, const char *candidate) {
        size_t n_word = suggest->n_word, n_candidate = strlen(candidate);
        size_t n_longer = n_word > n_candidate ? n_word : n_candidate;
        unsigned int limit =
                n_longer / 3 < DISTANCE_MAX ? (unsigned int)(n_longer / 3) : DISTANCE_MAX;
        unsigned int distance;

        if (suggest->best_distance == 0)
                return;
        if (limit >= suggest->best_distance)
                limit = suggest->best_distance - 1;
        distance = suggest_distance(suggest->word, n_word, candidate, n_candidate, limit);
        if (distance > limit) {
                if (suggest->best_distance <= DISTANCE_MAX + 1 || n_word < ABBREVIATION_MIN ||
                    n_candidate <= n_word || memcmp(suggest->word, candidate, n_word) != 0)
                        return;
                distance = DISTANCE_MAX + 1;
        }
        suggest->best = candidate;
        suggest->best_distance = distance;
}
