/*
 * What one acknowledged `rouse send` costs a shell script, against a dynamic /bin/true.
 *
 *   bench-cli-spawn ROUSE [DIR [NAME]]
 *
 * Both are started with posix_spawn() and waited for, in turn, everything on one CPU. Without DIR a
 * child answers the pokes and does nothing else; with DIR it is the daemon there, to which NAME (by
 * default "bench") is sent. The figure is the median of ROUNDS rounds' medians; the ratio is taken
 * within each round.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/clock.h"

#define ROUNDS    7
#define PER_ROUND 200

extern char **environ;

static void die(const char *what) {
        fprintf(stderr, "cli-spawn: %s: %s\n", what, strerror(errno));
        exit(EXIT_FAILURE);
}

static int compare_u64(const void *a, const void *b) {
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return (x > y) - (x < y);
}

static uint64_t median_u64(uint64_t *values, size_t n) {
        qsort(values, n, sizeof(*values), compare_u64);
        return values[n / 2];
}

static uint64_t spawn_once(char *const argv[]) {
        static posix_spawn_file_actions_t actions;
        static int prepared;
        uint64_t before_ns;
        int status;
        pid_t pid;

        if (!prepared) {
                posix_spawn_file_actions_init(&actions);
                posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
                prepared = 1;
        }
        before_ns = clock_now_ns();
        errno = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
        if (errno)
                die(argv[0]);
        if (waitpid(pid, &status, 0) != pid)
                die("waitpid");
        if (status != 0) {
                fprintf(stderr, "cli-spawn: %s failed (status %#x)\n", argv[0],
                        (unsigned int)status);
                exit(EXIT_FAILURE);
        }
        return clock_now_ns() - before_ns;
}

/* Answers every poke with a ticket, until it is killed. */
static pid_t start_echo(const char *dir) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        pid_t pid;

        snprintf(address.sun_path, sizeof(address.sun_path), "%s/poke.sock", dir);
        if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                die(address.sun_path);
        pid = fork();
        if (pid < 0)
                die("fork");
        if (pid > 0) {
                close(fd);
                return pid;
        }
        for (;;) {
                struct sockaddr_un from;
                socklen_t n_from = sizeof(from);
                char text[512];

                if (recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&from, &n_from) > 0)
                        (void)sendto(fd, "ok 1\n", 5, 0, (struct sockaddr *)&from, n_from);
        }
}

static void measure(char *const rouse[]) {
        char *const nothing[] = {"/bin/true", NULL};
        uint64_t rouse_ns[ROUNDS], true_ns[ROUNDS], permille[ROUNDS];
        static uint64_t a[PER_ROUND], b[PER_ROUND];

        for (int round = 0; round < ROUNDS; round++) {
                for (int i = 0; i < PER_ROUND; i++) {
                        a[i] = spawn_once(rouse);
                        b[i] = spawn_once(nothing);
                }
                rouse_ns[round] = median_u64(a, PER_ROUND);
                true_ns[round] = median_u64(b, PER_ROUND);
                permille[round] = rouse_ns[round] * 1000 / true_ns[round];
        }
        printf("rouse send, acknowledged: %.0f µs; /bin/true: %.0f µs; ratio %.2f\n",
               (double)median_u64(rouse_ns, ROUNDS) / 1000,
               (double)median_u64(true_ns, ROUNDS) / 1000,
               (double)median_u64(permille, ROUNDS) / 1000);
}

int main(int argc, char **argv) {
        char dir[] = "/tmp/rouse-bench-XXXXXX", socket_path[64];
        char *rouse[] = {
                argv[1], "--dir", argc > 2 ? argv[2] : dir, "send", argc > 3 ? argv[3] : "bench",
                NULL};
        pid_t echo = -1;
        cpu_set_t cpus;

        if (argc < 2 || argc > 4) {
                fprintf(stderr, "usage: %s ROUSE [DIR [NAME]]\n", argv[0]);
                return 2;
        }
        CPU_ZERO(&cpus);
        CPU_SET(sched_getcpu(), &cpus);
        if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0)
                die("sched_setaffinity");
        if (argc == 2) {
                if (!mkdtemp(dir))
                        die(dir);
                echo = start_echo(dir);
        }
        measure(rouse);
        if (echo > 0) {
                kill(echo, SIGKILL);
                waitpid(echo, NULL, 0);
                snprintf(socket_path, sizeof(socket_path), "%s/poke.sock", dir);
                unlink(socket_path);
                rmdir(dir);
        }
        return EXIT_SUCCESS;
}
