/* A server that is started for one benchmark: in a directory of its own, and gone at the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SERVER_PATH 128

struct server {
        pid_t pid;              /* 0: not running */
        char dir[SERVER_PATH];  /* where its files are */
        char path[SERVER_PATH]; /* of its unix socket, in there */
        unsigned int port;      /* or on the loopback */
        int kept_fd;            /* closed when it is stopped; 0: none */
};

/* Where a program of this build is, such as daemon/roused; in static storage. */
const char *built_program(const char *name);

/* True if the program can be found, as the shell would. */
bool server_is_there(const char *program);

/* Makes the directory, where temporary files are or below another one. */
void server_init(struct server *server);
void server_init_in(struct server *server, const char *parent);

/* Writes a file there, and returns its path in static storage. */
const char *server_write_file(const struct server *server, const char *name, const char *format,
                              ...) __attribute__((format(printf, 3, 4)));

/* A path in the directory, in static storage. */
const char *server_path(const struct server *server, const char *name);

/* A port of the loopback that nobody listens on. */
unsigned int server_find_port(void);

/*
 * Starts it. What it prints goes to the file `log` in its directory. It ends with this program,
 * however that ends. It gets `fd` as its descriptor SERVER_FD; -1: nothing.
 */
#define SERVER_FD 3
void server_start(struct server *server, char *const argv[], int fd);

/* Waits until it accepts connections at `path`, or at `port` if path is empty. */
void server_wait(struct server *server);

/* Writes what it printed to the standard error output. */
void server_show_log(const struct server *server);

/* A connection to it; blocks. Kind is SOCK_STREAM or SOCK_DGRAM. Exits on failure. */
int server_connect(const struct server *server, int kind);
int server_connect_path(const char *path, int kind);

/* Runs `fn` in a child as the server: it never returns. */
void server_start_fn(struct server *server, void (*fn)(void *arg), void *arg);

/* All its threads on one processor; -1: on any. */
void server_pin(const struct server *server, int cpu);

/* What it has used of the processors since it was started. */
uint64_t server_cpu_ns(const struct server *server);
size_t server_resident_bytes(const struct server *server);

/* Ends it and removes its directory. May be repeated. */
void server_stop(struct server *server);
