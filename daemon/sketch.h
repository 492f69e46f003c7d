/* How often a quantity took which size, in 16 bytes: a bucket for each power of two. Exact for 255
 * values, and more where they differ; of all others the proportions are. */
#pragma once

#include <stdint.h>

struct histogram;

#define SKETCH_BUCKETS 16

/* Zeroed: nothing was added. */
struct sketch {
        uint8_t counts[SKETCH_BUCKETS];
};

/* The first bucket is for values of so many bits, each further one for twice as much, and the last
 * one for all above. */
#define SKETCH_FIRST_BITS 10

void sketch_halve(struct sketch *sketch);

static inline void sketch_add(struct sketch *sketch, uint64_t value) {
        unsigned int n_bits = 64 - (unsigned int)__builtin_clzll(value | 1);
        unsigned int bucket = n_bits > SKETCH_FIRST_BITS ? n_bits - SKETCH_FIRST_BITS : 0;
        uint8_t *count = &sketch->counts[bucket < SKETCH_BUCKETS ? bucket : SKETCH_BUCKETS - 1];

        if (*count == UINT8_MAX)
                sketch_halve(sketch);
        ++*count;
}

/* Adds n values to the histogram, in the proportions of the sketch, each at most twice too high;
 * max is the greatest of them. */
void sketch_pour(const struct sketch *sketch, uint64_t n, uint64_t max,
                 struct histogram *histogram);
