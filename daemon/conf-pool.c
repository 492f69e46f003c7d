/*
 * A table of what was kept last, one value for each hash: what recurs often is found, what was
 * displaced by something else is stored once more. So the table never grows, stays in the
 * processor's cache, and costs nothing to speak of when all values differ.
 */
#include "daemon/conf-pool.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf-arena.h"

#define N_SLOTS 1024U

struct conf_pool_slot {
        const void *bytes;
        uint32_t n_bytes : 31;
        uint32_t is_text : 1; /* has a NUL behind it, and any address */
        uint32_t hash;
};

void conf_pool_init(struct conf_pool *pool, struct conf_arena *arena) {
        *pool = (struct conf_pool){.arena = arena};
}

void conf_pool_deinit(struct conf_pool *pool) {
        free(pool->slots);
        pool->slots = NULL;
}

/* Eight bytes at a time. */
static uint32_t hash(const char *bytes, size_t n) {
        uint64_t h = n, word;

        for (; n >= sizeof(word); bytes += sizeof(word), n -= sizeof(word)) {
                memcpy(&word, bytes, sizeof(word));
                h = (h ^ word) * 0x9e3779b97f4a7c15;
                h ^= h >> 32;
        }
        word = 0;
        memcpy(&word, bytes, n);
        h = (h ^ word) * 0x9e3779b97f4a7c15;
        return (uint32_t)(h >> 32);
}

static const void *keep(struct conf_pool *pool, const void *bytes, size_t n, bool is_text) {
        uint32_t h = hash(bytes, n);
        struct conf_pool_slot *slot;
        void *copy;

        if (!pool->slots) {
                pool->slots = calloc(N_SLOTS, sizeof(*pool->slots));
                if (!pool->slots)
                        return NULL;
        }
        slot = &pool->slots[h % N_SLOTS];
        if (slot->bytes && slot->hash == h && slot->n_bytes == n && slot->is_text == is_text &&
            memcmp(slot->bytes, bytes, n) == 0)
                return slot->bytes;
        if (is_text)
                copy = conf_arena_strndup(pool->arena, bytes, n);
        else
                copy = conf_arena_alloc(pool->arena, n);
        if (!copy)
                return NULL;
        if (!is_text)
                memcpy(copy, bytes, n);
        *slot = (struct conf_pool_slot){
                .bytes = copy,
                .n_bytes = (uint32_t)n & INT32_MAX,
                .is_text = is_text,
                .hash = h,
        };
        return copy;
}

const void *conf_pool_keep(struct conf_pool *pool, const void *bytes, size_t n_bytes) {
        return keep(pool, bytes, n_bytes, false);
}

const char *conf_pool_keep_text(struct conf_pool *pool, const char *text, size_t n_text) {
        return keep(pool, text, n_text, true);
}
