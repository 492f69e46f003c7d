/* Spans of time in 16 bits. */

#include "lib/latency.h"

#include "tests/support.h"

static void short_spans_are_exact(void) {
        for (uint64_t ns = 0; ns < 2048; ns++)
                ck_assert_uint_eq(rouse__latency_decode(rouse__latency_encode(ns)), ns);
}

static void long_spans_are_rounded_down_a_little(void) {
        for (unsigned int bit = 0; bit < 64; bit++)
                for (int d = -1; d <= 1; d++) {
                        uint64_t ns = (UINT64_C(1) << bit) * (d == 1 ? 3 : 2) / 2 + (uint64_t)d;
                        uint64_t decoded = rouse__latency_decode(rouse__latency_encode(ns));

                        ck_assert_uint_le(decoded, ns);
                        ck_assert_uint_le(ns - decoded, ns / 1024);
                }
        ck_assert_uint_ge(rouse__latency_decode(rouse__latency_encode(UINT64_MAX)),
                          UINT64_MAX - UINT64_MAX / 1024);
}

static void greater_codes_are_greater_spans(void) {
        uint64_t last = 0;

        for (unsigned int code = 1; code <= rouse__latency_encode(UINT64_MAX); code++) {
                uint64_t ns = rouse__latency_decode((uint16_t)code);

                ck_assert_uint_gt(ns, last);
                ck_assert_uint_eq(rouse__latency_encode(ns), code);
                last = ns;
        }
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(short_spans_are_exact),
                TEST(long_spans_are_rounded_down_a_little),
                TEST(greater_codes_are_greater_spans),
                {0},
        };

        return test_main("latency", tests, argc, argv);
}
