/*
 * See the header. Figures come back from the child by a pipe. The file of results is opened for
 * appending, so that several programs and their children may write to it, a line at a time; its
 * fields are separated by tabs.
 */

#include "bench/measure.h"

#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"

struct bench_options options = {
        .n_rounds = 5,
        .round_ns = 300 * NS_PER_MS,
        .n_max = 1000000,
};

static FILE *results;

void die(const char *format, ...) {
        va_list args;

        va_start(args, format);
        vfprintf(stderr, format, args);
        va_end(args);
        fputc('\n', stderr);
        exit(EXIT_FAILURE);
}

void measure(measure_fn fn, const void *arg, double *figures) {
        double read_figures[MAX_FIGURES] = {0};
        int fds[2], status;
        pid_t pid;

        fflush(stdout);
        if (pipe(fds) < 0)
                die("cannot make a pipe");
        pid = fork();
        if (pid < 0)
                die("cannot fork");
        if (pid == 0) {
                fn(arg, read_figures);
                if (write(fds[1], read_figures, sizeof(read_figures)) !=
                    (ssize_t)sizeof(read_figures))
                        _exit(EXIT_FAILURE);
                _exit(EXIT_SUCCESS);
        }
        close(fds[1]);
        if (read(fds[0], figures, sizeof(read_figures)) != (ssize_t)sizeof(read_figures) ||
            waitpid(pid, &status, 0) < 0 || status != 0)
                die("a measurement failed");
        close(fds[0]);
}

void rounds(measure_fn fn, const void *const *args, int n_args, int n_figures,
            double medians[][MAX_FIGURES], double ratios[][MAX_FIGURES]) {
        double(*all)[MAX_SIDES][MAX_FIGURES] = calloc((size_t)options.n_rounds, sizeof(*all));
        double *values = calloc((size_t)options.n_rounds, sizeof(*values));

        if (!all || !values || n_args > MAX_SIDES)
                die("out of memory");
        for (int round = 0; round < options.n_rounds; round++)
                for (int i = 0; i < n_args; i++)
                        measure(fn, args[i], all[round][i]);
        for (int i = 0; i < n_args; i++)
                for (int k = 0; k < n_figures; k++) {
                        for (int round = 0; round < options.n_rounds; round++)
                                values[round] = all[round][i][k];
                        medians[i][k] = median(values, options.n_rounds);
                        for (int round = 0; round < options.n_rounds; round++)
                                values[round] = all[round][i][k] / all[round][n_args - 1][k];
                        ratios[i][k] = median(values, options.n_rounds);
                }
        free(all);
        free(values);
}

void result(const char *id, double value, const char *format, ...) {
        va_list args;

        if (!results)
                return;
        fprintf(results, "RESULT\t%s\t%.4g\t", id, value);
        va_start(args, format);
        vfprintf(results, format, args);
        va_end(args);
        fputc('\n', results);
        fflush(results);
}

void point(const char *plot, const char *line, double x, double y) {
        if (!results)
                return;
        fprintf(results, "POINT\t%s\t%s\t%.6g\t%.6g\n", plot, line, x, y);
        fflush(results);
}

static void usage(const char *program, const struct bench *benches) {
        fprintf(stderr,
                "usage: %s [--quick] [--rounds N] [--round-ms N] [--results FILE] [PART...]\n"
                "parts:",
                program);
        for (; benches->name; benches++)
                fprintf(stderr, " %s", benches->name);
        fputc('\n', stderr);
        exit(2);
}

static void take_options(int argc, char **argv, const struct bench *benches) {
        static const struct option long_options[] = {
                {"quick", no_argument, NULL, 'q'},
                {"rounds", required_argument, NULL, 'r'},
                {"round-ms", required_argument, NULL, 'm'},
                {"results", required_argument, NULL, 'o'},
                {0},
        };
        int c;

        while ((c = getopt_long(argc, argv, "", long_options, NULL)) >= 0) {
                if (c == 'q')
                        options = (struct bench_options){3, 30 * NS_PER_MS, 100000};
                else if (c == 'r' && atoi(optarg) > 0)
                        options.n_rounds = atoi(optarg);
                else if (c == 'm' && atoi(optarg) > 0)
                        options.round_ns = (uint64_t)atoi(optarg) * NS_PER_MS;
                else if (c != 'o')
                        usage(argv[0], benches);
                else if (!(results = fopen(optarg, "ae")))
                        die("cannot write to %s", optarg);
        }
}

static bool is_wanted(const char *name, char *const *names) {
        bool wanted = !*names;

        for (; *names; names++)
                wanted = wanted || strcmp(*names, name) == 0;
        return wanted;
}

int bench_main(int argc, char **argv, void (*begin)(void), const struct bench *benches) {
        bool any = false;

        take_options(argc, argv, benches);
        for (const struct bench *bench = benches; bench->name; bench++)
                any = any || is_wanted(bench->name, argv + optind);
        if (!any)
                usage(argv[0], benches);
        if (begin)
                begin();
        for (const struct bench *bench = benches; bench->name; bench++)
                if (is_wanted(bench->name, argv + optind))
                        bench->fn();
        return EXIT_SUCCESS;
}

static int compare_doubles(const void *a, const void *b) {
        double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

double median(double *values, int n) {
        qsort(values, (size_t)n, sizeof(*values), compare_doubles);
        return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static int compare_u64(const void *a, const void *b) {
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return (x > y) - (x < y);
}

double quantile(uint64_t *values, size_t n, double q) {
        qsort(values, n, sizeof(*values), compare_u64);
        return (double)values[(size_t)(q * (double)(n - 1))];
}

void pin_to(int cpu) {
        cpu_set_t set;

        if (cpu < 0)
                return;
        CPU_ZERO(&set);
        CPU_SET((size_t)cpu, &set);
        if (sched_setaffinity(0, sizeof(set), &set) < 0)
                die("cannot use processor %d", cpu);
}

int n_cpus(void) {
        return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

uint64_t thread_cpu_ns(void) {
        struct timespec ts;

        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
        return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

size_t resident_bytes(void) {
        FILE *file = fopen("/proc/self/statm", "re");
        size_t pages = 0;

        if (!file || fscanf(file, "%*s %zu", &pages) != 1)
                die("cannot read /proc/self/statm");
        fclose(file);
        return pages * (size_t)sysconf(_SC_PAGESIZE);
}

uint32_t next_random(uint64_t *seed) {
        /* Weyl sequence, multiplied: good enough to choose handles. */
        *seed += UINT64_C(0x9e3779b97f4a7c15);
        return (uint32_t)((*seed * UINT64_C(0xbf58476d1ce4e5b9)) >> 32);
}
