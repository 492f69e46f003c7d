/* A roused that is started for one measurement, in a directory of its own. Whatever goes wrong ends
 * the program. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct own_roused {
        pid_t pid;
        char dir[64];
        char config[80];
        int notify_fd; /* where READY=1 comes */
};

/* The program; set from the environment variable ROUSED, else that of the build. */
const char *own_roused_program(void);

void own_roused_init(struct own_roused *roused); /* makes the directory; nothing runs */
void own_roused_write_config(const struct own_roused *roused, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
void own_roused_start(struct own_roused *roused); /* until it says READY=1 */
void own_roused_reload(struct own_roused *roused);
void own_roused_stop(struct own_roused *roused); /* removes the directory, too */

/* A number in /proc/PID/status. */
uint64_t own_roused_figure(const struct own_roused *roused, const char *key);
uint64_t own_roused_cpu_ns(const struct own_roused *roused);
/* How often its threads began and ceased to run. */
uint64_t own_roused_switches(const struct own_roused *roused);

/* A datagram without an answer. */
void own_roused_poke(const struct own_roused *roused, const char *text);
/* What control.sock tells of wakes and runs of a handle. */
FILE *own_roused_subscribe_runs(const struct own_roused *roused, const char *name);
/* The next line that has a text in it. */
void own_roused_await(FILE *lines, const char *text);
