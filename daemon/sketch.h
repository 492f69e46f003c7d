/* How often a quantity took which size, in 32 bytes: a bucket for each power of two. */
#pragma once

#include <stdint.h>

struct histogram;

#define SKETCH_BUCKETS 16

/* Zeroed: nothing was added. */
struct sketch {
        uint16_t counts[SKETCH_BUCKETS];
};

void sketch_add(struct sketch *sketch, uint64_t value);
/* Adds n values to the histogram, in the proportions of the sketch, each at most twice too high;
 * max is the greatest of them. */
void sketch_pour(const struct sketch *sketch, uint64_t n, uint64_t max,
                 struct histogram *histogram);
