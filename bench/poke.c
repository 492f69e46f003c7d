/*
 * roused's poke.sock: how many names a second, against the servers that people use for it; how near
 * the bare socket it is, one name a datagram; and what an acknowledged send takes, against the
 * least that a libuv loop can do. Prints tables in markdown.
 *
 * What is counted was taken by the server: at the end of every measurement the sender waits until
 * its last word is answered, or until the kernel holds nothing of it any more.
 */

#include <linux/sockios.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "bench/bare.h"
#include "bench/measure.h"
#include "bench/peer.h"
#include "bench/samples.h"
#include "bench/side.h"
#include "lib/clock.h"

#define N_BATCHES 1024
#define N_WARM    100
#define N_FEW     100 /* names that are not spread over all the memory */

static const char few_names[] = "roused, 100 names";

struct batch {
        char *data;
        size_t n;
};

/* Batches of random names. */
static struct batch *make_batches(const struct peer *peer, uint32_t n_names) {
        struct batch *batches = calloc(N_BATCHES, sizeof(*batches));
        char *messages = malloc((size_t)NAMES_PER_WRITE * MAX_MESSAGE), name[MAX_NAME];
        uint64_t seed = 1;

        if (!batches || !messages)
                die("out of memory");
        for (size_t i = 0; i < N_BATCHES; i++) {
                size_t n = 0;

                for (size_t k = 0; k < NAMES_PER_WRITE; k++) {
                        peer_make_name(name, next_random(&seed) % n_names);
                        n += peer->marshal(messages + n, name);
                }
                batches[i].data = malloc(n);
                if (!batches[i].data)
                        die("out of memory");
                memcpy(batches[i].data, messages, n);
                batches[i].n = n;
        }
        free(messages);
        return batches;
}

/* Names a second; the server's processor time a name in ns, or the sender's, if there is none. */
static void measure_names(const void *arg, double *figures) {
        const struct side *side = arg;
        const struct peer *peer = side->peer;
        struct batch *batches = make_batches(peer, side->n_names);
        struct link *link = side_open(side);
        uint64_t start_ns, cpu_ns, end_ns, n = 0;
        bool has_server = side->server.pid > 0;

        for (size_t i = 0; i < N_BATCHES; i++)
                peer->publish(link, batches[i].data, batches[i].n, NAMES_PER_WRITE);
        peer->settle(link);
        cpu_ns = has_server ? server_cpu_ns(&side->server) : thread_cpu_ns();
        start_ns = clock_now_ns();
        end_ns = start_ns + options.round_ns;
        for (size_t i = 0; clock_now_ns() < end_ns; i = (i + 1) % N_BATCHES) {
                peer->publish(link, batches[i].data, batches[i].n, NAMES_PER_WRITE);
                n += NAMES_PER_WRITE;
        }
        peer->settle(link);
        figures[0] = (double)n * 1e9 / (double)(clock_now_ns() - start_ns);
        cpu_ns = (has_server ? server_cpu_ns(&side->server) : thread_cpu_ns()) - cpu_ns;
        figures[1] = (double)cpu_ns / (double)n;
}

static void bench_names(void) {
        static struct side sides[MAX_SIDES];
        double medians[MAX_SIDES][MAX_FIGURES], ratios[MAX_SIDES][MAX_FIGURES];
        const void *args[MAX_SIDES];
        int n, n_others;

        printf("## Names a second, %d a write, %u names, nobody listens\n\n", NAMES_PER_WRITE,
               N_NAMES);
        n = sides_start_peers(sides);
        n_others = n - 1;
        n += side_start(&sides[n], &peer_bare_names);
        side_share(&sides[n++], &sides[n_others], "roused", N_NAMES);
        sides[n_others].name = few_names;
        sides[n_others].n_names = N_FEW;
        for (int i = 0; i < n; i++)
                args[i] = &sides[i];
        rounds(measure_names, args, n, 2, medians, ratios);
        printf("| | | k names/s | roused is faster by × | its processor time a name, ns |\n"
               "|---|---|---|---|---|\n");
        for (int i = n - 1; i >= 0; i--) {
                char id[64];

                printf("| %s | %s | %.0f | %.1f | %.0f |\n", sides[i].name, sides[i].peer->what,
                       medians[i][0] / 1e3, 1 / ratios[i][0], medians[i][1]);
                snprintf(id, sizeof(id), "poke-names-%s", sides[i].name);
                if (i < n_others)
                        result(id, 1 / ratios[i][0], "%.1f M/s; %s %.2f M/s",
                               medians[n - 1][0] / 1e6, sides[i].name, medians[i][0] / 1e6);
        }
        printf("\nEach name is one of %u at random, or of %d, which coalesce. The bare list looks a "
               "name up and marks it: the least that there is to do. Processor time is the "
               "server's; s6 has none, there it is the sender's.\n\n",
               N_NAMES, N_FEW);
        sides_stop(sides, n);
}

/* One name a datagram. */

static void measure_single(const void *arg, double *figures) {
        const struct side *side = arg;
        int fd = server_connect_path(server_path(&side->server, "poke.sock"), SOCK_DGRAM);
        uint64_t seed = 1, start_ns, end_ns, cpu_ns, n = 0;
        char(*names)[MAX_NAME] = calloc(N_BATCHES, sizeof(*names));
        int n_left;

        if (!names)
                die("out of memory");
        for (size_t i = 0; i < N_BATCHES; i++)
                peer_make_name(names[i], next_random(&seed) % side->n_names);
        pin_to(side->client_cpu);
        server_pin(&side->server, side->server_cpu);
        cpu_ns = server_cpu_ns(&side->server);
        start_ns = clock_now_ns();
        end_ns = start_ns + options.round_ns;
        while (clock_now_ns() < end_ns)
                for (size_t i = 0; i < 64; i++, n++)
                        if (send(fd, names[n % N_BATCHES], sizeof("handle_012345") - 1, 0) < 0)
                                die("cannot send: %m");
        while (ioctl(fd, SIOCOUTQ, &n_left) == 0 && n_left > 0)
                sched_yield();
        figures[0] = (double)n * 1e9 / (double)(clock_now_ns() - start_ns);
        figures[1] = (double)(server_cpu_ns(&side->server) - cpu_ns) / (double)n;
}

static void bench_single(void) {
        static struct side sides[6];
        const void *args[] = {&sides[0], &sides[1], &sides[2], &sides[3], &sides[4], &sides[5]};
        double medians[6][MAX_FIGURES], ratios[6][MAX_FIGURES];

        side_start(&sides[0], &peer_roused);
        side_share(&sides[1], &sides[0], "roused, 100,000 names", N_NAMES);
        sides[0].name = few_names;
        sides[0].n_names = N_FEW;
        side_start(&sides[2], &peer_roused_open);
        sides[2].n_names = N_FEW;
        side_start_bare(&sides[3], BARE_RECVMMSG, "recvmmsg() in a loop");
        side_start_bare(&sides[4], BARE_RECVMSG, "recvmsg() with credentials in a loop");
        side_start_bare(&sides[5], BARE_RECV, "recv() in a loop");
        printf("## One name a datagram, one system call each\n\n"
               "| processors | | k/s | × the bare socket | its processor time, ns |\n"
               "|---|---|---|---|---|\n");
        for (int cpus = 1; cpus <= 2 && cpus <= n_cpus(); cpus++) {
                sides_place(sides, 6, cpus);
                rounds(measure_single, args, 6, 2, medians, ratios);
                for (int i = 0; i < 6; i++)
                        printf("| %d | %s | %.0f | %.2f | %.0f |\n", cpus, sides[i].name,
                               medians[i][0] / 1e3, ratios[i][0], medians[i][1]);
                result(cpus == 1 ? "poke-single" : "poke-single-2", ratios[0][0],
                       "%.0f k/s; recv() in a loop %.0f k/s", medians[0][0] / 1e3,
                       medians[5][0] / 1e3);
                result(cpus == 1 ? "poke-single-open" : "poke-single-open-2", ratios[2][0],
                       "%.0f k/s; recv() in a loop %.0f k/s", medians[2][0] / 1e3,
                       medians[5][0] / 1e3);
        }
        printf("\n");
        sides_stop(sides, 6);
}

/* Acknowledged. */

static void measure_round_trips(const void *arg, double *figures) {
        const struct side *side = arg;
        const struct sockaddr_un no_address = {.sun_family = AF_UNIX};
        int fd = server_connect_path(server_path(&side->server, "poke.sock"), SOCK_DGRAM);
        uint64_t seed = 1, end_ns, before_ns;
        size_t first = side->samples->n;
        char name[MAX_NAME], answer[64];
        ssize_t n;

        if (bind(fd, (const struct sockaddr *)&no_address, sizeof(sa_family_t)) < 0)
                die("cannot bind a socket: %m");
        pin_to(side->client_cpu);
        server_pin(&side->server, side->server_cpu);
        end_ns = clock_now_ns() + options.round_ns;
        for (uint64_t i = 0; i < 2 * N_WARM || clock_now_ns() < end_ns; i++) {
                peer_make_name(name, next_random(&seed) % side->n_names);
                before_ns = clock_now_ns();
                if (send(fd, name, strlen(name), 0) < 0 ||
                    (n = recv(fd, answer, sizeof(answer), 0)) < 4)
                        die("no acknowledgement: %m");
                if (i >= N_WARM)
                        samples_add(side->samples, clock_now_ns() - before_ns);
        }
        figures[0] = samples_quantile(side->samples, first, 0.5);
        figures[1] = samples_quantile(side->samples, first, 0.99);
}

static void bench_acknowledged(void) {
        static struct side sides[3];
        const void *args[] = {&sides[0], &sides[1], &sides[2]};
        double medians[3][MAX_FIGURES], ratios[3][MAX_FIGURES];

        side_start(&sides[0], &peer_roused);
        side_share(&sides[1], &sides[0], "roused, 100,000 names", N_NAMES);
        sides[0].name = few_names;
        sides[0].n_names = N_FEW;
        side_start_bare(&sides[2], BARE_ECHO, "bare libuv echo");
        for (int i = 0; i < 3; i++)
                sides[i].samples = samples_new(4000000);
        printf("## An acknowledged send, one at a time\n\n"
               "| processors | | p50 µs | p99 µs | p50, × the echo |\n|---|---|---|---|---|\n");
        for (int cpus = 1; cpus <= 2 && cpus <= n_cpus(); cpus++) {
                sides_place(sides, 3, cpus);
                rounds(measure_round_trips, args, 3, 2, medians, ratios);
                for (int i = 0; i < 3; i++)
                        printf("| %d | %s | %.2f | %.2f | %.2f |\n", cpus, sides[i].name,
                               medians[i][0] / 1e3, medians[i][1] / 1e3, ratios[i][0]);
                result(cpus == 1 ? "poke-ack" : "poke-ack-2", ratios[0][0],
                       "%.2f µs; bare libuv echo %.2f µs", medians[0][0] / 1e3,
                       medians[2][0] / 1e3);
        }
        printf("\n");
        sides_stop(sides, 3);
}

static void begin(void) {
        printf("# poke.sock: medians of %d rounds, %d processors\n\n", options.n_rounds, n_cpus());
}

int main(int argc, char **argv) {
        static const struct bench benches[] = {
                {"names", bench_names},
                {"single", bench_single},
                {"acknowledged", bench_acknowledged},
                {0},
        };

        return bench_main(argc, argv, begin, benches);
}
