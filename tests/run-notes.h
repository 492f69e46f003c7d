/* Runs that note when they began, in the file of their handle, and that may wait at a gate. */
#pragma once

#include "tests/harness.h"

/* With their number, the sends they cover and the time since boot, which has steps of 10 ms. */
#define NOTE  "read t i </proc/uptime; echo $ROUSE_SEQ $ROUSE_SENDS $t >>$ROUSE_DIR/$ROUSE_HANDLE"
#define RUN   "run: [sh, -c, '" NOTE "']"
#define GATED "run: [sh, -c, '" NOTE "; read x <$ROUSE_DIR/gate']"

struct line {
        unsigned long long seq, n_sends;
        double time_s;
};

/* Line number i of a handle's file, once it is there. */
struct line line_of(const struct roused *roused, const char *handle, unsigned int i);

/* Stops the daemon, and then so many runs there were. */
void stop_after(struct roused *roused, const char *handle, unsigned int n);

/* The pipe at which runs wait; open for both, so that nobody waits for the other side. */
int open_gate(const struct roused *roused);
void let_go(int gate_fd, unsigned int n);
