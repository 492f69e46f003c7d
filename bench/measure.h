/* What benchmarks share: options, clocks, processors, rounds of measurements, and results. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct bench_options {
        int n_rounds;
        uint64_t round_ns; /* that one measurement of a round may take */
        size_t n_max;      /* most handles */
};

extern struct bench_options options;

#define MAX_FIGURES 4
#define MAX_SIDES   16

/* A part of a program, run if it is named on the command line, or nothing is. */
struct bench {
        const char *name;
        void (*fn)(void);
};

/*
 * Everything that main() has to do: takes --quick, --rounds N, --round-ms N, --results FILE and
 * names of parts, and runs those. The list of parts ends with a name of NULL. `begin` prints what
 * stands above them; it may be NULL. Returns the exit status.
 */
int bench_main(int argc, char **argv, void (*begin)(void), const struct bench *benches);

/*
 * A row of the table that `./dev bench` begins with: bench/rows has the id, what it is and the
 * bound that `value` is held against. The rest says in a few words what stands behind the value,
 * such as both sides of a ratio. Written to --results FILE, a line each; without it nothing is.
 */
void result(const char *id, double value, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* A point of a line in the plot that bench/plot.c makes, written to the same file. */
void point(const char *plot, const char *line, double x, double y);

/* Fills in figures; runs in a child, so that it finds a fresh heap and may leave what it made. */
typedef void (*measure_fn)(const void *arg, double *figures);

/* Runs it in a child. Exits on failure: a benchmark without its figures is none. */
void measure(measure_fn fn, const void *arg, double *figures);

/*
 * Rounds, in each of which all sides are measured one after the other. Gives the medians of the
 * first n_figures figures of each, and the medians of their ratios, taken within a round, to those
 * of the last side.
 */
void rounds(measure_fn fn, const void *const *args, int n_args, int n_figures,
            double medians[][MAX_FIGURES], double ratios[][MAX_FIGURES]);

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
