/* A bounded set of distinct keys in the order in which they first came. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keyset;

struct keyset_limits {
        uint32_t max;       /* keys; 0: keys are not kept at all */
        uint32_t max_bytes; /* of all of them together, a newline each counted */
};

/* Adds a key to *keyset, which is made when it is NULL. A key that is in it already changes
 * nothing; one that exceeds a limit, or memory, sets the overflow instead: then "look at
 * everything" is what the set says. An empty key is no key. */
void keyset_add(struct keyset **keyset, const struct keyset_limits *limits, const char *key,
                size_t n_key);
/* Marks that some keys are not in it. */
void keyset_overflow(struct keyset **keyset);
/* Adds all keys of another set in their order, and its overflow. */
void keyset_add_all(struct keyset **to, const struct keyset_limits *limits,
                    const struct keyset *from);
/* Moves all of `from` behind what is in *to, under the same rules. Consumes `from`, which may be
 * NULL. */
void keyset_merge(struct keyset **to, const struct keyset_limits *limits, struct keyset *from);

/* All of these accept NULL, the empty set. */
size_t keyset_count(const struct keyset *keyset);
bool keyset_has_overflown(const struct keyset *keyset);
/* The keys, a newline after each. Valid until the set changes. */
const char *keyset_text(const struct keyset *keyset, size_t *ret_n);
struct keyset *keyset_free(struct keyset *keyset); /* returns NULL */
