/* Memory for things of many sizes, each from a pool of its size. */
#pragma once

#include <stddef.h>

#include "lib/pool.h"

#define POOLS_STEP 16U
#define POOLS_MAX  512U /* bytes of the largest item */

struct pools {
        struct pool of[POOLS_MAX / POOLS_STEP];
};

static inline void rouse__pools_init(struct pools *pools) {
        for (size_t i = 0; i < POOLS_MAX / POOLS_STEP; i++)
                rouse__pool_init(&pools->of[i], (i + 1) * POOLS_STEP);
}

static inline void rouse__pools_deinit(struct pools *pools) {
        for (size_t i = 0; i < POOLS_MAX / POOLS_STEP; i++)
                rouse__pool_deinit(&pools->of[i]);
}

/* The pool of items that have room for 1 to POOLS_MAX bytes. */
static inline struct pool *rouse__pools_get(struct pools *pools, size_t bytes) {
        return &pools->of[(bytes - 1) / POOLS_STEP];
}
