/*
 * Buckets: 0 to 7 have one each; above, every power of two is cut into 8 equal parts. A value v
 * with highest bit e >= 3 belongs to part (v >> (e - 3)) & 7 of power e. 496 buckets hold any
 * uint64_t; they are allocated as far as values reach, because most quantities never become large.
 */

#include "daemon/histogram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PART_BITS 3
#define N_PARTS   (1U << PART_BITS)

static uint32_t bucket_of(uint64_t value) {
        unsigned int e;

        if (value < N_PARTS)
                return (uint32_t)value;
        e = 63 - (unsigned int)__builtin_clzll(value);
        return (e - PART_BITS + 1) * N_PARTS +
               (uint32_t)((value >> (e - PART_BITS)) & (N_PARTS - 1));
}

/* The highest value that belongs to the bucket. */
static uint64_t bucket_top(uint32_t bucket) {
        unsigned int e;
        uint64_t part;

        if (bucket < N_PARTS)
                return bucket;
        e = bucket / N_PARTS + PART_BITS - 1;
        part = bucket % N_PARTS + N_PARTS;
        return ((part + 1) << (e - PART_BITS)) - 1; /* wraps to the highest value in the last one */
}

int histogram_new(struct histogram **ret) {
        struct histogram *histogram = calloc(1, sizeof(*histogram));

        if (!histogram)
                return -ENOMEM;
        *ret = histogram;
        return 0;
}

struct histogram *histogram_free(struct histogram *histogram) {
        if (histogram) {
                free(histogram->buckets);
                free(histogram);
        }
        return NULL;
}

void histogram_add_many(struct histogram *histogram, uint64_t value, uint64_t n_times) {
        uint32_t bucket = bucket_of(value);

        if (bucket >= histogram->n_buckets) {
                uint32_t n = (bucket / N_PARTS + 1) * N_PARTS;
                uint32_t *buckets = realloc(histogram->buckets, n * sizeof(*buckets));

                if (!buckets)
                        return; /* a statistic is not worth failing for */
                memset(buckets + histogram->n_buckets, 0,
                       (n - histogram->n_buckets) * sizeof(*buckets));
                histogram->buckets = buckets;
                histogram->n_buckets = n;
        }
        histogram->last = &histogram->buckets[bucket];
        histogram->last_value = value;
        if (n_times > UINT32_MAX - *histogram->last)
                n_times = UINT32_MAX - *histogram->last;
        *histogram->last += (uint32_t)n_times;
        histogram->n += n_times;
        if (value > histogram->max)
                histogram->max = value;
}

uint64_t histogram_count(const struct histogram *histogram) {
        return histogram->n;
}

uint64_t histogram_max(const struct histogram *histogram) {
        return histogram->max;
}

uint64_t histogram_quantile(const struct histogram *histogram, unsigned int permille) {
        uint64_t rank, seen = 0;

        if (!histogram->n)
                return 0;
        /* The rank, rounded up, without overflow for any count. */
        rank = histogram->n / 1000 * permille + (histogram->n % 1000 * permille + 999) / 1000;
        if (rank == 0)
                rank = 1;
        for (uint32_t i = 0; i < histogram->n_buckets; i++) {
                seen += histogram->buckets[i];
                if (seen >= rank) {
                        uint64_t top = bucket_top(i);

                        return top < histogram->max ? top : histogram->max;
                }
        }
        return histogram->max;
}
