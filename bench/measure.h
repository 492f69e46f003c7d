/* What benchmarks share: clocks, processors, medians, and measuring in a process of its own. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct bench_options {
        int n_rounds;
        uint64_t round_ns; /* that one measurement of a round may take */
        size_t n_max;      /* most handles */
};

#define MAX_FIGURES 4

/* Fills in figures; runs in a child, so that it finds a fresh heap and may leave what it made. */
typedef void (*measure_fn)(const void *arg, double *figures);

/* Runs it in a child. Exits on failure: a benchmark without its figures is none. */
void measure(measure_fn fn, const void *arg, double *figures);

double median(double *values, int n);                  /* sorts them */
double quantile(uint64_t *values, size_t n, double q); /* sorts them */

void pin_to(int cpu); /* the calling thread; -1: anywhere */
int n_cpus(void);
uint64_t thread_cpu_ns(void);
size_t resident_bytes(void);

/* A small fast generator. */
uint32_t next_random(uint64_t *seed);

/* Ends the program with a message. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
