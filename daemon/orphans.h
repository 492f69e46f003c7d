/* Processes of a run, wherever they went: they are recognised by their environment. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RUN_ID_VARIABLE "ROUSE_RUN_ID"
#define RUN_ID_LENGTH   16U /* hexadecimal digits */

/* A list of process numbers. */
struct pid_list {
        pid_t *items;
        size_t n, room;
};
void pid_list_deinit(struct pid_list *list); /* may be repeated */
int pid_list_add(struct pid_list *list, pid_t pid);

/* Adds the children of a process; one that is gone has none. 0, -ENOMEM. */
int orphans_add_children(struct pid_list *list, pid_t pid);
/* Adds all that descend from what is in the list. 0, -ENOMEM. */
int orphans_add_descendants(struct pid_list *list);

/* Writes the run that a process belongs to, 0 for none or one that may not be looked into. False:
 * it shows no environment, because it has ended, executes a program right now, or has none. */
bool orphan_look(pid_t pid, uint64_t *ret_run_id);
/* The same, with 0 for all of these. */
uint64_t orphan_run_id(pid_t pid);
/* Sends a signal to the process with this number if it belongs to the run, and never to another
 * one. True: the signal was sent. */
bool orphan_signal(pid_t pid, uint64_t run_id, int signal);
