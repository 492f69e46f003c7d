/*
 * The first bucket is for values below 1024, which for nanoseconds is next to nothing. When a
 * bucket is full, all are halved: so only proportions are kept, and what was long ago counts for
 * less than what was lately.
 */

#include "daemon/sketch.h"

#include <stddef.h>

#include "daemon/histogram.h"

static uint64_t bucket_top(size_t bucket, uint64_t max) {
        uint64_t top = (UINT64_C(1) << (SKETCH_FIRST_BITS + bucket)) - 1;

        return bucket < SKETCH_BUCKETS - 1 && top < max ? top : max;
}

void sketch_halve(struct sketch *sketch) {
        for (size_t i = 0; i < SKETCH_BUCKETS; i++)
                sketch->counts[i] /= 2;
}

void sketch_pour(const struct sketch *sketch, uint64_t n, uint64_t max,
                 struct histogram *histogram) {
        uint64_t total = 0, seen = 0, n_poured = 0;

        for (size_t i = 0; i < SKETCH_BUCKETS; i++)
                total += sketch->counts[i];
        for (size_t i = 0; i < SKETCH_BUCKETS && seen < total; i++) {
                uint64_t n_here;

                seen += sketch->counts[i];
                n_here = n / total * seen + n % total * seen / total - n_poured;
                n_poured += n_here;
                if (n_here > 0 && seen == total) { /* one of the last is the greatest */
                        histogram_add(histogram, max);
                        n_here--;
                }
                if (n_here > 0)
                        histogram_add_many(histogram, bucket_top(i, max), n_here);
        }
}
