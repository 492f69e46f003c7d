/*
 * A span of time in 16 bits: 10 bits of mantissa and 6 of exponent. Spans below 2048 ns are exact,
 * longer ones are rounded down by less than 1/1024. Greater codes are greater spans.
 */
#pragma once

#include <stdint.h>

#define LATENCY_MANTISSA 10

static inline uint16_t rouse__latency_encode(uint64_t ns) {
        unsigned int exponent = 0;

        if (ns >> (LATENCY_MANTISSA + 1))
                exponent = 63U - (unsigned int)__builtin_clzll(ns) - LATENCY_MANTISSA;
        /* The mantissa's leading bit is not stored: it adds 1 to the exponent's field instead. */
        return (uint16_t)((exponent << LATENCY_MANTISSA) + (ns >> exponent));
}

static inline uint64_t rouse__latency_decode(uint16_t code) {
        unsigned int field = (unsigned int)code >> LATENCY_MANTISSA;
        uint64_t mantissa = code & ((1U << LATENCY_MANTISSA) - 1);

        if (field == 0)
                return mantissa;
        return (mantissa | (UINT64_C(1) << LATENCY_MANTISSA)) << (field - 1);
}
