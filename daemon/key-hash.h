/* A hash of texts of any length that strangers choose. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* One of a family of hashes: who does not know it cannot choose texts that collide. */
struct key_hash {
        uint64_t point, factor;
};

/* Of two random numbers. */
void key_hash_init(struct key_hash *hash, const uint64_t random[2]);
/* The upper bits are the best: take the first ones for a table of a power of two. */
uint64_t key_hash(const struct key_hash *hash, const char *text, size_t n);
