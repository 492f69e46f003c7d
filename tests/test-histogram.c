#include "tests/support.h"

#include "daemon/histogram.h"

static void quantiles_are_at_most_an_eighth_too_high(void) {
        static const uint64_t tops[] = {1, 7, 8, 100, 12345, 1ULL << 40, UINT64_MAX / 1000};

        for (size_t i = 0; i < sizeof(tops) / sizeof(*tops); i++) {
                struct histogram *histogram;

                ck_assert_int_eq(histogram_new(&histogram), 0);
                ck_assert_uint_eq(histogram_quantile(histogram, 500), 0);
                for (uint64_t k = 1; k <= 1000; k++)
                        histogram_add(histogram, tops[i] * k);
                ck_assert_uint_eq(histogram_count(histogram), 1000);
                ck_assert_uint_eq(histogram_max(histogram), tops[i] * 1000);
                for (unsigned int permille = 1; permille <= 1000; permille++) {
                        uint64_t right = tops[i] * permille;
                        uint64_t got = histogram_quantile(histogram, permille);

                        ck_assert_uint_ge(got, right);
                        ck_assert_uint_le(got - right, right / 8 + 1);
                }
                histogram_free(histogram);
        }
}

static void takes_the_extremes(void) {
        struct histogram *histogram;

        ck_assert_int_eq(histogram_new(&histogram), 0);
        histogram_add(histogram, 0);
        histogram_add(histogram, UINT64_MAX);
        ck_assert_uint_eq(histogram_quantile(histogram, 500), 0);
        ck_assert_uint_eq(histogram_quantile(histogram, 1000), UINT64_MAX);
        histogram_free(histogram);
        ck_assert_ptr_null(histogram_free(NULL));
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(quantiles_are_at_most_an_eighth_too_high),
                TEST(takes_the_extremes),
                {0},
        };

        return test_main("histogram", tests, argc, argv);
}
