/* Latencies, shared between a program and the children in which it measures. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct samples {
        size_t n, max;
        uint64_t ns[];
};

struct samples *samples_new(size_t max);

static inline void samples_add(struct samples *samples, uint64_t ns) {
        if (samples->n < samples->max)
                samples->ns[samples->n++] = ns;
}

/* The quantile of those from the first-th on, which it sorts. */
double samples_quantile(struct samples *samples, size_t first, double q);

/* Their distribution as a line of a plot: the share of them below, in percent, over µs. */
void samples_plot(struct samples *samples, const char *plot, const char *line);
