#include "tests/support.h"

#include "daemon/histogram.h"
#include "daemon/sketch.h"
#include "lib/random.h"

#define MAX_QUANTIZED ((1ULL << 24) - 1) /* above, there is one bucket */

#define N_EXACT 31U /* so many a bucket counts one by one */

/* Numbers that follow each other, times this, are what the daemon gives. */
#define SPREAD UINT64_C(0x9e3779b97f4a7c15)

static uint64_t chance;

static struct histogram *pour(const struct sketch *sketch, uint64_t n, uint64_t max) {
        struct histogram *histogram;

        ck_assert_int_eq(histogram_new(&histogram), 0);
        sketch_pour(sketch, n, max, histogram);
        ck_assert_uint_eq(histogram_count(histogram), n);
        return histogram;
}

static void quantiles_are_at_most_twice_too_high(void) {
        static const uint64_t steps[] = {1, 100, 1024, 3333, MAX_QUANTIZED / N_EXACT};

        for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
                struct sketch sketch = {0};
                struct histogram *histogram;

                for (uint64_t k = 1; k <= N_EXACT; k++)
                        sketch_add(&sketch, steps[i] * k, 0);
                histogram = pour(&sketch, N_EXACT, steps[i] * N_EXACT);
                ck_assert_uint_eq(histogram_max(histogram), steps[i] * N_EXACT);
                for (unsigned int permille = 1; permille <= 1000; permille++) {
                        uint64_t right = steps[i] * ((permille * N_EXACT + 999) / 1000);
                        uint64_t got = histogram_quantile(histogram, permille);

                        ck_assert_uint_ge(got, right);
                        ck_assert_uint_lt(got, (right < 1024 ? 1024 : 2 * right));
                }
                histogram_free(histogram);
        }
}

static void takes_the_extremes(void) {
        struct sketch sketch = {0};
        struct histogram *histogram = pour(&sketch, 0, 0);

        histogram_free(histogram);
        sketch_add(&sketch, UINT64_MAX, 0);
        sketch_add(&sketch, 0, 0);
        sketch_add(&sketch, 0, 0);
        histogram = pour(&sketch, 3, UINT64_MAX);
        ck_assert_uint_eq(histogram_quantile(histogram, 500), 1023);
        ck_assert_uint_eq(histogram_quantile(histogram, 1000), UINT64_MAX);
        histogram_free(histogram);
}

/* One of `odds` is slow. In how many of 100 sketches of n values the quantile shows that. */
static unsigned int count_slow(uint64_t n, uint64_t odds, unsigned int permille) {
        unsigned int n_slow = 0;

        chance = odds;
        for (int k = 0; k < 100; k++) {
                struct sketch sketch = {0};
                struct histogram *histogram;

                for (uint64_t i = 0; i < n; i++)
                        sketch_add(&sketch, rouse__random_next(&chance) % odds == 0 ? 100000 : 5000,
                                   i * SPREAD);
                histogram = pour(&sketch, n, 100000);
                ck_assert_uint_eq(histogram_quantile(histogram, 500), 8191);
                n_slow += histogram_quantile(histogram, permille) == 100000;
                histogram_free(histogram);
        }
        return n_slow;
}

/* A fiftieth is slow: the 99th percentile shows it, and the 96th does not. */
static void keeps_the_share_of_what_is_rare(void) {
        static const uint64_t counts[] = {3000, 30000, 300000};

        for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
                ck_assert_uint_ge(count_slow(counts[i], 50, 990), 99);
                ck_assert_uint_le(count_slow(counts[i], 50, 960), 1);
        }
}

/* Beyond what the greatest count can say. */
static void keeps_proportions_of_more_than_fit(void) {
        const uint64_t n = 3000000;
        struct sketch sketch = {0};
        struct histogram *histogram;

        for (uint64_t i = 0; i < n; i++)
                sketch_add(&sketch, i % 50 == 0 ? 100000 : 5000, i * SPREAD);
        histogram = pour(&sketch, n, 100000);
        ck_assert_uint_eq(histogram_quantile(histogram, 500), 8191);
        ck_assert_uint_eq(histogram_quantile(histogram, 970), 8191);
        ck_assert_uint_eq(histogram_quantile(histogram, 990), 100000);
        histogram_free(histogram);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(quantiles_are_at_most_twice_too_high),
                TEST(takes_the_extremes),
                TEST(keeps_the_share_of_what_is_rare),
                TEST(keeps_proportions_of_more_than_fit),
                {0},
        };

        return test_main("sketch", tests, argc, argv);
}
