/*
 * Blocks double from a page to 2 MiB, so that few items cost little and many cost few calls. Those
 * of 2 MiB are aligned for huge pages: a wake of one among a million handles spends much of its
 * time on misses of the address translation otherwise.
 *
 * What is given back goes on a lock-free stack, from which only the allocating thread takes, and
 * all at once: an item that came and went and came again does no harm there.
 *
 * Under the address sanitizer every item is malloc()'s, so that it sees what is used after it was
 * given back.
 */

#include "lib/pool.h"

#include <stdalign.h>
#include <stdlib.h>
#include <sys/mman.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define IS_BYPASSED 1
#else
#define IS_BYPASSED 0
#endif

#define BLOCK_MIN (size_t)4096
#define BLOCK_MAX ((size_t)2 << 20)

struct pool_item {
        struct pool_item *next;
};

struct pool_block {
        struct pool_block *next;
        size_t bytes;
        alignas(POOL_ALIGNMENT) char items[];
};

void rouse__pool_init(struct pool *pool, size_t item_bytes) {
        *pool = (struct pool){.item_bytes = item_bytes};
}

void rouse__pool_deinit(struct pool *pool) {
        struct pool_block *block = pool->blocks;

        while (block) {
                struct pool_block *next = block->next;

                free(block);
                block = next;
        }
        *pool = (struct pool){0};
}

static struct pool_block *block_new(size_t bytes) {
        void *block;

        if (posix_memalign(&block, bytes < BLOCK_MAX ? POOL_ALIGNMENT : BLOCK_MAX, bytes) != 0)
                return NULL;
        if (bytes == BLOCK_MAX)
                (void)madvise(block, bytes,
                              MADV_HUGEPAGE); /* where there are none, it works without */
        return block;
}

/* Makes room for at least one fresh item, or not. */
static void grow(struct pool *pool) {
        size_t bytes = pool->blocks ? 2 * pool->blocks->bytes : BLOCK_MIN;
        struct pool_block *block;

        if (bytes > BLOCK_MAX)
                bytes = BLOCK_MAX;
        block = block_new(bytes);
        if (!block)
                return;
        block->next = pool->blocks;
        block->bytes = bytes;
        pool->blocks = block;
        pool->fresh = block->items;
        pool->end = (char *)block + bytes;
}

void *rouse__pool_alloc(struct pool *pool) {
        struct pool_item *item;

        if (IS_BYPASSED)
                return malloc(pool->item_bytes);
        if (!pool->free)
                /* Acquire: the last user's work on the item comes before ours. */
                pool->free = atomic_exchange_explicit(&pool->returned, NULL, memory_order_acquire);
        item = pool->free;
        if (item) {
                pool->free = item->next;
                return item;
        }
        if ((size_t)(pool->end - pool->fresh) < pool->item_bytes)
                grow(pool);
        if ((size_t)(pool->end - pool->fresh) < pool->item_bytes)
                return NULL;
        item = (void *)pool->fresh;
        pool->fresh += pool->item_bytes;
        return item;
}

void rouse__pool_free(struct pool *pool, void *memory) {
        struct pool_item *item = memory;

        if (IS_BYPASSED) {
                free(item);
                return;
        }
        item->next = atomic_load_explicit(&pool->returned, memory_order_relaxed);
        /* Release: our work on the item comes before the next user's. */
        while (!atomic_compare_exchange_weak_explicit(&pool->returned, &item->next, item,
                                                      memory_order_release, memory_order_relaxed))
                ;
}
