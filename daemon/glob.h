/* Patterns for names, as shells have them. */
#pragma once

#include <stdbool.h>

/* Whether all of `name` fits: `*` is any text, `?` any byte, `[a-z]` and `[!a-z]` one of some or
 * another one; a `[` that nothing closes is itself. The time it takes is bounded by the product of
 * the two lengths. */
bool glob_match(const char *pattern, const char *name);
