/* See the header. A shared mapping: pages that no sample has touched cost nothing. */

#include "bench/samples.h"

#include <sys/mman.h>

#include "bench/measure.h"

struct samples *samples_new(size_t max) {
        size_t n = sizeof(struct samples) + max * sizeof(uint64_t);
        struct samples *samples = mmap(NULL, n, PROT_READ | PROT_WRITE,
                                       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (samples == MAP_FAILED)
                die("out of memory");
        samples->max = max;
        return samples;
}

double samples_quantile(struct samples *samples, size_t first, double q) {
        if (first >= samples->n)
                die("nothing was measured");
        return quantile(samples->ns + first, samples->n - first, q);
}

void samples_plot(struct samples *samples, const char *plot, const char *line) {
        static const double tail[] = {99.5, 99.8, 99.9};

        for (int percent = 0; percent < 100; percent++)
                point(plot, line, samples_quantile(samples, 0, percent / 100.0) / 1e3, percent);
        for (size_t i = 0; i < sizeof(tail) / sizeof(*tail); i++)
                point(plot, line, samples_quantile(samples, 0, tail[i] / 100) / 1e3, tail[i]);
}
