/*
 * The first bucket is for values below 1024, which for nanoseconds is next to nothing. When a count
 * is as great as can be, which is half a million, all are halved: so only proportions are kept.
 */

#include "daemon/sketch.h"

#include <stddef.h>

#include "daemon/histogram.h"
#include "lib/random.h"

static uint64_t bucket_top(size_t bucket, uint64_t max) {
        uint64_t top = (UINT64_C(1) << (SKETCH_FIRST_BITS + bucket)) - 1;

        return bucket < SKETCH_BUCKETS - 1 && top < max ? top : max;
}

static uint64_t count_value(uint8_t count) {
        unsigned int mantissa = count & ((1U << SKETCH_COUNT_BITS) - 1);

        if (count >> SKETCH_COUNT_BITS == 0)
                return count;
        return (uint64_t)(mantissa | 1U << SKETCH_COUNT_BITS) << sketch_shift(count);
}

/* The rest of an odd number is kept or dropped by chance, or small counts would dwindle. */
static uint8_t halve_count(uint8_t count, uint64_t *chance) {
        if (sketch_shift(count) > 0)
                return (uint8_t)(count - (1U << SKETCH_COUNT_BITS));
        return (uint8_t)((count + (rouse__random_next(chance) >> 63)) / 2);
}

void sketch_halve(struct sketch *sketch, uint64_t chance) {
        for (size_t i = 0; i < SKETCH_BUCKETS; i++)
                sketch->counts[i] = halve_count(sketch->counts[i], &chance);
}

void sketch_pour(const struct sketch *sketch, uint64_t n, uint64_t max,
                 struct histogram *histogram) {
        uint64_t total = 0, seen = 0, n_poured = 0;

        for (size_t i = 0; i < SKETCH_BUCKETS; i++)
                total += count_value(sketch->counts[i]);
        for (size_t i = 0; i < SKETCH_BUCKETS && seen < total; i++) {
                uint64_t n_here;

                seen += count_value(sketch->counts[i]);
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
