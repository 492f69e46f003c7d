/* That nobody can choose texts which collide. */
#include "daemon/key-hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/random.h"
#include "tests/support.h"

#define PRIME ((UINT64_C(1) << 61) - 1)

/* The polynomial, number by number, in steps that nothing can overflow. */
static uint64_t times(uint64_t a, uint64_t b) {
        uint64_t product = 0;

        for (; b; b >>= 1) {
                if (b & 1)
                        product = (product + a) % PRIME;
                a = 2 * a % PRIME;
        }
        return product;
}

static uint64_t expected(const struct key_hash *hash, const char *text, size_t n) {
        uint64_t value = n;

        for (size_t i = 0; i < n;) {
                uint64_t piece = 0;

                for (size_t k = 0; k < 7 && i < n; k++)
                        piece |= (uint64_t)(unsigned char)text[i++] << 8 * k;
                value = (times(value, hash->point) + piece) % PRIME;
        }
        return value * hash->factor;
}

static void it_is_the_polynomial(void) {
        static const uint64_t randoms[][2] = {
                {0, 0},
                {1, 1},
                {PRIME - 1, UINT64_MAX},
                {PRIME, 2},
                {UINT64_MAX, 1},
                {UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210)},
        };
        char text[64];

        for (size_t i = 0; i < sizeof(randoms) / sizeof(*randoms); i++)
                for (int byte = 0; byte < 256; byte += 51)
                        for (size_t n = 0; n <= sizeof(text); n++) {
                                struct key_hash hash;

                                memset(text, byte, sizeof(text));
                                for (size_t k = 0; k < n; k += 5)
                                        text[k] = (char)k;
                                key_hash_init(&hash, randoms[i]);
                                test_expect(key_hash(&hash, text, n) == expected(&hash, text, n));
                        }
}

enum { N_TEXTS = 1024, N_BITS = 10, TEXT_ROOM = 64 };

typedef size_t (*write_fn)(char *text, unsigned int i);

static size_t write_number(char *text, unsigned int i) {
        return (size_t)sprintf(text, "k%07u", i);
}

static size_t write_number_first(char *text, unsigned int i) {
        return (size_t)sprintf(text, "%u is what it begins with", i);
}

static size_t write_zeros(char *text, unsigned int i) {
        memset(text, 0, TEXT_ROOM);
        return i % TEXT_ROOM;
}

/* In a hash without the product, the lower bits of these would be the same. */
static size_t write_upper_bits(char *text, unsigned int i) {
        memcpy(text, "\0\0\0\0\0", 5);
        text[5] = (char)(i >> 8);
        text[6] = (char)i;
        return 7;
}

static int compare(const void *a, const void *b) {
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return (x > y) - (x < y);
}

/* As many places as texts: at most a few meet in one, whatever the texts have in common. */
static void few_meet(write_fn write, unsigned int n) {
        uint64_t hashes[N_TEXTS], random[2];
        unsigned int counts[1 << N_BITS] = {0}, n_pairs = 0;
        struct key_hash hash;

        rouse__random(random, 2);
        key_hash_init(&hash, random);
        for (unsigned int i = 0; i < n; i++) {
                char text[TEXT_ROOM];

                hashes[i] = key_hash(&hash, text, write(text, i));
                n_pairs += counts[hashes[i] >> (64 - N_BITS)]++;
        }
        qsort(hashes, n, sizeof(*hashes), compare);
        for (unsigned int i = 1; i < n; i++)
                test_expect(hashes[i - 1] != hashes[i]);
        /* on the average at most n * n / 2^N_BITS; all in one place would be n * n / 2 */
        ck_assert_uint_lt(n_pairs, 40 * n);
}

static void texts_that_are_alike_do_not_meet(void) {
        for (int i = 0; i < 20; i++) {
                few_meet(write_number, N_TEXTS);
                few_meet(write_number_first, N_TEXTS);
                few_meet(write_upper_bits, N_TEXTS);
                few_meet(write_zeros, TEXT_ROOM);
        }
}

static void another_hash_has_other_collisions(void) {
        enum { N_HASHES = 64 };
        unsigned int n_same = 0;

        for (unsigned int i = 0; i < N_HASHES; i++) {
                uint64_t random[2];
                struct key_hash hash;

                rouse__random(random, 2);
                key_hash_init(&hash, random);
                n_same += key_hash(&hash, "one text", 8) >> (64 - N_BITS) ==
                          key_hash(&hash, "another!", 8) >> (64 - N_BITS);
        }
        ck_assert_uint_lt(n_same, N_HASHES / 4);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(it_is_the_polynomial),
                TEST(texts_that_are_alike_do_not_meet),
                TEST(another_hash_has_other_collisions),
                {0},
        };

        return test_main("key-hash", tests, argc, argv);
}
