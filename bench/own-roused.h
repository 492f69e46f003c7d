/* roused as a server that is started for one measurement, which is its service manager: it hears
 * from it when the start is over. Whatever goes wrong ends the program. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "bench/server.h"

#define OWN_ROUSED_CONFIG "roused.yaml" /* in its directory, to be written before the start */

void own_roused_init(struct server *server);  /* makes the directory; nothing runs */
void own_roused_start(struct server *server); /* until it says READY=1 */
void own_roused_reload(const struct server *server);
/* Waits until it has exited, with 0, if it was started at all; removes the directory. */
void own_roused_stop(struct server *server);

/* How often its threads began and ceased to run. */
uint64_t own_roused_switches(const struct server *server);

/* A datagram without an answer. */
void own_roused_poke(const struct server *server, const char *text);
/* What control.sock tells of wakes and runs of a handle. */
FILE *own_roused_subscribe_runs(const struct server *server, const char *name);
/* The next line that has a text in it. */
void own_roused_await(FILE *lines, const char *text);
