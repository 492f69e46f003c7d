/* See the header. READY=1 comes to a socket in its directory, which the server keeps. */

#include "bench/own-roused.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "bench/measure.h"

#define PATIENCE_MS 60000

static struct sockaddr_un address_of(const struct server *server, const char *name) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        snprintf(address.sun_path, sizeof(address.sun_path), "%.80s/%.20s", server->dir, name);
        return address;
}

/* In memory: no disk has a part in it, and the idle one is not woken by others that use /tmp, whose
 * entries a source below it looks after. */
void own_roused_init(struct server *server) {
        struct sockaddr_un address;

        server_init_in(server, "/dev/shm");
        snprintf(server->path, sizeof(server->path), "%.100s/control.sock", server->dir);
        address = address_of(server, "notify");
        server->kept_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (server->kept_fd < 0 ||
            bind(server->kept_fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                die("cannot make %s: %m", address.sun_path);
}

static void await_ready(const struct server *server) {
        struct pollfd poll_fd = {.fd = server->kept_fd, .events = POLLIN};
        char text[64];

        do
                if (poll(&poll_fd, 1, PATIENCE_MS) != 1) {
                        server_show_log(server);
                        die("roused is not ready");
                }
        while (recv(server->kept_fd, text, sizeof(text), 0) < 7 || memcmp(text, "READY=1", 7) != 0);
}

void own_roused_start(struct server *server) {
        const char *program = getenv("ROUSED") ?: built_program("daemon/roused");
        char config[2 * SERVER_PATH];
        char *argv[] = {(char *)program, (char *)"--config", config,
                        (char *)"--dir", server->dir,        NULL};

        snprintf(config, sizeof(config), "%s", server_path(server, OWN_ROUSED_CONFIG));
        setenv("NOTIFY_SOCKET", server_path(server, "notify"), 1);
        server_start(server, argv, -1);
        await_ready(server);
}

void own_roused_reload(const struct server *server) {
        kill(server->pid, SIGHUP);
        await_ready(server);
}

void own_roused_stop(struct server *server) {
        pid_t pid = server->pid;
        int status = 0;

        if (pid > 0) {
                kill(pid, SIGTERM);
                pid = waitpid(pid, &status, 0);
                server->pid = 0;
        }
        if (pid < 0 || status != 0) {
                server_show_log(server);
                die("roused failed");
        }
        server_stop(server);
}

static uint64_t read_figure(const char *path, const char *key) {
        FILE *file = fopen(path, "re");
        unsigned long long value = 0;
        char line[256];

        if (!file)
                die("cannot read %s", path);
        while (fgets(line, sizeof(line), file))
                if (strncmp(line, key, strlen(key)) == 0)
                        value = strtoull(line + strlen(key), NULL, 10);
        fclose(file);
        return value;
}

uint64_t own_roused_switches(const struct server *server) {
        char path[64];
        struct dirent *entry;
        uint64_t sum = 0;
        DIR *tasks;

        snprintf(path, sizeof(path), "/proc/%d/task", server->pid);
        tasks = opendir(path);
        if (!tasks)
                die("cannot read %s", path);
        while ((entry = readdir(tasks))) {
                char status[128];

                if (entry->d_name[0] == '.')
                        continue;
                snprintf(status, sizeof(status), "/proc/%d/task/%.16s/status", server->pid,
                         entry->d_name);
                sum += read_figure(status, "voluntary_ctxt_switches:");
        }
        closedir(tasks);
        return sum;
}

void own_roused_poke(const struct server *server, const char *text) {
        struct sockaddr_un address = address_of(server, "poke.sock");
        static int fd = -1;

        if (fd < 0)
                fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (sendto(fd, text, strlen(text), 0, (struct sockaddr *)&address, sizeof(address)) < 0)
                die("cannot send to %s", address.sun_path);
}

FILE *own_roused_subscribe_runs(const struct server *server, const char *name) {
        FILE *lines = fdopen(server_connect(server, SOCK_STREAM), "r+e");

        if (!lines)
                die("out of memory");
        fprintf(lines,
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\",\"params\":{\"patterns\":"
                "\"%s\",\"runs\":true}}\n",
                name);
        fflush(lines);
        own_roused_await(lines, "\"result\"");
        return lines;
}

void own_roused_await(FILE *lines, const char *text) {
        char line[4096];

        do
                if (!fgets(line, sizeof(line), lines))
                        die("roused hung up");
        while (!strstr(line, text));
}
