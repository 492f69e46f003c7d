/* A real roused in a directory of the test's own, and what is said to it over its real sockets. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct roused {
        pid_t pid;
        const char *dir;    /* of the sockets */
        const char *config; /* the file */
        const char *log;    /* what it wrote to standard error */
        uid_t uid;          /* whose it is, if the test is root's; 0: root's, too */
        const char *option; /* one that a test gives it from its next start on; or NULL */
};

/* Starts one in test_dir()/NAME with this configuration and waits until it answers. */
void roused_start(struct roused *roused, const char *name, const char *config);
/* The same as a user without rights, if the test runs as root; else as the one who runs it. */
void roused_start_as(struct roused *roused, uid_t uid, const char *name, const char *config);
/* The two halves of it: all but the start, and the start without waiting for it. */
void roused_prepare(struct roused *roused, uid_t uid, const char *name, const char *config);
void roused_spawn(struct roused *roused);
/* In a child of the test: makes it the user that the daemon is, or ends it. */
void roused_become(const struct roused *roused);
/* Starts it again after roused_stop() or roused_kill(), in the same directory. */
void roused_restart(struct roused *roused);
/* TERM; fails the test unless it exits with 0 and leaves no socket behind. */
void roused_stop(struct roused *roused);
void roused_kill(struct roused *roused);
/* STOP, and returns when it stands still; it takes nothing more until it goes on, or is killed. */
void roused_freeze(const struct roused *roused);
void roused_thaw(const struct roused *roused);
/* Writes the configuration anew; the daemon is not told. */
void roused_write_config(struct roused *roused, const char *config);

/* Waits until the log has a text; fails the test after a while. */
void roused_expect_log(const struct roused *roused, const char *text);
/* Waits until a file below the daemon's directory has n lines at least; returns its content, to be
 * freed. */
char *roused_expect_lines(const struct roused *roused, const char *file, unsigned int n);

/* A datagram to poke.sock; the answer, or NULL if none is wanted. To be freed. */
char *roused_poke(const struct roused *roused, const char *text);
void roused_poke_quietly(const struct roused *roused, const char *text);
/* Pokes one handle and returns the ticket; fails the test on any other answer. */
uint64_t roused_send(const struct roused *roused, const char *name);
/* A line to control.sock over a new connection; the line that answers, to be freed. */
char *roused_call(const struct roused *roused, const char *request);
/* Calls a method; fails the test unless it has a result. `params` is JSON. */
void roused_do(const struct roused *roused, const char *method, const char *params);
/* Takes this configuration, and returns when it is in force. */
void roused_reload(struct roused *roused, const char *config);
/* Waits until the status of a handle holds this text; or its state is this one. */
void roused_expect_status(const struct roused *roused, const char *handle, const char *text);
void roused_expect_state(const struct roused *roused, const char *handle, const char *state);
/* A connection to control.sock that blocks. */
int roused_connect(const struct roused *roused);
/* A line, without its newline, or NULL at the end. To be freed. */
char *roused_read_line(int fd);

/* The path of a program of the build, "daemon/roused". Valid until the test ends. */
const char *built_program(const char *path);
unsigned int count_lines(const char *text);
