/* See the header. Figures come back from the child by a pipe. */

#include "bench/measure.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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
