/*
 * Every server stands in one table, so that an exit of whatever kind finds those that run: the
 * program's own by atexit(), a crash by the kernel, which kills a child whose parent is gone. Only
 * the process that started a server stops it; measurements run in its children.
 */

#include "bench/server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/measure.h"
#include "lib/cleanup.h"
#include "lib/clock.h"

#define MAX_SERVERS 16
#define PATIENCE_NS (10 * NS_PER_S) /* until it answers */
#define FAREWELL_NS (3 * NS_PER_S)  /* until it is killed */

static struct server *servers[MAX_SERVERS];
static pid_t owner;

static void stop_all(void) {
        if (getpid() != owner)
                return;
        for (size_t i = 0; i < MAX_SERVERS; i++)
                if (servers[i])
                        server_stop(servers[i]);
}

static void on_signal(int signal) {
        (void)signal;
        if (getpid() != owner)
                _exit(EXIT_FAILURE);
        exit(EXIT_FAILURE);
}

static void remember(struct server *server) {
        if (!owner) {
                owner = getpid();
                atexit(stop_all);
                signal(SIGINT, on_signal);
                signal(SIGTERM, on_signal);
                signal(SIGHUP, on_signal);
                signal(SIGPIPE, SIG_IGN);
        }
        for (size_t i = 0; i < MAX_SERVERS; i++)
                if (!servers[i]) {
                        servers[i] = server;
                        return;
                }
        die("too many servers");
}

static void nap(void) {
        struct timespec span = {.tv_nsec = 2 * (long)NS_PER_MS};

        nanosleep(&span, NULL);
}

const char *built_program(const char *name) {
        static char path[PATH_MAX];
        ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

        if (n < 0)
                die("cannot find out where this program is: %m");
        path[n] = '\0';
        for (int i = 0; i < 2; i++)
                *strrchr(path, '/') = '\0';
        n = (ssize_t)strlen(path);
        snprintf(path + n, sizeof(path) - (size_t)n, "/%s", name);
        return path;
}

bool server_is_there(const char *program) {
        const char *path = getenv("PATH") ?: "/usr/bin:/bin";
        char file[512];

        if (strchr(program, '/'))
                return access(program, X_OK) == 0;
        while (*path) {
                size_t n = strcspn(path, ":");

                snprintf(file, sizeof(file), "%.*s/%s", (int)n, path, program);
                if (access(file, X_OK) == 0)
                        return true;
                path += n + (path[n] == ':');
        }
        /* Debian's own place for servers, which not everybody's path has. */
        snprintf(file, sizeof(file), "/usr/sbin/%s", program);
        return access(file, X_OK) == 0;
}

void server_init(struct server *server) {
        server_init_in(server, getenv("TMPDIR") ?: "/tmp");
}

void server_init_in(struct server *server, const char *parent) {
        *server = (struct server){0};
        snprintf(server->dir, sizeof(server->dir), "%s/rouse-bench-XXXXXX", parent);
        if (!mkdtemp(server->dir))
                die("cannot make %s: %m", server->dir);
        remember(server);
}

const char *server_path(const struct server *server, const char *name) {
        static char path[2 * SERVER_PATH];

        snprintf(path, sizeof(path), "%s/%s", server->dir, name);
        return path;
}

const char *server_write_file(const struct server *server, const char *name, const char *format,
                              ...) {
        const char *path = server_path(server, name);
        FILE *file = fopen(path, "we");
        va_list args;

        if (!file)
                die("cannot write %s: %m", path);
        va_start(args, format);
        vfprintf(file, format, args);
        va_end(args);
        if (fclose(file) != 0)
                die("cannot write %s: %m", path);
        return path;
}

unsigned int server_find_port(void) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t n = sizeof(address);
        _cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || bind(fd, (struct sockaddr *)&address, n) < 0 ||
            getsockname(fd, (struct sockaddr *)&address, &n) < 0)
                die("no port is free: %m");
        return ntohs(address.sin_port);
}

/* In the child. The parent may be gone before the kernel knows that we want to follow it. */
static void follow(pid_t parent) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
                _exit(EXIT_FAILURE);
        for (int i = 1; i < NSIG; i++)
                signal(i, SIG_DFL);
}

static void hand_over(int fd) {
        if (fd == SERVER_FD)
                fcntl(fd, F_SETFD, 0);
        else
                dup2(fd, SERVER_FD);
}

struct program {
        char *const *argv;
        const char *log; /* a path */
        int fd;
};

static void execute(void *arg) {
        const struct program *program = arg;
        char *const *argv = program->argv;
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        int log = open(program->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        char sbin[SERVER_PATH];

        if (null < 0 || log < 0)
                _exit(EXIT_FAILURE);
        dup2(null, STDIN_FILENO);
        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
        if (program->fd >= 0)
                hand_over(program->fd);
        execvp(argv[0], argv);
        snprintf(sbin, sizeof(sbin), "/usr/sbin/%s", argv[0]);
        execv(sbin, argv);
        fprintf(stderr, "cannot execute %s: %m\n", argv[0]);
        _exit(EXIT_FAILURE);
}

void server_start(struct server *server, char *const argv[], int fd) {
        struct program program = {.argv = argv, .log = server_path(server, "log"), .fd = fd};

        server_start_fn(server, execute, &program);
}

void server_start_fn(struct server *server, void (*fn)(void *arg), void *arg) {
        pid_t parent = getpid();

        fflush(stdout);
        server->pid = fork();
        if (server->pid < 0)
                die("cannot fork: %m");
        if (server->pid == 0) {
                follow(parent);
                fn(arg);
                _exit(EXIT_SUCCESS);
        }
}

static int try_connect(const char *path, unsigned int port, int kind) {
        struct sockaddr_un un = {.sun_family = AF_UNIX};
        struct sockaddr_in in = {.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        bool is_un = *path;
        _cleanup_close_ int fd = socket(is_un ? AF_UNIX : AF_INET, kind | SOCK_CLOEXEC, 0);

        snprintf(un.sun_path, sizeof(un.sun_path), "%.*s", (int)sizeof(un.sun_path) - 1, path);
        if (fd < 0 || connect(fd, is_un ? (struct sockaddr *)&un : (struct sockaddr *)&in,
                              is_un ? sizeof(un) : sizeof(in)) < 0)
                return -errno;
        if (!is_un)
                (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        return steal_fd(&fd);
}

int server_connect(const struct server *server, int kind) {
        int fd = try_connect(server->path, server->port, kind);

        if (fd < 0)
                die("cannot connect to %s: %s", server->dir, strerror(-fd));
        return fd;
}

int server_connect_path(const char *path, int kind) {
        int fd = try_connect(path, 0, kind);

        if (fd < 0)
                die("cannot connect to %s: %s", path, strerror(-fd));
        return fd;
}

void server_show_log(const struct server *server) {
        FILE *log = fopen(server_path(server, "log"), "re");
        char line[512];

        while (log && fgets(line, sizeof(line), log))
                fputs(line, stderr);
        if (log)
                fclose(log);
}

void server_wait(struct server *server) {
        uint64_t end_ns = clock_now_ns() + PATIENCE_NS;
        int fd;

        while ((fd = try_connect(server->path, server->port, SOCK_STREAM)) < 0 &&
               fd != -EPROTOTYPE) {
                if (waitpid(server->pid, NULL, WNOHANG) == server->pid) {
                        server->pid = 0;
                        server_show_log(server);
                        die("a server did not start");
                }
                if (clock_now_ns() > end_ns) {
                        server_show_log(server);
                        die("a server does not answer");
                }
                nap();
        }
        if (fd >= 0)
                close(fd);
}

void server_pin(const struct server *server, int cpu) {
        char path[64];
        struct dirent *entry;
        cpu_set_t set;
        DIR *tasks;

        CPU_ZERO(&set);
        for (int i = 0; i < n_cpus(); i++)
                if (cpu < 0 || cpu == i)
                        CPU_SET((size_t)i, &set);
        snprintf(path, sizeof(path), "/proc/%d/task", (int)server->pid);
        tasks = opendir(path);
        if (!tasks)
                die("a server is gone: %m");
        while ((entry = readdir(tasks)))
                if (atoi(entry->d_name) > 0)
                        (void)sched_setaffinity(atoi(entry->d_name), sizeof(set), &set);
        closedir(tasks);
}

uint64_t server_cpu_ns(const struct server *server) {
        struct timespec ts;
        clockid_t id;

        if (clock_getcpuclockid(server->pid, &id) != 0 || clock_gettime(id, &ts) < 0)
                die("a server is gone");
        return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

size_t server_resident_bytes(const struct server *server) {
        char path[64];
        size_t pages;
        FILE *file;

        snprintf(path, sizeof(path), "/proc/%d/statm", (int)server->pid);
        file = fopen(path, "re");
        if (!file || fscanf(file, "%*s %zu", &pages) != 1)
                die("a server is gone");
        fclose(file);
        return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void)st;
        (void)type;
        (void)ftw;
        return remove(path);
}

static void end_process(pid_t pid) {
        uint64_t end_ns = clock_now_ns() + FAREWELL_NS;

        kill(pid, SIGTERM);
        while (waitpid(pid, NULL, WNOHANG) == 0) {
                if (clock_now_ns() > end_ns)
                        kill(pid, SIGKILL);
                nap();
        }
}

void server_stop(struct server *server) {
        if (server->pid)
                end_process(server->pid);
        server->pid = 0;
        if (server->kept_fd > 0)
                close(server->kept_fd);
        server->kept_fd = 0;
        if (*server->dir)
                nftw(server->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
        *server->dir = '\0';
        for (size_t i = 0; i < MAX_SERVERS; i++)
                if (servers[i] == server)
                        servers[i] = NULL;
}
