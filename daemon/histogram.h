/* How often a quantity took which size: log-linear buckets, 1/8 wide, of any uint64_t. */
#pragma once

#include <stdint.h>

#include "lib/cleanup.h"

struct histogram {
        uint64_t n, max;
        uint64_t last_value; /* if there is a last one */
        uint32_t *last;      /* the bucket of the value that was added last; NULL: none */
        uint32_t *buckets;   /* saturating */
        uint32_t n_buckets;
};

int histogram_new(struct histogram **ret);
struct histogram *histogram_free(struct histogram *histogram); /* accepts and returns NULL */
DEFINE_CLEANUP(struct histogram *, histogram_free)
void histogram_add_many(struct histogram *histogram, uint64_t value, uint64_t n);

/* What is counted in passing often is what was counted before. */
static inline void histogram_add(struct histogram *histogram, uint64_t value) {
        if (value != histogram->last_value || !histogram->last || *histogram->last == UINT32_MAX) {
                histogram_add_many(histogram, value, 1);
                return;
        }
        ++*histogram->last;
        histogram->n++;
}

uint64_t histogram_count(const struct histogram *histogram);
uint64_t histogram_max(const struct histogram *histogram);
/* The value that `permille` of all values do not exceed, at most 1/8 too high; 0 if there are none.
 */
uint64_t histogram_quantile(const struct histogram *histogram, unsigned int permille);

/* A value will be added soon: the processor may fetch what that takes, in two steps. The first
 * accepts NULL. */
static inline void histogram_prefetch(const struct histogram *histogram) {
        __builtin_prefetch(histogram, 1);
}

/* The next value will not be far from the last one. */
static inline void histogram_prefetch_bucket(const struct histogram *histogram) {
        __builtin_prefetch(histogram->last, 1);
}
