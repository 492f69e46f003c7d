/*
 * From a poke to a client that waits for it: roused, by both ways to wait, against the least that a
 * libuv loop can do, and against the servers that people use for it. Prints a table in markdown.
 *
 * Sender and waiter are two threads with a connection each. The sender notes the time, publishes,
 * and sleeps until the waiter, who has looked at the clock first, lets it go on.
 */

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bench/measure.h"
#include "bench/side.h"
#include "lib/clock.h"

#define MAX_SAMPLES 4000000
#define N_WARM      100

static struct {
        const struct side *side;
        sem_t armed, woken;
        _Atomic uint64_t sent_ns;
        _Atomic bool is_over;
} turn;

static void *wait_for_pokes(void *arg) {
        const struct side *side = turn.side;
        const struct peer *peer = side->peer;
        struct link *link = side_open(side);
        char name[MAX_NAME];
        uint64_t now_ns;

        (void)arg;
        /* Where there is no server the waiter takes its place. */
        pin_to(side->server.pid ? side->client_cpu : side->server_cpu);
        peer_make_name(name, 0);
        peer->subscribe(link, name);
        for (uint64_t i = 0; !turn.is_over; i++) {
                if (peer->rearm)
                        peer->rearm(link);
                sem_post(&turn.armed);
                peer->receive(link);
                now_ns = clock_now_ns();
                if (i >= N_WARM)
                        samples_add(side->samples, now_ns - turn.sent_ns);
        }
        sem_post(&turn.armed);
        return NULL;
}

/* p50 and p99, in ns. */
static void measure_waits(const void *arg, double *figures) {
        const struct side *side = arg;
        size_t n, first = side->samples->n;
        char name[MAX_NAME], message[MAX_MESSAGE];
        struct link *link = side_open(side);
        pthread_t thread;
        uint64_t end_ns;

        turn.side = side;
        sem_init(&turn.armed, 0, 0);
        peer_make_name(name, 0);
        n = side->peer->marshal(message, name);
        pin_to(side->client_cpu);
        if (side->server.pid)
                server_pin(&side->server, side->server_cpu);
        if (pthread_create(&thread, NULL, wait_for_pokes, NULL) != 0)
                die("cannot start a thread");
        end_ns = clock_now_ns() + options.round_ns;
        for (int i = 0;; i++) {
                sem_wait(&turn.armed);
                if (turn.is_over)
                        break;
                turn.is_over = i > 2 * N_WARM && clock_now_ns() >= end_ns;
                turn.sent_ns = clock_now_ns();
                side->peer->publish(link, message, n, 1);
        }
        pthread_join(thread, NULL);
        figures[0] = samples_quantile(side->samples, first, 0.5);
        figures[1] = samples_quantile(side->samples, first, 0.99);
}

static void show(const struct side *sides, int n, int cpus) {
        double medians[MAX_SIDES][MAX_FIGURES], ratios[MAX_SIDES][MAX_FIGURES];
        const void *args[MAX_SIDES] = {NULL};
        int best = -1, subscribed = n - 3;

        for (int i = 0; i < n; i++)
                args[i] = &sides[i];
        rounds(measure_waits, args, n, 2, medians, ratios);
        for (int i = n - 1; i >= 0; i--)
                printf("| %d | %s | %s | %.1f | %.1f | %.2f |\n", cpus, sides[i].name,
                       sides[i].peer->what, medians[i][0] / 1e3, medians[i][1] / 1e3, ratios[i][0]);
        /* Who has no server between the two has one hop less. */
        for (int i = 0; i < subscribed; i++)
                if (sides[i].server.pid && (best < 0 || medians[i][0] < medians[best][0]))
                        best = i;
        result(cpus == 1 ? "waiter" : "waiter-2", ratios[n - 2][0],
               "%.1f µs; bare libuv forwarder %.1f µs", medians[n - 2][0] / 1e3,
               medians[n - 1][0] / 1e3);
        result(cpus == 1 ? "waiter-subscribed" : "waiter-subscribed-2", ratios[subscribed][0],
               "%.1f µs; bare libuv forwarder %.1f µs", medians[subscribed][0] / 1e3,
               medians[n - 1][0] / 1e3);
        if (best >= 0)
                result(cpus == 1 ? "waiter-first" : "waiter-first-2",
                       medians[subscribed][0] / medians[best][0], "%.1f µs; %s %.1f µs",
                       medians[subscribed][0] / 1e3, sides[best].name, medians[best][0] / 1e3);
}

/* Peers, roused, roused with wait, the forwarder: in this order. */
static void bench_waiter(void) {
        static struct side sides[MAX_SIDES];
        int n = 0;

        printf("## From a poke to a client that waits\n\n");
        n = sides_start_peers(sides);
        n += side_start(&sides[n], &peer_roused_wait);
        n += side_start(&sides[n], &peer_forwarder);
        for (int i = 0; i < n; i++)
                sides[i].samples = samples_new(MAX_SAMPLES);
        printf("| processors | | | p50 µs | p99 µs | p50, × the forwarder |\n"
               "|---|---|---|---|---|---|\n");
        for (int cpus = 1; cpus <= 2 && cpus <= n_cpus(); cpus++) {
                for (int i = 0; i < n; i++)
                        sides[i].samples->n = 0;
                sides_place(sides, n, cpus);
                show(sides, n, cpus);
                if (cpus == 1)
                        for (int i = n - 1; i >= 0; i--)
                                samples_plot(sides[i].samples, "waiter", sides[i].name);
        }
        printf("\n");
        sides_stop(sides, n);
}

static void begin(void) {
        printf("# Waiting clients: medians of %d rounds, %d processors\n\n", options.n_rounds,
               n_cpus());
}

int main(int argc, char **argv) {
        static const struct bench benches[] = {{"waiter", bench_waiter}, {0}};

        return bench_main(argc, argv, begin, benches);
}
