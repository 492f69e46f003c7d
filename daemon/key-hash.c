/*
 * The text is taken for a polynomial, whose first coefficient is its length and whose others are 7
 * of its bytes each; the hash is the value of that at a random point, modulo the prime 2^61 - 1.
 * Two texts of at most n such pieces are two polynomials whose difference is 0 at n points at most,
 * of the 2^61 that there are. (J. L. Carter, M. N. Wegman, "New hash functions and
 * their use in authentication and set equality", 1981.)
 *
 * Neighbours, however, have values whose lower bits differ as their texts do. The upper bits of the
 * product with a random odd number do not: in b bits, two values agree for one number of 2^(b - 1).
 * (M. Dietzfelbinger et al., "A reliable randomized algorithm for the closest-pair problem", 1997.)
 */

#include "daemon/key-hash.h"

#include <endian.h>
#include <string.h>

#define PRIME       ((UINT64_C(1) << 61) - 1)
#define PIECE_BYTES 7U
#define PIECE       ((UINT64_C(1) << 8 * PIECE_BYTES) - 1)

void key_hash_init(struct key_hash *hash, const uint64_t random[2]) {
        hash->point = random[0] % PRIME;
        hash->factor = random[1] | 1;
}

/* value * point + piece. The upper bits of the product count as often as there are 2^61 in it, and
 * 2^61 is 1. */
static inline uint64_t step(uint64_t value, uint64_t point, uint64_t piece) {
        unsigned __int128 product = (unsigned __int128)value * point + piece;

        uint64_t sum = (uint64_t)(product & PRIME) + (uint64_t)(product >> 61);

        return sum < PRIME ? sum : sum - PRIME;
}

uint64_t key_hash(const struct key_hash *hash, const char *text, size_t n) {
        uint64_t value = n;

        for (size_t i = 0; i < n; i += PIECE_BYTES) {
                uint64_t piece = 0;

                /* Of a whole word, a copy is a load; one byte of it is the next piece's. */
                if (n - i >= sizeof(piece))
                        memcpy(&piece, text + i, sizeof(piece));
                else
                        memcpy(&piece, text + i, n - i);
                value = step(value, hash->point, le64toh(piece) & PIECE);
        }
        return value * hash->factor;
}
