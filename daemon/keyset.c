/*
 * The text is what a run reads: the keys, a newline after each. An open-addressing table of offsets
 * into it finds duplicates: senders choose the keys, so it goes by a hash that they do not know
 * (see key-hash.c). Both grow by doubling up to the limits, and an empty set is no memory at all.
 */

#include "daemon/keyset.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/key-hash.h"
#include "lib/random.h"

#define FIRST_INDEX 16U
#define FREE_PLACE  UINT32_MAX

struct keyset {
        char *text;
        uint32_t n_text, text_room;
        uint32_t n_keys;
        uint32_t *index; /* offsets; FREE_PLACE: none */
        uint32_t n_index;
        bool has_overflown;
};

static struct key_hash hash; /* of the process: made with the first set */

static void make_hash(void) {
        uint64_t random[2];

        rouse__random(random, 2);
        key_hash_init(&hash, random);
}

static bool is_at(const struct keyset *keyset, uint32_t offset, const char *key, size_t n_key) {
        return keyset->n_text - offset > n_key && memcmp(keyset->text + offset, key, n_key) == 0 &&
               keyset->text[offset + n_key] == '\n';
}

/* The place of the key, or the free one where it belongs. */
static uint32_t find_place(const struct keyset *keyset, const char *key, size_t n_key) {
        /* n_index is a power of two: as many bits of the hash, the first ones. */
        uint32_t place =
                (uint32_t)(key_hash(&hash, key, n_key) >> (64 - __builtin_ctz(keyset->n_index)));

        while (keyset->index[place] != FREE_PLACE &&
               !is_at(keyset, keyset->index[place], key, n_key))
                place = (place + 1) & (keyset->n_index - 1);
        return place;
}

static bool grow_index(struct keyset *keyset) {
        struct keyset grown = *keyset;

        if (keyset->n_index && 2 * (keyset->n_keys + 1) <= keyset->n_index)
                return true;
        grown.n_index = keyset->n_index ? keyset->n_index * 2 : FIRST_INDEX;
        grown.index = malloc(grown.n_index * sizeof(*grown.index));
        if (!grown.index)
                return false;
        memset(grown.index, 0xff, grown.n_index * sizeof(*grown.index));
        for (uint32_t offset = 0; offset < keyset->n_text;) {
                const char *key = keyset->text + offset;
                size_t n_key =
                        (size_t)((const char *)memchr(key, '\n', keyset->n_text - offset) - key);

                grown.index[find_place(&grown, key, n_key)] = offset;
                offset += (uint32_t)n_key + 1;
        }
        free(keyset->index);
        *keyset = grown;
        return true;
}

static bool grow_text(struct keyset *keyset, uint32_t n) {
        uint64_t room = keyset->text_room ? keyset->text_room : 64;
        char *text;

        if (n <= keyset->text_room)
                return true;
        while (room < n)
                room *= 2;
        if (room > UINT32_MAX)
                room = UINT32_MAX;
        text = realloc(keyset->text, room);
        if (!text)
                return false;
        keyset->text = text;
        keyset->text_room = (uint32_t)room;
        return true;
}

static struct keyset *make(struct keyset **keyset) {
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        pthread_once(&once, make_hash);
        if (!*keyset)
                *keyset = calloc(1, sizeof(**keyset));
        return *keyset;
}

void keyset_overflow(struct keyset **keyset) {
        if (make(keyset))
                (*keyset)->has_overflown = true;
}

void keyset_add(struct keyset **ret_keyset, const struct keyset_limits *limits, const char *key,
                size_t n_key) {
        struct keyset *keyset;
        uint32_t place;

        if (n_key == 0 || limits->max == 0 || !(keyset = make(ret_keyset)))
                return;
        /* A newline would make two keys of one; nobody can have meant that. */
        if (memchr(key, '\n', n_key) || n_key >= limits->max_bytes || !grow_index(keyset)) {
                keyset->has_overflown = true;
                return;
        }
        place = find_place(keyset, key, n_key);
        if (keyset->index[place] != FREE_PLACE)
                return;
        /* A reload may have lowered the bounds under what is there. */
        if (keyset->n_keys >= limits->max ||
            (uint64_t)keyset->n_text + n_key + 1 > limits->max_bytes ||
            !grow_text(keyset, keyset->n_text + (uint32_t)n_key + 1)) {
                keyset->has_overflown = true;
                return;
        }
        keyset->index[place] = keyset->n_text;
        memcpy(keyset->text + keyset->n_text, key, n_key);
        keyset->n_text += (uint32_t)n_key;
        keyset->text[keyset->n_text++] = '\n';
        keyset->n_keys++;
}

void keyset_add_all(struct keyset **to, const struct keyset_limits *limits,
                    const struct keyset *from) {
        for (uint32_t offset = 0; from && offset < from->n_text;) {
                const char *key = from->text + offset;
                size_t n_key =
                        (size_t)((const char *)memchr(key, '\n', from->n_text - offset) - key);

                keyset_add(to, limits, key, n_key);
                offset += (uint32_t)n_key + 1;
        }
        if (from && from->has_overflown && limits->max)
                keyset_overflow(to);
}

void keyset_merge(struct keyset **to, const struct keyset_limits *limits, struct keyset *from) {
        if (!from)
                return;
        if (!*to) {
                *to = from;
                return;
        }
        keyset_add_all(to, limits, from);
        keyset_free(from);
}

size_t keyset_count(const struct keyset *keyset) {
        return keyset ? keyset->n_keys : 0;
}

bool keyset_has_overflown(const struct keyset *keyset) {
        return keyset && keyset->has_overflown;
}

const char *keyset_text(const struct keyset *keyset, size_t *ret_n) {
        *ret_n = keyset ? keyset->n_text : 0;
        return keyset && keyset->text ? keyset->text : "";
}

struct keyset *keyset_free(struct keyset *keyset) {
        if (keyset) {
                free(keyset->text);
                free(keyset->index);
                free(keyset);
        }
        return NULL;
}
