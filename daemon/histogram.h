/* How often a quantity took which size: log-linear buckets, 1/8 wide, of any uint64_t. */
#pragma once

#include <stdint.h>

#include "lib/cleanup.h"

struct histogram;

int histogram_new(struct histogram **ret);
struct histogram *histogram_free(struct histogram *histogram); /* accepts and returns NULL */
DEFINE_CLEANUP(struct histogram *, histogram_free)
void histogram_add(struct histogram *histogram, uint64_t value);
void histogram_add_many(struct histogram *histogram, uint64_t value, uint64_t n);
uint64_t histogram_count(const struct histogram *histogram);
uint64_t histogram_max(const struct histogram *histogram);
/* The value that `permille` of all values do not exceed, at most 1/8 too high; 0 if there are none.
 */
uint64_t histogram_quantile(const struct histogram *histogram, unsigned int permille);

/* A value will be added soon: the processor may fetch what that takes, in two steps. The first
 * accepts NULL. */
void histogram_prefetch(const struct histogram *histogram);
void histogram_prefetch_buckets(const struct histogram *histogram);
