/* Patterns for names, as shells have them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct glob;

/*
 * Makes a pattern ready for use: `*` is any text, `?` any byte, `[a-z]` and `[!a-z]` one of some or
 * another one; a `[` that nothing closes is itself. 0; -ENAMETOOLONG: LIMIT_PATTERN_BYTES; -ENOMEM.
 */
int glob_new(const char *pattern, size_t n, struct glob **ret);
/* Accepts and returns NULL. */
struct glob *glob_free(struct glob *glob);

/* Whether all of `name` fits. The time it takes goes with the length of the name, whatever the
 * pattern. */
bool glob_fits(const struct glob *glob, const char *name);
