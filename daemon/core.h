/* The inner half of the daemon: its loop, its handles and what they work with, and the
 * configuration in force. Sockets and workers are built upon it. Loop thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/access.h"
#include "daemon/tails.h"
#include "lib/rouse.h"

struct configuration;
struct deadline_queue;
struct handle;
struct peer;
struct reaper;
struct registry;
struct seqfile;

struct core {
        uv_loop_t loop;
        uint64_t started_ns; /* monotonic */
        rouse_hub_t *hub;
        struct deadline_queue *deadlines;
        struct seqfile *seqfile;
        struct reaper *reaper;
        struct tails tails;
        char **env;                          /* of runs */
        struct configuration *configuration; /* counted; the one in force */
        struct registry *registry;
};

/* Makes the loop, and nothing on it yet. Takes the configuration, also on failure. */
int core_init(struct core *core, struct configuration *configuration);
/* Makes the rest, before there are other threads: runs are to learn of `dir`, numbers of wakes are
 * kept in `seq_file`. After a failure it must be closed, too. */
int core_open(struct core *core, const char *dir, const char *seq_file);
/* Closes whatever was opened, and runs the loop until it is dry. What others have put on the loop
 * they have begun to close. 0; -EBUSY: something is open yet. */
int core_close(struct core *core);

/* As configured now. */
const struct access_rules *core_access(const struct core *core);
/* Whether somebody has a right; handle NULL: for the daemon as a whole. */
bool core_allows(const struct core *core, const struct peer *peer, const struct handle *handle,
                 enum access_right right);
