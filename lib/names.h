/* The names of a hub's open handles. Loop thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rouse__name;

#define NAMES_AT_ONCE  64
#define NAME_MAX_BYTES 255
#define NAME_KEYS      (2 + 2 * ((NAME_MAX_BYTES + 7) / 8))

/* A name that may stand in the middle of something, without a NUL at its end. */
struct rouse__text {
        const char *at;
        size_t n;
};

static inline struct rouse__text rouse__text(const char *string) {
        return (struct rouse__text){string, strlen(string)};
}

static inline bool rouse__text_equals(struct rouse__text a, struct rouse__text b) {
        return a.n == b.n && memcmp(a.at, b.at, a.n) == 0;
}

struct names {
        struct rouse__name **buckets;
        size_t n_names;
        size_t n_buckets;         /* n_base plus those that were split already */
        size_t n_base;            /* a power of two, or 0 before the first name */
        size_t n_room;            /* buckets that there is memory for */
        uint64_t keys[NAME_KEYS]; /* of the hash: make collisions unpredictable */
        size_t n_ahead;           /* bytes before a name that whoever finds it will touch */
};

/* Never fails: buckets come with the first name. */
void rouse__names_init(struct names *names);
void rouse__names_deinit(struct names *names);

/* Whether it has 1 to 255 bytes of A-Z a-z 0-9 . _ - : @ / and no '-' first. */
bool rouse__name_is_legal(const char *text);

uint32_t rouse__names_hash(const struct names *names, struct rouse__text text);
/* NULL: not there. */
struct rouse__name *rouse__names_find(const struct names *names, struct rouse__text text,
                                      uint32_t hash);
/*
 * The same for at most NAMES_AT_ONCE names: a table that is larger than the processor's caches
 * answers them all in about the time of a few, since it is not asked for one after the other.
 */
void rouse__names_find_many(const struct names *names, const struct rouse__text *texts, size_t n,
                            struct rouse__name **ret);
/* Makes room for one more. 0, UV_ENOMEM. */
int rouse__names_reserve(struct names *names);
/* `name`, with its hash and a text that is not there yet, after a reserve. */
void rouse__names_add(struct names *names, struct rouse__name *name);
void rouse__names_remove(struct names *names, struct rouse__name *name);
