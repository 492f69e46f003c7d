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

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/measure.h"
#include "daemon/conf-error.h"
#include "daemon/configuration.h"
#include "daemon/control.h"
#include "daemon/daemon.h"
#include "daemon/deadline.h"
#include "daemon/handle.h"
#include "daemon/reaper.h"
#include "daemon/registry-setup.h"
#include "daemon/registry.h"
#include "daemon/seqfile.h"
#include "lib/clock.h"
#include "lib/rouse-client.h"

static char dir[] = "/tmp/rouse-bench-XXXXXX";

/* The daemon: what daemon.h declares, as far as the control socket needs it. */

struct daemon {
        uv_loop_t loop;
        rouse_hub_t *hub;
        struct registry *registry;
        struct control *control;
        struct configuration *configuration;
        struct handle_watch watch;
        int pong_fd;
};

uv_loop_t *daemon_loop(struct daemon *daemon) {
        return &daemon->loop;
}

rouse_hub_t *daemon_hub(struct daemon *daemon) {
        return daemon->hub;
}

struct registry *daemon_registry(struct daemon *daemon) {
        return daemon->registry;
}

const struct poke *daemon_poke(const struct daemon *daemon) {
        (void)daemon;
        return NULL;
}

const struct access_rules *daemon_access(const struct daemon *daemon) {
        return daemon->configuration->access;
}

uint64_t daemon_started_ns(const struct daemon *daemon) {
        (void)daemon;
        return 0;
}

void reload_result_deinit(struct reload_result *result) {
        (void)result;
}

int daemon_reload(struct daemon *daemon, struct conf_errors *errors, struct reload_result *ret) {
        (void)daemon;
        (void)errors;
        (void)ret;
        return -ESHUTDOWN;
}

void daemon_shutdown(struct daemon *daemon) {
        uv_stop(&daemon->loop);
}

static const char *path(const char *name) {
        static char text[100];

        snprintf(text, sizeof(text), "%s/%s", dir, name);
        return text;
}

static void pong(struct handle_watch *watch, uint64_t seq, uint64_t n_sends) {
        struct daemon *daemon = container_of(watch, struct daemon, watch);

        (void)seq;
        (void)n_sends;
        if (write(daemon->pong_fd, &(uint64_t){1}, 8) != 8)
                _exit(EXIT_FAILURE);
}

static const struct handle_watch_ops pong_ops = {.wake = pong};

static void open_registry(struct daemon *daemon) {
        static const char yaml[] = "handles: {bench: {}}\n";
        static char *env[] = {NULL};
        struct registry_changes changes = {0};
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct registry_setup setup = {.loop = &daemon->loop, .env = env};
        int error;

        if (uv_loop_init(&daemon->loop) < 0 || rouse_hub_create(&daemon->loop, &daemon->hub) < 0 ||
            deadline_queue_new(&daemon->loop, NULL, &setup.deadlines) < 0 ||
            seqfile_open(path("seq"), &error, &setup.seqfile) < 0 ||
            reaper_new(&daemon->loop, &setup.reaper) < 0 ||
            configuration_parse("bench", yaml, strlen(yaml), &errors, &daemon->configuration) < 0)
                die("cannot make a daemon");
        setup.hub = daemon->hub;
        if (registry_new(&setup, &daemon->registry) < 0 ||
            registry_apply(daemon->registry, daemon->configuration, &changes) < 0)
                die("cannot make a registry");
}

static int listen_at(const char *socket_path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        strncpy(address.sun_path, socket_path, sizeof(address.sun_path) - 1);
        unlink(socket_path);
        if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
            listen(fd, 8) < 0)
                die("cannot listen");
        return fd;
}

/* A child that has done what comes before it listens tells so with its first pong. */
static void ready(int pong_fd) {
        if (write(pong_fd, &(uint64_t){1}, 8) != 8)
                die("cannot write");
}

static void be_daemon(int pong_fd, bool with_pong) {
        struct daemon daemon = {.pong_fd = pong_fd};

        open_registry(&daemon);
        if (control_new_consume_fd(&daemon, listen_at(path("control.sock")), &daemon.control) < 0)
                die("cannot make a control socket");
        if (with_pong)
                handle_watch_add(registry_find(daemon.registry, "bench"), &daemon.watch, &pong_ops);
        ready(pong_fd);
        uv_run(&daemon.loop, UV_RUN_DEFAULT);
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

/* The parent's side. */

enum side { BARE, ATTACHED };

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
        printf("## First send, until the handle wakes and answers\n\n"
               "| processors | | p50 µs | p99 µs | p50, × eventfd |\n|---|---|---|---|---|\n");
        for (int cpus = 1; cpus <= 2 && cpus <= n_cpus(); cpus++) {
                const struct game games[] = {
                        {.side = ATTACHED, .daemon_cpu = cpus - 1, .with_pong = true},
                        {.side = BARE, .daemon_cpu = cpus - 1, .with_pong = true},
                };
                const void *args[] = {&games[0], &games[1]};
                double medians[2][MAX_FIGURES], ratios[2][MAX_FIGURES];

                rounds(measure_ping_pong, args, 2, 2, medians, ratios);
                for (int i = 1; i >= 0; i--)
                        printf("| %d | %s | %.2f | %.2f | %.2f |\n", cpus,
                               i ? "eventfd ping-pong" : "attached", medians[i][0] / 1e3,
                               medians[i][1] / 1e3, ratios[i][0]);
                if (cpus == 1)
                        result("attach-first", ratios[0][0], "%.2f µs; eventfd ping-pong %.2f µs",
                               medians[0][0] / 1e3, medians[1][0] / 1e3);
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
