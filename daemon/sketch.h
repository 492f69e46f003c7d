/* How often a quantity took which size, in 16 bytes: a bucket for each power of two, and a byte for
 * each count. Exact for 31 values in a bucket; of more the share is kept, to a fifth or so. */
#pragma once

#include <stdint.h>

struct histogram;

#define SKETCH_BUCKETS 16

/*
 * Zeroed: nothing was added. A count is a number with four bits behind its first one, and an
 * exponent: what is too small for it is added by chance, so that on the average it is right.
 */
struct sketch {
        uint8_t counts[SKETCH_BUCKETS];
};

#define SKETCH_COUNT_BITS 4

/* The first bucket is for values of so many bits, each further one for twice as much, and the last
 * one for all above. */
#define SKETCH_FIRST_BITS 10

/* The exponent of a count, and of what one more of it stands for. */
static inline unsigned int sketch_shift(uint8_t count) {
        unsigned int exponent = count >> SKETCH_COUNT_BITS;

        return exponent > 0 ? exponent - 1 : 0;
}

void sketch_halve(struct sketch *sketch, uint64_t chance);

/* `chance` is another number each time, spread in its upper bits. No branch goes by it: every other
 * one would be mispredicted. */
static inline void sketch_add(struct sketch *sketch, uint64_t value, uint64_t chance) {
        unsigned int n_bits = 64 - (unsigned int)__builtin_clzll(value | 1);
        unsigned int bucket = n_bits > SKETCH_FIRST_BITS ? n_bits - SKETCH_FIRST_BITS : 0;
        uint8_t *count = &sketch->counts[bucket < SKETCH_BUCKETS ? bucket : SKETCH_BUCKETS - 1];
        /* One in 2^shift; always, if that is 1. */
        uint8_t more = chance >> 1 >> (63 - sketch_shift(*count)) == 0;

        if (*count == UINT8_MAX)
                sketch_halve(sketch, chance);
        *count = (uint8_t)(*count + more);
}

/* Adds n values to the histogram, in the proportions of the sketch, each at most twice too high;
 * max is the greatest of them. */
void sketch_pour(const struct sketch *sketch, uint64_t n, uint64_t max,
                 struct histogram *histogram);
