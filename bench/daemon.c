/*
 * What roused costs where no message is on its way: memory, the start, doing nothing, and runs.
 * Prints tables in markdown.
 *
 * Every measurement starts a roused of its own. Sides of a row take turns, as in bench/hub.c.
 */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>
#include <yaml.h>

#include "bench/measure.h"
#include "bench/own-roused.h"
#include "lib/clock.h"

/* A configuration of n handles of four lines each, of which three are nobody else's. */
static void write_handles(const struct server *roused, size_t n) {
        FILE *file = fopen(server_path(roused, OWN_ROUSED_CONFIG), "we");

        if (!file)
                die("cannot write a configuration: %m");
        fputs("handles:\n", file);
        for (size_t i = 0; i < n; i++)
                fprintf(file,
                        "  handle-%07zu:\n"
                        "    description: the handle with number %zu\n"
                        "    run: [/bin/true, \"%zu\"]\n"
                        "    quiet: 50ms\n",
                        i, i, i);
        if (fclose(file) != 0)
                die("cannot write a configuration: %m");
}

/* Memory. */

static void measure_memory(const void *arg, double *figures) {
        struct server roused;

        own_roused_init(&roused);
        write_handles(&roused, *(const size_t *)arg);
        own_roused_start(&roused);
        figures[0] = (double)server_resident_bytes(&roused);
        own_roused_reload(&roused);
        figures[1] = (double)server_resident_bytes(&roused);
        own_roused_stop(&roused);
}

static void bench_memory(void) {
        const size_t few = 10, many = options.n_max;
        const void *args[] = {&many, &few};
        double medians[2][MAX_FIGURES], ratios[2][MAX_FIGURES];
        double each, reloaded;

        rounds(measure_memory, args, 2, 2, medians, ratios);
        each = (medians[0][0] - medians[1][0]) / (double)(many - few);
        reloaded = (medians[0][1] - medians[1][1]) / (double)(many - few);
        printf("## Memory\n\n| | resident | at most |\n|---|---|---|\n"
               "| at %zu handles | %.2f MiB | 3 MiB |\n"
               "| a handle, at %zu | %.0f B | 400 B |\n"
               "| the same after a reload | %.0f B | |\n\n",
               few, medians[1][0] / (1 << 20), many, each, reloaded);
        result("memory-rss", medians[1][0] / (1 << 20), "MiB at %zu handles", few);
        result("memory-handle", each, "bytes a handle at %zu from YAML", many);
}

/* The start. */

enum start_side { START_ROUSED, START_LIBYAML };

/* Reads all events of a file, and does nothing with them. */
static void parse_events(const char *path) {
        FILE *file = fopen(path, "re");
        yaml_parser_t parser;
        yaml_event_t event;
        bool at_end = false;

        if (!file || !yaml_parser_initialize(&parser))
                die("cannot read %s", path);
        yaml_parser_set_input_file(&parser, file);
        while (!at_end) {
                if (!yaml_parser_parse(&parser, &event))
                        die("cannot parse %s", path);
                at_end = event.type == YAML_STREAM_END_EVENT;
                yaml_event_delete(&event);
        }
        yaml_parser_delete(&parser);
        fclose(file);
}

#define N_START 100000

/* Processor and wall clock time of roused from exec to READY=1; or of libyaml for its file. */
static void measure_start(const void *arg, double *figures) {
        struct server roused;
        uint64_t start_ns;

        own_roused_init(&roused);
        write_handles(&roused, N_START);
        start_ns = clock_now_ns();
        if (*(const enum start_side *)arg == START_ROUSED) {
                own_roused_start(&roused);
                figures[1] = (double)(clock_now_ns() - start_ns);
                figures[0] = (double)server_cpu_ns(&roused);
        } else {
                uint64_t start_cpu_ns = thread_cpu_ns();

                parse_events(server_path(&roused, OWN_ROUSED_CONFIG));
                figures[1] = (double)(clock_now_ns() - start_ns);
                figures[0] = (double)(thread_cpu_ns() - start_cpu_ns);
        }
        own_roused_stop(&roused);
}

static void bench_start(void) {
        static const enum start_side sides[] = {START_ROUSED, START_LIBYAML};
        const void *args[] = {&sides[0], &sides[1]};
        double medians[2][MAX_FIGURES], ratios[2][MAX_FIGURES];

        rounds(measure_start, args, 2, 2, medians, ratios);
        printf("## From exec to READY=1, %d handles of four lines\n\n"
               "| | processor, ms | wall clock, ms |\n|---|---|---|\n"
               "| roused | %.0f | %.0f |\n"
               "| libyaml's events of the file | %.0f | %.0f |\n"
               "| times as long (at most 2) | %.2f | %.2f |\n\n",
               N_START, medians[0][0] / NS_PER_MS, medians[0][1] / NS_PER_MS,
               medians[1][0] / NS_PER_MS, medians[1][1] / NS_PER_MS, ratios[0][0], ratios[0][1]);
        result("start", ratios[0][0], "%.0f ms, libyaml %.0f ms, for %d handles",
               medians[0][0] / NS_PER_MS, medians[1][0] / NS_PER_MS, N_START);
}

/* Idle. */

static void measure_idle(const void *arg, double *figures) {
        const uint64_t time_ns = options.round_ns * 10;
        struct server roused;
        uint64_t before;
        FILE *events;

        (void)arg;
        own_roused_init(&roused);
        server_write_file(&roused, OWN_ROUSED_CONFIG,
                          "handles:\n"
                          "  h: {run: [/bin/true]}\n"
                          "workers:\n"
                          "  w:\n"
                          "    - {watch: /usr, send: h}\n"
                          "    - {signal: USR1, send: h}\n"
                          "    - {fifo: %s/fifo}\n",
                          roused.dir);
        own_roused_start(&roused);
        events = own_roused_subscribe_runs(&roused, "h");
        own_roused_poke(&roused, "h");
        own_roused_await(events, "run_ended");
        usleep(200000);
        before = own_roused_switches(&roused);
        usleep((useconds_t)(time_ns / 1000));
        figures[0] = (double)(own_roused_switches(&roused) - before) * NS_PER_S / (double)time_ns;
        fclose(events);
        own_roused_stop(&roused);
}

static void bench_idle(void) {
        double medians[1][MAX_FIGURES], ratios[1][MAX_FIGURES];
        const void *args[] = {NULL};

        rounds(measure_idle, args, 1, 1, medians, ratios);
        printf("## Idle, with a subscriber and a worker that watches, takes signals and reads a fifo\n\n"
               "| | a second | at most |\n|---|---|---|\n| wakeups | %.1f | 0 |\n\n",
               medians[0][0]);
        result("idle", medians[0][0], "wakeups a second of all threads");
}

/* Runs. */

enum run_side { RUN_ROUSED, RUN_UV_PIPES, RUN_UV };

static uv_loop_t loop;
static uv_process_t process;
static uv_pipe_t outputs[2];
static uint64_t end_ns, n_runs;
static bool has_pipes;

static void spawn_next(void);

static void on_alloc(uv_handle_t *handle, size_t n, uv_buf_t *buf) {
        static char text[4096];

        (void)handle;
        (void)n;
        *buf = uv_buf_init(text, sizeof(text));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
        (void)buf;
        if (n < 0)
                uv_read_stop(stream);
}

static unsigned int n_open;

static void on_closed(uv_handle_t *handle) {
        (void)handle;
        if (--n_open == 0 && clock_now_ns() < end_ns)
                spawn_next();
}

static void on_exit_of_run(uv_process_t *exited, int64_t status, int signal) {
        if (status != 0 || signal != 0)
                die("/bin/true failed");
        n_runs++;
        n_open = 1;
        for (int i = 0; has_pipes && i < 2; i++, n_open++)
                uv_close((uv_handle_t *)&outputs[i], on_closed);
        uv_close((uv_handle_t *)exited, on_closed);
}

static void spawn_next(void) {
        char *argv[] = {(char *)"/bin/true", NULL};
        uv_stdio_container_t stdio[3] = {{.flags = UV_IGNORE}};
        uv_process_options_t spawn = {
                .exit_cb = on_exit_of_run,
                .file = argv[0],
                .args = argv,
                .stdio = stdio,
                .stdio_count = 3,
        };

        for (int i = 0; i < 2; i++) {
                stdio[i + 1].flags = UV_IGNORE;
                if (!has_pipes)
                        continue;
                uv_pipe_init(&loop, &outputs[i], 0);
                stdio[i + 1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
                stdio[i + 1].data.stream = (uv_stream_t *)&outputs[i];
        }
        if (uv_spawn(&loop, &process, &spawn) < 0)
                die("cannot run /bin/true");
        for (int i = 0; has_pipes && i < 2; i++)
                uv_read_start((uv_stream_t *)&outputs[i], on_alloc, on_read);
}

/* uv_spawn(), exit callback, close, again: with nowhere to write to, or with two pipes. */
static double uv_runs(bool pipes) {
        uint64_t start_ns;

        has_pipes = pipes;
        if (uv_loop_init(&loop) < 0)
                die("cannot make a loop");
        start_ns = clock_now_ns();
        end_ns = start_ns + options.round_ns;
        spawn_next();
        uv_run(&loop, UV_RUN_DEFAULT);
        return (double)n_runs * NS_PER_S / (double)(clock_now_ns() - start_ns);
}

/* One poke for each run that begins, so that another is always to come. */
static double roused_runs(void) {
        struct server roused;
        uint64_t start_ns, n = 0;
        double a_second;
        FILE *events;

        own_roused_init(&roused);
        server_write_file(&roused, OWN_ROUSED_CONFIG,
                          "handles:\n"
                          "  h: {run: [/bin/true]}\n");
        own_roused_start(&roused);
        events = own_roused_subscribe_runs(&roused, "h");
        own_roused_poke(&roused, "h");
        start_ns = clock_now_ns();
        while (clock_now_ns() - start_ns < options.round_ns) {
                own_roused_await(events, "run_started");
                own_roused_poke(&roused, "h");
                n++;
        }
        a_second = (double)n * NS_PER_S / (double)(clock_now_ns() - start_ns);
        fclose(events);
        own_roused_stop(&roused);
        return a_second;
}

struct runs {
        enum run_side side;
        int cpu;
};

static void measure_runs(const void *arg, double *figures) {
        const struct runs *runs = arg;

        pin_to(runs->cpu); /* and all that is started */
        figures[0] = runs->side == RUN_ROUSED ? roused_runs() : uv_runs(runs->side == RUN_UV_PIPES);
}

/* The ratio to the bare loop. */
static double bench_runs_on(int cpu, const char *where, double *ret_a_second) {
        const struct runs sides[] = {{RUN_ROUSED, cpu}, {RUN_UV_PIPES, cpu}, {RUN_UV, cpu}};
        static const char *const names[] = {
                "roused, poked continuously",
                "uv_spawn, output to two pipes",
                "uv_spawn, output to nowhere",
        };
        const void *args[] = {&sides[0], &sides[1], &sides[2]};
        double medians[3][MAX_FIGURES], ratios[3][MAX_FIGURES];

        rounds(measure_runs, args, 3, 1, medians, ratios);
        for (int i = 0; i < 3; i++)
                printf("| %s | %s | %.0f | %.2f |\n", where, names[i], medians[i][0], ratios[i][0]);
        *ret_a_second = medians[0][0];
        return ratios[0][0];
}

/* Where the child runs decides more than who starts it, so one processor gives the steady figure.
 */
static void bench_runs(void) {
        double ratio, a_second, ignored;

        printf("## Runs of /bin/true, one after the other\n\n"
               "| processors | | runs a second | × the last (at least 0.9) |\n"
               "|---|---|---|---|\n");
        ratio = bench_runs_on(0, "one", &a_second);
        if (n_cpus() > 1)
                (void)bench_runs_on(-1, "all", &ignored);
        printf("\n");
        result("runs", ratio, "%.0f runs/s", a_second);
}

static void begin(void) {
        printf("# roused: medians of %d rounds, %d processors\n\n", options.n_rounds, n_cpus());
}

static const struct bench benches[] = {
        {"memory", bench_memory}, {"start", bench_start}, {"idle", bench_idle},
        {"runs", bench_runs},     {NULL, NULL},
};

int main(int argc, char **argv) {
        return bench_main(argc, argv, begin, benches);
}
