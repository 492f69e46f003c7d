/*
 * What one acknowledged `rouse send` costs a shell script, against a dynamic /bin/true: both are
 * started with posix_spawn() and waited for. Everything is on one processor, the daemon, too.
 * Prints a table in markdown.
 */

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "bench/measure.h"
#include "bench/side.h"
#include "lib/clock.h"

#define MAX_SPAWNS 1000000

extern char **environ;

struct command {
        const char *text;
        char *argv[6];
};

static struct side side;

static uint64_t spawn_once(char *const argv[], const posix_spawn_file_actions_t *actions) {
        uint64_t before_ns = clock_now_ns();
        int status;
        pid_t pid;

        errno = posix_spawn(&pid, argv[0], actions, NULL, argv, environ);
        if (errno)
                die("cannot start %s: %m", argv[0]);
        if (waitpid(pid, &status, 0) != pid || status != 0)
                die("%s fails", argv[0]);
        return clock_now_ns() - before_ns;
}

/* p50 and p99, in ns. */
static void measure_spawns(const void *arg, double *figures) {
        const struct command *command = arg;
        struct samples *samples = samples_new(MAX_SPAWNS);
        posix_spawn_file_actions_t actions;
        uint64_t end_ns;

        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        pin_to(0);
        server_pin(&side.server, 0);
        (void)spawn_once(command->argv, &actions); /* its file is in memory now */
        end_ns = clock_now_ns() + options.round_ns;
        while (clock_now_ns() < end_ns)
                samples_add(samples, spawn_once(command->argv, &actions));
        figures[0] = samples_quantile(samples, 0, 0.5);
        figures[1] = samples_quantile(samples, 0, 0.99);
}

static void bench_send(void) {
        static char rouse[2 * SERVER_PATH], name[MAX_NAME];
        const struct command commands[] = {
                {"rouse send, acknowledged", {rouse, "--dir", side.server.dir, "send", name, NULL}},
                {"/bin/true", {"/bin/true", NULL}},
        };
        const void *args[] = {&commands[0], &commands[1]};
        double medians[2][MAX_FIGURES], ratios[2][MAX_FIGURES];

        snprintf(rouse, sizeof(rouse), "%s", built_program("cli/rouse"));
        peer_make_name(name, 0);
        side_start(&side, &peer_roused);
        rounds(measure_spawns, args, 2, 2, medians, ratios);
        printf("## One command, from posix_spawn() to its end, on one processor\n\n"
               "| | p50 µs | p99 µs | p50, × /bin/true |\n|---|---|---|---|\n");
        for (int i = 0; i < 2; i++)
                printf("| %s | %.0f | %.0f | %.2f |\n", commands[i].text, medians[i][0] / 1e3,
                       medians[i][1] / 1e3, ratios[i][0]);
        printf("\n");
        result("cli-send", ratios[0][0], "%.0f µs; /bin/true %.0f µs", medians[0][0] / 1e3,
               medians[1][0] / 1e3);
        sides_stop(&side, 1);
}

static void begin(void) {
        printf("# rouse: medians of %d rounds, %d processors\n\n", options.n_rounds, n_cpus());
}

int main(int argc, char **argv) {
        static const struct bench benches[] = {{"send", bench_send}, {0}};

        return bench_main(argc, argv, begin, benches);
}
