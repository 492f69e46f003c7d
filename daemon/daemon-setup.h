/* How main() makes, runs and ends the daemon. */
#pragma once

#include "daemon/daemon.h"

struct configuration;
struct sockets;

struct daemon_setup {
        const char *config_file;
        const char *dir;                     /* of the sockets */
        const char *seq_file;                /* where the numbers of wakes are kept */
        struct configuration *configuration; /* the first one; consumed: it goes with a reload */
        struct sockets *sockets;             /* its descriptors are taken from it */
};

/* From now on what tells the daemon to stop, or to read its configuration, waits for daemon_run().
 * Before there are other threads. */
void daemon_block_signals(void);
/* Runs the daemon until it is told to stop: 0 after an orderly end, or negative errno if it could
 * not start. It logs why. */
int daemon_run(const struct daemon_setup *setup);
