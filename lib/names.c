/*
 * A chained hash table that grows by linear hashing (W. Litwin, "Linear hashing: a new tool for
 * file and table addressing", 1980): each new name splits two buckets, so that no insertion ever
 * pays for all the names before it, and most buckets have one name or none. Only the array of
 * buckets is enlarged at once, by realloc(), which moves pages and not names.
 *
 * Invariants: n_base is a power of two, n_base <= n_buckets < 2 * n_base; a hash belongs to the
 * bucket of its low bits modulo 2 * n_base if there is one, else modulo n_base.
 *
 * Names may come from strangers, so the hash is one of a family, chosen by random numbers: the
 * multilinear one that D. Lemire and O. Kaser prove to be strongly universal in "Strongly universal
 * string hashing is fast" (2014). Whoever does not know the numbers cannot choose names that
 * collide more often than any others do, which is once in 2^32 pairs. It takes a multiplication for
 * four bytes, none of which waits for another.
 */

#include "lib/names.h"

#include <endian.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "lib/async.h"
#include "lib/random.h"

#define N_BUCKETS_MIN   16
#define SPLITS_PER_NAME 2
#define STEPS_APART     8

void rouse__names_init(struct names *names) {
        *names = (struct names){0};
        rouse__random(names->keys, NAME_KEYS);
}

void rouse__names_deinit(struct names *names) {
        free(names->buckets);
        *names = (struct names){0};
}

bool rouse__name_is_legal(const char *text) {
        /* strspn() would make such a table in each call. */
        static const bool is_legal[UCHAR_MAX + 1] = {
                ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['0' ... '9'] = true,
                ['.'] = true,         ['_'] = true,         ['-'] = true,
                [':'] = true,         ['@'] = true,         ['/'] = true,
        };
        size_t n = 0;

        while (n <= NAME_MAX_BYTES && is_legal[(unsigned char)text[n]])
                n++;
        return n >= 1 && n <= NAME_MAX_BYTES && text[n] == '\0' && text[0] != '-';
}

/* The first one lowest. */
static inline uint64_t load(const char *text) {
        uint64_t word;

        memcpy(&word, text, sizeof(word));
        return le64toh(word);
}

/* Less than 8 bytes. */
static inline uint64_t load_few(const char *text, size_t n) {
        uint64_t word = 0;

        for (size_t i = 0; i < n; i++)
                word |= (uint64_t)(unsigned char)text[i] << (8 * i);
        return word;
}

static inline uint64_t multiply(uint64_t word, const uint64_t *keys) {
        return keys[0] * (uint32_t)word + keys[1] * (word >> 32);
}

/* The upper half is the hash. Names that differ in a number only would lie in few buckets for some
 * keys, as the buckets go by the low bits: hence the last steps of A. Appleby's MurmurHash3, by
 * which no two hashes become one. */
static inline uint32_t scatter(uint64_t sum) {
        uint32_t hash = (uint32_t)(sum >> 32);

        hash = (hash ^ (hash >> 16)) * UINT32_C(0x85ebca6b);
        hash = (hash ^ (hash >> 13)) * UINT32_C(0xc2b2ae35);
        return hash ^ (hash >> 16);
}

/* The last bytes are read together with some that were read before: of names of one length that is
 * the same text for the same name, and length counts. */
static inline __attribute__((always_inline)) uint32_t hash_of(const struct names *names,
                                                              struct rouse__text text) {
        /* No name is longer, so it need not be told from others. */
        size_t n = text.n <= NAME_MAX_BYTES ? text.n : NAME_MAX_BYTES, i = 0;
        const uint64_t *keys = names->keys + 2;
        uint64_t sum = names->keys[0] + names->keys[1] * n;

        if (n < 8)
                return scatter(sum + multiply(load_few(text.at, n), keys));
        for (; i + 8 < n; i += 8, keys += 2)
                sum += multiply(load(text.at + i), keys);
        return scatter(sum + multiply(load(text.at + n - 8), keys));
}

uint32_t rouse__names_hash(const struct names *names, struct rouse__text text) {
        return hash_of(names, text);
}

static inline struct rouse__name **bucket_of(const struct names *names, uint32_t hash) {
        size_t i = hash & (2 * names->n_base - 1);

        /* Without a branch, which nobody could predict. */
        i -= names->n_base & -(size_t)(i >= names->n_buckets);
        return &names->buckets[i];
}

/* Two loads that overlap compare what has 8 to 16 bytes, as most names have. */
static inline bool is_named(const struct rouse__name *name, uint32_t hash,
                            struct rouse__text text) {
        if (name->hash != hash || name->n_text != text.n)
                return false;
        if (text.n < 8 || text.n > 16)
                return memcmp(name->text, text.at, text.n) == 0;
        return load(name->text) == load(text.at) &&
               load(name->text + text.n - 8) == load(text.at + text.n - 8);
}

struct rouse__name *rouse__names_find(const struct names *names, struct rouse__text text,
                                      uint32_t hash) {
        if (names->n_names == 0)
                return NULL;
        for (struct rouse__name *name = *bucket_of(names, hash); name; name = name->next)
                if (is_named(name, hash, text))
                        return name;
        return NULL;
}

/* What whoever looks for this name reads of it. */
static inline void prefetch(const struct rouse__name *name) {
        __builtin_prefetch(name, 1);
}

/* What a send to its handle will touch, but for what was read with the name. */
static inline void prefetch_ahead(const struct names *names, const struct rouse__name *name) {
        const char *end = (const char *)((uintptr_t)name & ~(uintptr_t)(CACHE_LINE - 1));

        for (const char *at = (const char *)name - names->n_ahead; at < end; at += CACHE_LINE)
                __builtin_prefetch(at, 1);
}

/* Each name goes through four steps, some names apart, so that what one needs from memory is on its
 * way while others are worked on. Most names stand first in their bucket. */
void rouse__names_find_many(const struct names *names, const struct rouse__text *texts, size_t n,
                            struct rouse__name **ret) {
        struct rouse__name **buckets[NAMES_AT_ONCE];
        uint32_t hashes[NAMES_AT_ONCE];

        if (n == 1) { /* the steps of all those that are not there would take longer */
                ret[0] = rouse__names_find(names, texts[0], hash_of(names, texts[0]));
                if (ret[0])
                        prefetch_ahead(names, ret[0]);
                return;
        }
        if (names->n_names == 0) {
                for (size_t i = 0; i < n; i++)
                        ret[i] = NULL;
                return;
        }
        for (size_t step = 0; step < n + 3 * STEPS_APART; step++) {
                size_t i = step;

                if (i < n) {
                        hashes[i] = hash_of(names, texts[i]);
                        buckets[i] = bucket_of(names, hashes[i]);
                        __builtin_prefetch(buckets[i]);
                }
                i -= STEPS_APART; /* below 0 it is a large number */
                if (i < n) {
                        ret[i] = *buckets[i];
                        prefetch(ret[i]);
                }
                i -= STEPS_APART;
                if (i < n && ret[i]) {
                        /* Without a branch, which would be mispredicted for a quarter of them. */
                        struct rouse__name *next = ret[i]->next;

                        ret[i] = ret[i]->hash == hashes[i] ? ret[i] : next;
                        prefetch(ret[i]);
                }
                i -= STEPS_APART;
                if (i < n) {
                        while (ret[i] && !is_named(ret[i], hashes[i], texts[i]))
                                ret[i] = ret[i]->next;
                        if (ret[i])
                                prefetch_ahead(names, ret[i]);
                }
        }
}

int rouse__names_reserve(struct names *names) {
        size_t n_room = names->n_room ? 2 * names->n_room : 2 * N_BUCKETS_MIN;
        struct rouse__name **buckets;

        if (names->n_buckets + SPLITS_PER_NAME <= names->n_room)
                return 0;
        buckets = reallocarray(names->buckets, n_room, sizeof(*buckets));
        if (!buckets)
                return UV_ENOMEM;
        names->buckets = buckets;
        names->n_room = n_room;
        if (names->n_base == 0) {
                memset(buckets, 0, N_BUCKETS_MIN * sizeof(*buckets));
                names->n_base = names->n_buckets = N_BUCKETS_MIN;
        }
        return 0;
}

/* Splits the bucket whose turn it is: its names go by one more bit of their hash. */
static void split(struct names *names) {
        struct rouse__name **low = &names->buckets[names->n_buckets - names->n_base];
        struct rouse__name **high = &names->buckets[names->n_buckets];

        *high = NULL;
        while (*low) {
                struct rouse__name *name = *low;

                if (name->hash & names->n_base) {
                        *low = name->next;
                        name->next = *high;
                        *high = name;
                } else {
                        low = &name->next;
                }
        }
        if (++names->n_buckets == 2 * names->n_base)
                names->n_base *= 2;
}

void rouse__names_add(struct names *names, struct rouse__name *name) {
        struct rouse__name **bucket;

        if (++names->n_names * SPLITS_PER_NAME > names->n_buckets)
                for (int i = 0; i < SPLITS_PER_NAME; i++)
                        split(names);
        bucket = bucket_of(names, name->hash);
        name->next = *bucket;
        *bucket = name;
}

void rouse__names_remove(struct names *names, struct rouse__name *name) {
        struct rouse__name **at = bucket_of(names, name->hash);

        while (*at != name)
                at = &(*at)->next;
        *at = name->next;
        names->n_names--;
}
