/* Finds the word that was probably meant by a misspelt one. */
#pragma once

#include <stddef.h>

struct suggest {
        const char *word;
        size_t n_word;
        const char *best; /* NULL: none was near enough */
        unsigned int best_distance;
};

void suggest_init(struct suggest *suggest, const char *word);
/* Considers one more candidate; it must stay valid as long as `best` is used. Of equally near ones
 * the first stays. */
void suggest_offer(struct suggest *suggest, const char *candidate);

/* The least number of letters to insert, remove, replace, or swap with their neighbour, that turns
 * one word into the other; `limit + 1` if that is more than `limit`. */
unsigned int suggest_distance(const char *a, size_t n_a, const char *b, size_t n_b,
                              unsigned int limit);
