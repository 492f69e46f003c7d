/*
 * Sends through shared memory, from another process: what one costs, and how long the first takes
 * until its handle wakes. Prints tables in markdown.
 *
 * The daemon is a child made of roused's own modules: hub, registry, control socket. A watch on its
 * one handle writes to an eventfd, so that the parent sees when it wakes. The client is
 * librouse-client. What it is held against is a child that sleeps in epoll_wait() on an eventfd,
 * and answers on another.
 *
 * Every figure is the median of several rounds, in each of which the sides take turns; ratios are
 * medians of the rounds' ratios.
 */

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/measure.h"
#include "daemon/handle.h"
#include "daemon/registry.h"
#include "lib/clock.h"
#include "lib/rouse-client.h"
#include "tests/stand-in.h"

static char dir[] = "/tmp/rouse-bench-XXXXXX";

/* The daemon. */

struct player {
        struct daemon daemon;
        struct handle_watch watch;
        int pong_fd;
};

static const char *path(const char *name) {
        static char text[100];

        snprintf(text, sizeof(text), "%s/%s", dir, name);
        return text;
}

static void pong(struct handle_watch *watch, uint64_t seq, uint64_t n_sends) {
        struct player *player = container_of(watch, struct player, watch);

        (void)seq;
        (void)n_sends;
        if (write(player->pong_fd, &(uint64_t){1}, 8) != 8)
                _exit(EXIT_FAILURE);
}

static const struct handle_watch_ops pong_ops = {.wake = pong};

/* A child that has done what comes before it listens tells so with its first pong. */
static void ready(int pong_fd) {
        if (write(pong_fd, &(uint64_t){1}, 8) != 8)
                die("cannot write");
}

static void be_daemon(int pong_fd, bool with_pong) {
        struct player player = {.pong_fd = pong_fd};

        if (stand_in_init(&player.daemon, dir, "handles: {bench: {}}\n") < 0)
                die("cannot make a daemon");
        if (with_pong)
                handle_watch_add(registry_find(player.daemon.core.registry, "bench"), &player.watch,
                                 &pong_ops);
        ready(pong_fd);
        uv_run(&player.daemon.core.loop, UV_RUN_DEFAULT);
}

static void be_bare(int ping_fd, int pong_fd) {
        int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        struct epoll_event event = {.events = EPOLLIN};
        uint64_t n;

        if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, ping_fd, &event) < 0)
                die("cannot poll");
        ready(pong_fd);
        while (epoll_wait(epoll_fd, &event, 1, -1) == 1 && read(ping_fd, &n, 8) == 8 &&
               write(pong_fd, &n, 8) == 8)
                ;
}

struct answer {
        uv_poll_t poll;
        int ping_fd, pong_fd;
};

static void on_ping(uv_poll_t *poll, int status, int events) {
        struct answer *answer = poll->data;
        uint64_t n;

        (void)events;
        if (status < 0 || read(answer->ping_fd, &n, 8) != 8 || write(answer->pong_fd, &n, 8) != 8)
                _exit(EXIT_FAILURE);
}

static void be_bare_libuv(int ping_fd, int pong_fd) {
        struct answer answer = {.ping_fd = ping_fd, .pong_fd = pong_fd};
        uv_loop_t loop;

        if (uv_loop_init(&loop) < 0 || uv_poll_init(&loop, &answer.poll, ping_fd) < 0)
                die("cannot poll");
        answer.poll.data = &answer;
        uv_poll_start(&answer.poll, UV_READABLE, on_ping);
        ready(pong_fd);
        uv_run(&loop, UV_RUN_DEFAULT);
}

/* The parent's side. */

enum side { BARE, BARE_LIBUV, ATTACHED };

struct game {
        enum side side;
        int client_cpu, daemon_cpu;
        bool is_stopped; /* the daemon, by a signal */
        bool with_pong;
};

struct players {
        pid_t pid;
        int ping_fd, pong_fd;
        rouse_client_t *client;
        rouse_attachment_t *attachment;
};

static void wait_for_pong(const struct players *players) {
        uint64_t n;

        if (read(players->pong_fd, &n, sizeof(n)) != sizeof(n))
                die("the other side is gone");
}

static void start(struct players *players, const struct game *game) {
        static const char *const names[] = {"bench"};

        players->ping_fd = eventfd(0, EFD_CLOEXEC);
        players->pong_fd = eventfd(0, EFD_CLOEXEC);
        players->pid = fork();
        if (players->pid < 0)
                die("cannot fork");
        if (players->pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                pin_to(game->daemon_cpu);
                if (game->side == BARE)
                        be_bare(players->ping_fd, players->pong_fd);
                else if (game->side == BARE_LIBUV)
                        be_bare_libuv(players->ping_fd, players->pong_fd);
                else
                        be_daemon(players->pong_fd, game->with_pong);
                _exit(EXIT_FAILURE);
        }
        pin_to(game->client_cpu);
        wait_for_pong(players);
        if (game->side == ATTACHED &&
            (rouse_client_create(dir, &players->client) < 0 ||
             rouse_client_attach(players->client, names, 1, 5000, &players->attachment) < 0))
                die("cannot attach");
        if (game->is_stopped &&
            (kill(players->pid, SIGSTOP) < 0 || waitpid(players->pid, NULL, WUNTRACED) < 0))
                die("cannot stop the daemon");
}

static void finish(struct players *players) {
        kill(players->pid, SIGKILL);
        waitpid(players->pid, NULL, 0);
}

/* p50 and p99 of a round trip, in ns. */
static void measure_ping_pong(const void *arg, double *figures) {
        const struct game *game = arg;
        enum { MAX_SAMPLES = 1000000, N_WARM = 100 };
        uint64_t *samples = calloc(MAX_SAMPLES, sizeof(*samples)), end_ns;
        struct players players;
        size_t n = 0;

        if (!samples)
                die("out of memory");
        start(&players, game);
        end_ns = clock_now_ns() + options.round_ns;
        for (size_t i = 0; n < MAX_SAMPLES; i++) {
                uint64_t began_ns = clock_now_ns(), now_ns;

                if (game->side == ATTACHED)
                        (void)rouse_attachment_send(players.attachment, 0);
                else
                        (void)!write(players.ping_fd, &(uint64_t){1}, 8);
                wait_for_pong(&players);
                now_ns = clock_now_ns();
                if (i >= N_WARM)
                        samples[n++] = now_ns - began_ns;
                if (now_ns > end_ns && n > 0)
                        break;
        }
        finish(&players);
        figures[0] = quantile(samples, n, 0.5);
        figures[1] = quantile(samples, n, 0.99);
}

/* ns of this thread's processor time a send, one after the other. */
static void measure_sends(const void *arg, double *figures) {
        enum { BATCH = 10000 };
        struct players players;
        uint64_t end_ns, cpu_ns, n = 0;

        start(&players, arg);
        for (int i = 0; i < BATCH; i++)
                (void)rouse_attachment_send(players.attachment, 0);
        end_ns = clock_now_ns() + options.round_ns;
        cpu_ns = thread_cpu_ns();
        do {
                for (int i = 0; i < BATCH; i++)
                        (void)rouse_attachment_send(players.attachment, 0);
                n += BATCH;
        } while (clock_now_ns() < end_ns);
        figures[0] = (double)(thread_cpu_ns() - cpu_ns) / (double)n;
        finish(&players);
}

static void bench_first(void) {
        static const char *const names[] = {"attached", "eventfd ping-pong, by a bare libuv loop",
                                            "eventfd ping-pong"};

        printf("## First send, until the handle wakes and answers\n\n"
               "| processors | | p50 µs | p99 µs | p50, × eventfd |\n|---|---|---|---|---|\n");
        for (int cpus = 1; cpus <= 2 && cpus <= n_cpus(); cpus++) {
                const struct game games[] = {
                        {.side = ATTACHED, .daemon_cpu = cpus - 1, .with_pong = true},
                        {.side = BARE_LIBUV, .daemon_cpu = cpus - 1, .with_pong = true},
                        {.side = BARE, .daemon_cpu = cpus - 1, .with_pong = true},
                };
                const void *args[] = {&games[0], &games[1], &games[2]};
                double medians[3][MAX_FIGURES], ratios[3][MAX_FIGURES];

                rounds(measure_ping_pong, args, 3, 2, medians, ratios);
                for (int i = 2; i >= 0; i--)
                        printf("| %d | %s | %.2f | %.2f | %.2f |\n", cpus, names[i],
                               medians[i][0] / 1e3, medians[i][1] / 1e3, ratios[i][0]);
                if (cpus == 1)
                        result("attach-first", ratios[0][0],
                               "%.2f µs; eventfd ping-pong %.2f µs, by a bare libuv loop %.2f µs",
                               medians[0][0] / 1e3, medians[2][0] / 1e3, medians[1][0] / 1e3);
        }
        printf("\n");
}

static void bench_sends(void) {
        const struct game games[] = {
                {.side = ATTACHED, .is_stopped = true},
                {.side = ATTACHED, .daemon_cpu = n_cpus() > 1},
        };
        const void *args[] = {&games[0], &games[1]};
        double medians[2][MAX_FIGURES], ratios[2][MAX_FIGURES];

        printf("## Sends without a pause\n\n| the daemon | ns a send |\n|---|---|\n");
        rounds(measure_sends, args, 2, 1, medians, ratios);
        printf("| does not run: all sends but one coalesce | %.1f |\n", medians[0][0]);
        printf("| wakes the handle as often as it can, on %s | %.1f |\n\n",
               n_cpus() > 1 ? "another processor" : "the same processor", medians[1][0]);
        result("attach-coalesced", medians[0][0], "while the daemon works %.1f ns", medians[1][0]);
}

static void begin(void) {
        printf("# attach: medians of %d rounds, %d processors\n\n", options.n_rounds, n_cpus());
}

int main(int argc, char **argv) {
        static const struct bench benches[] = {{"first", bench_first}, {"sends", bench_sends}, {0}};
        int r;

        if (!mkdtemp(dir))
                die("cannot make a directory");
        r = bench_main(argc, argv, begin, benches);
        unlink(path("control.sock"));
        unlink(path("seq"));
        rmdir(dir);
        return r;
}
