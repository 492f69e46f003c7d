/*
 * Patterns come from clients, so matching must not be exponential. What stands between two stars is
 * matched at the first place where it fits; only the last star seen ever needs to take more, which
 * keeps one place to go back to.
 */

#include "daemon/glob.h"

#include <stddef.h>
#include <string.h>

/* Matches one byte against the set that begins at `set`, behind the bracket. Returns what stands
 * behind the set; NULL: it is not closed. */
static const char *match_set(const char *set, char c, bool *ret_fits) {
        bool negated = *set == '!' || *set == '^', fits = false;
        const char *at = negated ? set + 1 : set;

        /* A closing bracket that comes first is a member. */
        do {
                if (!*at)
                        return NULL;
                if (at[1] == '-' && at[2] && at[2] != ']') {
                        fits |= at[0] <= c && c <= at[2];
                        at += 3;
                } else {
                        fits |= *at++ == c;
                }
        } while (*at != ']');
        *ret_fits = fits != negated;
        return at + 1;
}

/* Matches one byte against what the pattern begins with. Returns the rest of the pattern, or NULL.
 */
static const char *match_one(const char *pattern, char c) {
        const char *rest;
        bool fits;

        if (*pattern == '?')
                return pattern + 1;
        if (*pattern == '[') {
                rest = match_set(pattern + 1, c, &fits);
                if (rest)
                        return fits ? rest : NULL;
        }
        return *pattern == c ? pattern + 1 : NULL;
}

bool glob_match(const char *pattern, const char *name) {
        const char *behind_star = NULL, *star_end = NULL, *rest;

        while (*name) {
                if (*pattern == '*') {
                        behind_star = ++pattern;
                        star_end = name;
                        continue;
                }
                rest = match_one(pattern, *name);
                if (rest) {
                        pattern = rest;
                        name++;
                } else if (behind_star) {
                        pattern = behind_star;
                        name = ++star_end;
                } else {
                        return false;
                }
        }
        return !pattern[strspn(pattern, "*")];
}
