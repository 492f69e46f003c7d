/* See the header. The benchmark is its service manager: it hears from it when the start is over. */

#include "bench/own-roused.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/measure.h"

#define PATIENCE_MS 60000

const char *own_roused_program(void) {
        return getenv("ROUSED") ?: "daemon/roused";
}

static struct sockaddr_un address_of(const struct own_roused *roused, const char *name) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", roused->dir, name);
        return address;
}

/* In memory: no disk has a part in it, and the idle one is not woken by others that use /tmp, whose
 * entries a source below it looks after. */
void own_roused_init(struct own_roused *roused) {
        struct sockaddr_un address;

        *roused = (struct own_roused){.dir = "/dev/shm/rouse-bench-XXXXXX"};
        if (!mkdtemp(roused->dir))
                die("cannot make %s", roused->dir);
        snprintf(roused->config, sizeof(roused->config), "%s/yaml", roused->dir);
        address = address_of(roused, "notify");
        roused->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (roused->notify_fd < 0 ||
            bind(roused->notify_fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                die("cannot make %s", address.sun_path);
}

void own_roused_write_config(const struct own_roused *roused, const char *format, ...) {
        FILE *file = fopen(roused->config, "we");
        va_list args;

        if (!file)
                die("cannot write %s", roused->config);
        va_start(args, format);
        vfprintf(file, format, args);
        va_end(args);
        if (fclose(file) != 0)
                die("cannot write %s", roused->config);
}

static void execute(const struct own_roused *roused) {
        struct sockaddr_un address = address_of(roused, "notify");
        struct sockaddr_un log = address_of(roused, "log");

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setenv("NOTIFY_SOCKET", address.sun_path, 1);
        if (!freopen(log.sun_path, "we", stderr))
                _exit(EXIT_FAILURE);
        execl(own_roused_program(), "roused", "--config", roused->config, "--dir", roused->dir,
              NULL);
        _exit(EXIT_FAILURE);
}

static void await_ready(const struct own_roused *roused) {
        struct pollfd poll_fd = {.fd = roused->notify_fd, .events = POLLIN};
        char text[64];

        do
                if (poll(&poll_fd, 1, PATIENCE_MS) != 1)
                        die("%s is not ready: see %s/log", own_roused_program(), roused->dir);
        while (recv(roused->notify_fd, text, sizeof(text), 0) < 7 ||
               memcmp(text, "READY=1", 7) != 0);
}

void own_roused_start(struct own_roused *roused) {
        fflush(stdout);
        roused->pid = fork();
        if (roused->pid < 0)
                die("cannot fork");
        if (roused->pid == 0)
                execute(roused);
        await_ready(roused);
}

void own_roused_reload(struct own_roused *roused) {
        kill(roused->pid, SIGHUP);
        await_ready(roused);
}

static void remove_directory(const char *path) {
        DIR *dir = opendir(path);
        struct dirent *entry;

        if (!dir)
                return;
        while ((entry = readdir(dir)))
                (void)unlinkat(dirfd(dir), entry->d_name, 0);
        closedir(dir);
        rmdir(path);
}

void own_roused_stop(struct own_roused *roused) {
        int status = 0;

        if (roused->pid > 0) {
                kill(roused->pid, SIGTERM);
                if (waitpid(roused->pid, &status, 0) < 0 || status != 0)
                        die("roused failed: see %s/log", roused->dir);
        }
        close(roused->notify_fd);
        remove_directory(roused->dir);
        *roused = (struct own_roused){.notify_fd = -1};
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

uint64_t own_roused_figure(const struct own_roused *roused, const char *key) {
        char path[64];

        snprintf(path, sizeof(path), "/proc/%d/status", roused->pid);
        return read_figure(path, key);
}

uint64_t own_roused_cpu_ns(const struct own_roused *roused) {
        struct timespec ts;
        clockid_t clock;

        if (clock_getcpuclockid(roused->pid, &clock) != 0 || clock_gettime(clock, &ts) < 0)
                die("cannot read the clock of roused");
        return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

uint64_t own_roused_switches(const struct own_roused *roused) {
        char path[64];
        struct dirent *entry;
        uint64_t sum = 0;
        DIR *tasks;

        snprintf(path, sizeof(path), "/proc/%d/task", roused->pid);
        tasks = opendir(path);
        if (!tasks)
                die("cannot read %s", path);
        while ((entry = readdir(tasks))) {
                char status[128];

                if (entry->d_name[0] == '.')
                        continue;
                snprintf(status, sizeof(status), "/proc/%d/task/%.16s/status", roused->pid,
                         entry->d_name);
                sum += read_figure(status, "voluntary_ctxt_switches:");
        }
        closedir(tasks);
        return sum;
}

static int connect_to(const struct own_roused *roused, const char *name, int type) {
        struct sockaddr_un address = address_of(roused, name);
        int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

        if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                die("cannot connect to %s", address.sun_path);
        return fd;
}

void own_roused_poke(const struct own_roused *roused, const char *text) {
        struct sockaddr_un address = address_of(roused, "poke.sock");
        static int fd = -1;

        if (fd < 0)
                fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (sendto(fd, text, strlen(text), 0, (struct sockaddr *)&address, sizeof(address)) < 0)
                die("cannot send to %s", address.sun_path);
}

FILE *own_roused_subscribe_runs(const struct own_roused *roused, const char *name) {
        FILE *lines = fdopen(connect_to(roused, "control.sock", SOCK_STREAM), "r+e");

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
