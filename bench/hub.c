/*
 * librouse against plain libuv, in one run: prints tables in markdown.
 *
 * Every figure is the median of several rounds. In a round all sides of a row are measured one
 * after the other, each in a process of its own, and ratios are medians of the rounds' ratios:
 * they are steady where the machine is not.
 */

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/engine.h"
#include "bench/hub-turns.h"
#include "bench/measure.h"
#include "bench/samples.h"
#include "lib/clock.h"

/* Ping-pong: another thread sends to one random handle, and waits for its callback. */

struct ping_pong {
        enum engine_kind kind;
        size_t n_handles;
        enum engine_layout layout;
        int sender_cpu, loop_cpu;
        struct samples *samples; /* where latencies are kept over the rounds; NULL: nowhere */
};

#define MAX_SAMPLES 1000000
#define MILLION     1000000U

static struct engine engine;
static struct samples *samples;
static size_t first_sample; /* of this round */
static _Atomic uint64_t sent_ns;
static uv_sem_t woken;
static uint64_t loop_ns;

static void on_pong(struct engine *e) {
        uint64_t now_ns = clock_now_ns();

        (void)e;
        samples_add(samples, now_ns - atomic_load_explicit(&sent_ns, memory_order_relaxed));
        uv_sem_post(&woken);
}

static void on_pong_end(struct engine *e) {
        loop_ns = thread_cpu_ns() - loop_ns;
        e->is_over = true;
        uv_sem_post(&woken);
}

static void *send_pings(void *arg) {
        const struct ping_pong *game = arg;
        uint64_t seed = 42, end_ns;
        size_t n_warm = 20;

        pin_to(game->sender_cpu);
        end_ns = clock_now_ns() + options.round_ns;
        for (size_t i = 0; i < n_warm + 20 || clock_now_ns() < end_ns; i++) {
                size_t handle = next_random(&seed) % game->n_handles;

                if (i == n_warm)
                        samples->n =
                                first_sample; /* the loop sleeps, and the semaphore orders it */
                atomic_store_explicit(&sent_ns, clock_now_ns(), memory_order_relaxed);
                engine_send(&engine, handle);
                uv_sem_wait(&woken);
        }
        engine.on_wake = on_pong_end;
        engine_send(&engine, 0);
        uv_sem_wait(&woken);
        return NULL;
}

/* p50 and p99 of the latency, and the loop's processor time a wake, all in ns. */
static void measure_ping_pong(const void *arg, double *figures) {
        const struct ping_pong *game = arg;
        pthread_t thread;

        samples = game->samples ?: samples_new(MAX_SAMPLES);
        first_sample = samples->n;
        uv_sem_init(&woken, 0);
        pin_to(game->loop_cpu);
        engine_open(&engine, game->kind, game->n_handles, game->layout, on_pong);
        loop_ns = thread_cpu_ns();
        if (pthread_create(&thread, NULL, send_pings, (void *)game) != 0)
                die("cannot start a thread");
        engine_run(&engine);
        pthread_join(thread, NULL);
        figures[2] = (double)loop_ns / (double)(samples->n - first_sample + 20);
        figures[0] = samples_quantile(samples, first_sample, 0.5);
        figures[1] = samples_quantile(samples, first_sample, 0.99);
}

static void bench_latency(void) {
        printf("## Wake by another thread, send to callback\n\n"
               "| processors | | p50 µs | p99 µs | p50, × eventfd + epoll |\n|---|---|---|---|---|\n");
        for (int cpus = 1; cpus <= 2 && cpus <= n_cpus(); cpus++) {
                double medians[N_ENGINES][MAX_FIGURES], ratios[N_ENGINES][MAX_FIGURES];
                struct ping_pong games[N_ENGINES];
                const void *args[N_ENGINES];

                for (int i = 0; i < N_ENGINES; i++) {
                        games[i] = (struct ping_pong){
                                .kind = (enum engine_kind)i,
                                .n_handles = 1,
                                .loop_cpu = cpus - 1,
                                .samples = cpus == 1 ? samples_new(MAX_SAMPLES) : NULL};
                        args[i] = &games[i];
                }
                rounds(measure_ping_pong, args, N_ENGINES, 2, medians, ratios);
                for (int i = 0; cpus == 1 && i < N_ENGINES; i++)
                        samples_plot(games[i].samples, "wake", engine_names[i]);
                if (cpus == 1)
                        result("library-wake", ratios[0][0], "%.2f µs; eventfd + epoll %.2f µs",
                               medians[0][0] / 1e3, medians[N_ENGINES - 1][0] / 1e3);
                for (int i = 0; i < N_ENGINES; i++)
                        printf("| %d | %s | %.2f | %.2f | %.2f |\n", cpus, engine_names[i],
                               medians[i][0] / 1e3, medians[i][1] / 1e3, ratios[i][0]);
        }
        printf("\n");
}

static void bench_cost(void) {
        static const size_t counts[] = {1000000, 100000, 10000, 100, 1};
        static const struct {
                enum engine_kind kind;
                enum engine_layout layout;
                const char *text, *id;
        } sides[] = {
                {ENGINE_ROUSE, LAYOUT_IN_ORDER, "rouse", "library-flat"},
                {ENGINE_ROUSE, LAYOUT_SHUFFLED, "rouse, shuffled", "library-flat-shuffled"},
                {ENGINE_UV, LAYOUT_IN_ORDER, "uv_async", NULL},
                {ENGINE_UV, LAYOUT_SHUFFLED, "uv_async, shuffled", NULL},
        };

        printf("## One wake of one random handle: the loop's processor time\n\n"
               "| handles | | µs a wake | × one handle |\n|---|---|---|---|\n");
        for (size_t s = 0; s < sizeof(sides) / sizeof(*sides); s++) {
                double medians[MAX_SIDES][MAX_FIGURES], ratios[MAX_SIDES][MAX_FIGURES];
                struct ping_pong games[MAX_SIDES];
                const void *args[MAX_SIDES];
                int n = 0;

                for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
                        if (counts[i] > options.n_max)
                                continue;
                        games[n] = (struct ping_pong){
                                .kind = sides[s].kind,
                                .layout = sides[s].layout,
                                .n_handles = counts[i],
                        };
                        args[n] = &games[n];
                        n++;
                }
                rounds(measure_ping_pong, args, n, 3, medians, ratios);
                for (int i = n - 1; i >= 0; i--) {
                        printf("| %zu | %s | %.2f | %.2f |\n", games[i].n_handles, sides[s].text,
                               medians[i][2] / 1e3, ratios[i][2]);
                        point("cost", sides[s].text, (double)games[i].n_handles,
                              medians[i][2] / 1e3);
                }
                if (sides[s].id && games[0].n_handles == MILLION)
                        result(sides[s].id, ratios[0][2], "%.2f µs; with one handle %.2f µs",
                               medians[0][2] / 1e3, medians[n - 1][2] / 1e3);
        }
        printf("\n");
}

/* Memory */

static void on_nothing(struct engine *e) {
        (void)e;
}

static void measure_memory(const void *arg, double *figures) {
        const struct ping_pong *game = arg;
        size_t before = resident_bytes();
        size_t n_pointers = sizeof(uint32_t) + (game->kind == ENGINE_ROUSE ? sizeof(void *) : 0);

        engine_open(&engine, game->kind, game->n_handles, game->layout, on_nothing);
        /* Less what the benchmark itself keeps for each. */
        figures[0] =
                (double)(resident_bytes() - before) / (double)game->n_handles - (double)n_pointers;
}

static void bench_memory(void) {
        static const struct {
                enum engine_kind kind;
                enum engine_layout layout;
                const char *text, *id;
                double n_name;
        } sides[] = {
                {ENGINE_ROUSE, LAYOUT_IN_ORDER, "rouse, anonymous", "library-memory", 0},
                {ENGINE_ROUSE, LAYOUT_NAMED, "rouse, with a name of 14 bytes",
                 "library-memory-named", 14},
                {ENGINE_UV, LAYOUT_IN_ORDER, "uv_async", NULL, 0},
        };

        printf("## Resident memory, %zu handles\n\n| | bytes a handle |\n|---|---|\n",
               options.n_max);
        for (size_t s = 0; s < sizeof(sides) / sizeof(*sides); s++) {
                struct ping_pong game = {.kind = sides[s].kind,
                                         .layout = sides[s].layout,
                                         .n_handles = options.n_max};
                double figures[MAX_FIGURES];

                measure(measure_memory, &game, figures);
                printf("| %s | %.1f |\n", sides[s].text, figures[0]);
                if (sides[s].id && options.n_max == MILLION)
                        result(sides[s].id, figures[0] - sides[s].n_name, "%.1f bytes", figures[0]);
        }
        printf("\n");
}

/* Several threads hammer one handle. */

struct hammering {
        enum engine_kind kind;
        int n_senders;
};

static atomic_bool is_over;
static uint64_t n_wakes;

static void on_hammered(struct engine *e) {
        n_wakes++;
        e->is_over = atomic_load_explicit(&is_over, memory_order_relaxed);
}

static void *hammer(void *arg) {
        uint64_t *n_sends = arg;

        while (!atomic_load_explicit(&is_over, memory_order_relaxed))
                for (int i = 0; i < 64; i++, ++*n_sends)
                        engine_send(&engine, 0);
        return NULL;
}

static void *time_hammering(void *arg) {
        struct timespec span = {.tv_sec = (time_t)(options.round_ns / NS_PER_S),
                                .tv_nsec = (long)(options.round_ns % NS_PER_S)};

        (void)arg;
        nanosleep(&span, NULL);
        atomic_store_explicit(&is_over, true, memory_order_relaxed);
        engine_send(&engine, 0);
        return NULL;
}

/* Sends and wakes a second. */
static void measure_hammering(const void *arg, double *figures) {
        const struct hammering *hammering = arg;
        pthread_t threads[9];
        uint64_t n_sends[9 * 8] = {0}; /* a cache line each */
        uint64_t start_ns, sum = 0;

        engine_open(&engine, hammering->kind, 1, LAYOUT_IN_ORDER, on_hammered);
        start_ns = clock_now_ns();
        for (int i = 0; i < hammering->n_senders; i++)
                pthread_create(&threads[i], NULL, hammer, &n_sends[i * 8]);
        pthread_create(&threads[hammering->n_senders], NULL, time_hammering, NULL);
        engine_run(&engine);
        for (int i = 0; i <= hammering->n_senders; i++)
                pthread_join(threads[i], NULL);
        for (int i = 0; i < hammering->n_senders; i++)
                sum += n_sends[i * 8];
        figures[0] = (double)sum * 1e9 / (double)(clock_now_ns() - start_ns);
        figures[1] = (double)n_wakes * 1e9 / (double)(clock_now_ns() - start_ns);
}

static void bench_senders(void) {
        printf("## Threads that send to one handle without a pause\n\n"
               "| threads | | M sends/s | k wakes/s | sends, × uv_async | wakes, × |\n"
               "|---|---|---|---|---|---|\n");
        double sends_ratio = 0, wakes_ratio = INFINITY;

        for (int n = 1; n <= 8; n *= 2) {
                const struct hammering sides[] = {{ENGINE_ROUSE, n}, {ENGINE_UV, n}};
                const void *args[] = {&sides[0], &sides[1]};
                double medians[2][MAX_FIGURES], ratios[2][MAX_FIGURES];

                rounds(measure_hammering, args, 2, 2, medians, ratios);
                for (int i = 0; i < 2; i++)
                        printf("| %d | %s | %.1f | %.1f | %.2f | %.2f |\n", n, engine_names[i],
                               medians[i][0] / 1e6, medians[i][1] / 1e3, ratios[i][0],
                               ratios[i][1]);
                if (n > 1)
                        sends_ratio = fmax(sends_ratio, 1 / ratios[0][0]);
                wakes_ratio = fmin(wakes_ratio, ratios[0][1]);
        }
        result("library-senders-wakes", wakes_ratio, "%s", "");
        result("library-senders-sends", sends_ratio, "%s", "");
        printf("\n");
}

static void begin(void) {
        printf("# librouse and libuv %s: medians of %d rounds, %d processors\n\n",
               uv_version_string(), options.n_rounds, n_cpus());
}

int main(int argc, char **argv) {
        static const struct bench benches[] = {
                {"latency", bench_latency}, {"cost", bench_cost},   {"memory", bench_memory},
                {"senders", bench_senders}, {"turns", bench_turns}, {0},
        };

        return bench_main(argc, argv, begin, benches);
}
