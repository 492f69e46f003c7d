/* Waits for all children of this process: for those that were started here, and for those that
 * became its children because their parents have ended. Loop thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "lib/list.h"

struct reaper;

/* A child that somebody waits for; embedded by its owner. */
struct reaper_child {
        struct list link;
        pid_t pid;
        bool kills_group;  /* what is left of its process group is killed when it has ended */
        uint64_t told;     /* signals that it was sent, and should take: proc_signal_bit() each */
        bool left_untaken; /* once it has ended: one of them may not have reached it */
        /* It is gone and was reaped: si_code and si_status of waitid(2). */
        void (*ended)(struct reaper_child *child, int code, int status);
};

/* Makes this process the one that orphans below it are given to, and blocks SIGCHLD in this thread:
 * before there are others, which take the mask over. One in a process. 0, or negative errno. */
int reaper_new(uv_loop_t *loop, struct reaper **ret);
/* Nobody is waited for any more. Its memory goes later, from the loop. Accepts and returns NULL. */
struct reaper *reaper_close(struct reaper *reaper);

uv_loop_t *reaper_loop(struct reaper *reaper);
/* Waits for child->pid, a process group leader that nobody has waited for. The loop is kept alive
 * until it ends. */
void reaper_add(struct reaper *reaper, struct reaper_child *child);

/* A number that no other run has: see orphans.h. */
uint64_t reaper_new_run_id(struct reaper *reaper);
/* Whether processes of a run whose own process has ended are still there. Costs a system call when
 * this process has no children. */
bool reaper_has_orphans(struct reaper *reaper, uint64_t run_id);
/* Up to `room` of them; returns how many there are. */
size_t reaper_list_orphans(struct reaper *reaper, uint64_t run_id, pid_t *pids, size_t room);
/* Signals the processes of a run that have left its process group; `group`, if not 0, is spared.
 * Those that are made meanwhile are signalled too if the signal is SIGKILL. */
void reaper_signal_orphans(struct reaper *reaper, uint64_t run_id, pid_t group, int signal);
