/*
 * Memory for many things of one size, without malloc()'s share of each. It grows by blocks, and
 * keeps what was given back for the next.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>

#define POOL_ALIGNMENT 64U

struct pool_item;
struct pool_block;

struct pool {
        size_t item_bytes;
        struct pool_block *blocks;
        char *fresh, *end; /* what is left of the newest block */
        struct pool_item *free;
        _Atomic(struct pool_item *) returned; /* by any thread, not yet in `free` */
};

/* The size is a multiple of a pointer's. Where it is one of POOL_ALIGNMENT, so are the addresses.
 */
void rouse__pool_init(struct pool *pool, size_t item_bytes);
/* All items are gone with it. */
void rouse__pool_deinit(struct pool *pool);

/* NULL: no memory. One thread at a time. */
void *rouse__pool_alloc(struct pool *pool);
/* Any thread, at any time. */
void rouse__pool_free(struct pool *pool, void *item);
