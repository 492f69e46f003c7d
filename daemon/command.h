/* The command of a run while it goes on. Loop thread. */
#pragma once

#include <stdbool.h>

struct action_conf;
struct run;

/* The kind's calls; see action.h. */
int command_start(struct run *run, const struct action_conf *action);
void command_stop(struct run *run, bool kill);
int command_tell(struct run *run, int signal);
