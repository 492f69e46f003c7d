/* Random numbers. Any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Such as nobody can guess, for the keys of hashes. Never waits and never fails. */
void rouse__random(uint64_t *numbers, size_t n);

/* Such as are merely spread: the next number of a row that its state, which may begin with any,
 * determines: splitmix64, as S. Vigna has it. */
static inline uint64_t rouse__random_next(uint64_t *state) {
        uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}
