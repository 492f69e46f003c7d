/*
 * Patterns come from clients, and are held against all names there are. So matching does not go
 * back: it keeps all places of the pattern at which it may stand, a bit each, and takes them on by
 * one byte of the name at once, as the shift-and algorithm of R. Baeza-Yates and G. Gonnet does ("A
 * new approach to text searching", 1992).
 *
 * A step takes one byte of a name. Place i is the one behind i steps. The row of a byte has the
 * places behind a step that takes it; `loops` has those at a star, which takes all bytes and stays.
 * Names have no bytes but those from FIRST to LAST, so only these have rows.
 */

#include "daemon/glob.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/limits.h"

#define FIRST     '-'
#define LAST      'z'
#define N_ROWS    (LAST - FIRST + 1)
#define MAX_WORDS (LIMIT_PATTERN_BYTES / 64 + 1)

struct glob {
        size_t n_steps, n_words; /* words for n_steps + 1 places */
        bool has_star;
        uint64_t loops[MAX_WORDS];
        uint64_t rows[]; /* n_words each */
};

static void set_place(uint64_t *words, size_t place) {
        words[place / 64] |= UINT64_C(1) << (place % 64);
}

static void take_range(bool *takes, unsigned char low, unsigned char high) {
        for (int c = low > FIRST ? low : FIRST; c <= high && c <= LAST; c++)
                takes[c - FIRST] = true;
}

/* Reads the set that begins at `set`, behind the bracket. Returns what stands behind it; NULL: it
 * is not closed. */
static const char *read_set(const char *set, const char *end, bool *takes) {
        bool negated = set < end && (*set == '!' || *set == '^');
        const char *at = negated ? set + 1 : set;
        /* A closing bracket that comes first is a member. */
        const char *close = end - at > 1 ? memchr(at + 1, ']', (size_t)(end - at) - 1) : NULL;

        if (!close)
                return NULL;
        while (at < close) {
                bool is_range = close - at >= 3 && at[1] == '-';

                take_range(takes, (unsigned char)at[0], (unsigned char)at[is_range ? 2 : 0]);
                at += is_range ? 3 : 1;
        }
        for (size_t i = 0; negated && i < N_ROWS; i++)
                takes[i] = !takes[i];
        return close + 1;
}

/* Reads one step, and which bytes it takes. Returns what stands behind it. */
static const char *read_step(const char *at, const char *end, bool *ret_takes) {
        const char *behind = NULL;

        memset(ret_takes, 0, N_ROWS * sizeof(*ret_takes));
        if (*at == '[')
                behind = read_set(at + 1, end, ret_takes);
        if (behind)
                return behind;
        if (*at == '?')
                take_range(ret_takes, FIRST, LAST);
        else
                take_range(ret_takes, (unsigned char)*at, (unsigned char)*at);
        return at + 1;
}

static size_t count_steps(const char *at, const char *end) {
        bool takes[N_ROWS];
        size_t n = 0;

        while (at < end)
                if (*at == '*') {
                        at++;
                } else {
                        at = read_step(at, end, takes);
                        n++;
                }
        return n;
}

static void fill(struct glob *glob, const char *at, const char *end) {
        bool takes[N_ROWS];
        size_t place = 0;

        while (at < end) {
                if (*at == '*') {
                        glob->has_star = true;
                        set_place(glob->loops, place);
                        at++;
                        continue;
                }
                at = read_step(at, end, takes);
                place++;
                for (size_t i = 0; i < N_ROWS; i++)
                        if (takes[i])
                                set_place(glob->rows + i * glob->n_words, place);
        }
}

int glob_new(const char *pattern, size_t n, struct glob **ret) {
        const char *end = pattern + n;
        struct glob *glob;
        size_t n_steps, n_words;

        if (n > LIMIT_PATTERN_BYTES)
                return -ENAMETOOLONG;
        n_steps = count_steps(pattern, end);
        n_words = n_steps / 64 + 1;
        glob = calloc(1, sizeof(*glob) + N_ROWS * n_words * sizeof(*glob->rows));
        if (!glob)
                return -ENOMEM;
        glob->n_steps = n_steps;
        glob->n_words = n_words;
        fill(glob, pattern, end);
        *ret = glob;
        return 0;
}

struct glob *glob_free(struct glob *glob) {
        free(glob);
        return NULL;
}

/* The row of a byte that a name may have; NULL: it is another one. */
static inline const uint64_t *row_of(const struct glob *glob, unsigned char c) {
        return c >= FIRST && c <= LAST ? glob->rows + (size_t)(c - FIRST) * glob->n_words : NULL;
}

/* Takes the places on by one byte, whose row this is. Whether there are any left. */
static inline bool take_on(uint64_t *places, const uint64_t *row, const uint64_t *loops,
                           size_t n_words) {
        uint64_t carry = 0, any = 0;

        for (size_t i = 0; i < n_words; i++) {
                uint64_t before = places[i];

                places[i] = ((before << 1 | carry) & row[i]) | (before & loops[i]);
                carry = before >> 63;
                any |= places[i];
        }
        return any;
}

static inline __attribute__((always_inline)) bool match(const struct glob *glob, const char *name,
                                                        size_t n_words) {
        uint64_t places[MAX_WORDS] = {1};

        for (; *name; name++) {
                const uint64_t *row = row_of(glob, (unsigned char)*name);

                if (!row || !take_on(places, row, glob->loops, n_words))
                        return false;
        }
        return places[glob->n_steps / 64] >> (glob->n_steps % 64) & 1;
}

bool glob_fits(const struct glob *glob, const char *name) {
        size_t n = strlen(name);

        if (n < glob->n_steps || (n > glob->n_steps && !glob->has_star))
                return false;
        /* Most patterns are short: then the places stay in a register. */
        return glob->n_words == 1 ? match(glob, name, 1) : match(glob, name, glob->n_words);
}
