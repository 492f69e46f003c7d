/* What handles and their runs work with. */
#pragma once

#include <stdint.h>

#include "lib/rouse.h"

struct deadline_queue;
struct reaper;
struct seqfile;
struct tails;

/* All of it is borrowed, and outlives them. */
struct handle_tools {
        rouse_hub_t *hub; /* all its named handles are ours */
        struct deadline_queue *deadlines;
        struct seqfile *seqfile;
        struct reaper *reaper;
        struct tails *tails; /* NULL: processes that a run leaves behind lose their output */
        char **env;          /* of runs, without what tells them their handle; ended by NULL */
        uint64_t chance;     /* what jitter begins with; 0: with anything */
};
