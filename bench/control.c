/*
 * control.sock: `send` requests, written many at once and answered in the same way, against what a
 * JSON library takes for the same texts alone: jansson reads the requests and writes the answers,
 * without any socket or daemon. Prints a table in markdown.
 */

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bench/measure.h"
#include "bench/side.h"
#include "lib/clock.h"

#define N_REQUESTS  4096
#define AT_ONCE     64
#define MAX_WAITING (16U * AT_ONCE)

static struct side side;

static size_t make_request(char text[static MAX_MESSAGE], size_t i, uint64_t *seed) {
        char name[MAX_NAME];

        peer_make_name(name, next_random(seed));
        return (size_t)snprintf(text, MAX_MESSAGE,
                                "{\"jsonrpc\":\"2.0\",\"method\":\"send\",\"params\":{\"name\":"
                                "\"%s\"},\"id\":%zu}\n",
                                name, i);
}

/* Requests a second, and the server's processor time for one, in ns. */
static void measure_requests(const void *arg, double *figures) {
        static char text[N_REQUESTS / AT_ONCE][AT_ONCE * MAX_MESSAGE];
        size_t n_text[N_REQUESTS / AT_ONCE] = {0};
        struct link *link = malloc(sizeof(*link));
        uint64_t seed = 1, start_ns, end_ns, cpu_ns, n = 0;

        (void)arg;
        if (!link)
                die("out of memory");
        link_init(link, &side.server, server_connect(&side.server, SOCK_STREAM));
        for (size_t i = 0; i < N_REQUESTS; i++)
                n_text[i / AT_ONCE] +=
                        make_request(text[i / AT_ONCE] + n_text[i / AT_ONCE], i, &seed);
        cpu_ns = server_cpu_ns(&side.server);
        start_ns = clock_now_ns();
        end_ns = start_ns + options.round_ns;
        for (size_t i = 0; clock_now_ns() < end_ns; i = (i + 1) % (N_REQUESTS / AT_ONCE)) {
                link_write(link, text[i], n_text[i]);
                link->n_owed += AT_ONCE;
                n += AT_ONCE;
                while (link->n_owed > MAX_WAITING && link_read(link, true))
                        link->n_owed -= link_take_lines(link);
        }
        while (link->n_owed > 0 && link_read(link, true))
                link->n_owed -= link_take_lines(link);
        figures[0] = (double)n * 1e9 / (double)(clock_now_ns() - start_ns);
        figures[1] = (double)(server_cpu_ns(&side.server) - cpu_ns) / (double)n;
}

static json_t *make_reply(size_t i) {
        return json_pack("{s:s, s:{s:i, s:s}, s:i}", "jsonrpc", "2.0", "result", "ticket",
                         (int)(i % 1000), "disposition", "scheduled", "id", (int)i);
}

static void measure_jansson(const void *arg, double *figures) {
        static char text[N_REQUESTS][MAX_MESSAGE];
        static size_t n_text[N_REQUESTS];
        json_t *replies[N_REQUESTS];
        uint64_t seed = 1, start_ns, end_ns, n = 0;
        char out[MAX_MESSAGE];

        (void)arg;
        for (size_t i = 0; i < N_REQUESTS; i++) {
                n_text[i] = make_request(text[i], i, &seed);
                replies[i] = make_reply(i);
        }
        start_ns = clock_now_ns();
        end_ns = start_ns + options.round_ns;
        for (size_t i = 0; n % AT_ONCE || clock_now_ns() < end_ns; i = (i + 1) % N_REQUESTS, n++) {
                json_t *request = json_loadb(text[i], n_text[i], 0, NULL);

                if (!request || json_dumpb(replies[i], out, sizeof(out), JSON_COMPACT) == 0)
                        die("jansson refuses");
                json_decref(request);
        }
        figures[0] = (double)n * 1e9 / (double)(clock_now_ns() - start_ns);
        figures[1] = 1e9 / figures[0];
}

static void measure_either(const void *arg, double *figures) {
        (*(const measure_fn *)arg)(NULL, figures);
}

static void bench_send(void) {
        static const measure_fn fns[] = {measure_requests, measure_jansson};
        const void *args[] = {&fns[0], &fns[1]};
        double medians[2][MAX_FIGURES], ratios[2][MAX_FIGURES];

        side_start(&side, &peer_roused);
        printf("## Requests `send` on control.sock, %d a write\n\n"
               "| | k requests/s | × jansson | processor time of one, ns |\n|---|---|---|---|\n",
               AT_ONCE);
        rounds(measure_either, args, 2, 2, medians, ratios);
        for (int i = 0; i < 2; i++)
                printf("| %s | %.0f | %.2f | %.0f |\n",
                       i ? "jansson, parse and dump alone" : "roused, all of it",
                       medians[i][0] / 1e3, ratios[i][0], medians[i][1]);
        printf("\n");
        result("control-send", ratios[0][0], "%.0f k requests/s; jansson alone %.0f k/s",
               medians[0][0] / 1e3, medians[1][0] / 1e3);
        sides_stop(&side, 1);
}

static void begin(void) {
        printf("# control.sock: medians of %d rounds, %d processors\n\n", options.n_rounds,
               n_cpus());
}

int main(int argc, char **argv) {
        static const struct bench benches[] = {{"send", bench_send}, {0}};

        return bench_main(argc, argv, begin, benches);
}
