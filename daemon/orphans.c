/*
 * A process that calls setsid() or whose parent has ended is in no group of its run any more, but
 * it still has what the run's command was given: an environment with a number that only this run
 * has. /proc/PID/environ shows the environment of the process's start; a process that began with
 * another one, or that may not be looked into, is taken for a stranger and let alone.
 *
 * No search goes through all processes: what belongs to a run descends from the run's own process,
 * or from a child that the daemon did not start itself, because the daemon gets the orphans below
 * it (PR_SET_CHILD_SUBREAPER). The kernel lists children in /proc/PID/task/TID/children.
 *
 * A number may be given to another process at any time, so a signal goes through a pidfd: it is
 * opened first, and the environment is read by number after that. If the process behind the pidfd
 * lives when the signal is sent, the number was its own all the time, so the environment was its
 * own; if it does not, the signal hits nobody.
 */

#include "daemon/orphans.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"

#define FIRST_ROOM 16U

static inline void fclosep(FILE **file) {
        if (*file)
                fclose(*file);
}

static inline void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

void pid_list_deinit(struct pid_list *list) {
        free(list->items);
        *list = (struct pid_list){0};
}

int pid_list_add(struct pid_list *list, pid_t pid) {
        if (list->n == list->room) {
                size_t room = list->room ? list->room * 2 : FIRST_ROOM;
                pid_t *items = reallocarray(list->items, room, sizeof(*items));

                if (!items)
                        return -ENOMEM;
                list->items = items;
                list->room = room;
        }
        list->items[list->n++] = pid;
        return 0;
}

/* Adds what a thread has made. */
static int add_children_of_thread(struct pid_list *list, pid_t pid, const char *tid) {
        _cleanup_(fclosep) FILE *file = NULL;
        char path[64];
        int child, r = 0;

        snprintf(path, sizeof(path), "/proc/%d/task/%.16s/children", pid, tid);
        file = fopen(path, "re");
        while (r == 0 && file && fscanf(file, "%d", &child) == 1)
                r = pid_list_add(list, child);
        return r;
}

int orphans_add_children(struct pid_list *list, pid_t pid) {
        _cleanup_(closedirp) DIR *dir = NULL;
        struct dirent *entry;
        char path[32];
        int r = 0;

        snprintf(path, sizeof(path), "/proc/%d/task", pid);
        dir = opendir(path);
        while (r == 0 && dir && (entry = readdir(dir)))
                if (entry->d_name[0] != '.')
                        r = add_children_of_thread(list, pid, entry->d_name);
        return r;
}

int orphans_add_descendants(struct pid_list *list) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < list->n; i++)
                r = orphans_add_children(list, list->items[i]);
        return r;
}

/* What stands behind the variable's name. */
static uint64_t read_run_id(const char *digits) {
        if (strspn(digits, "0123456789abcdef") != RUN_ID_LENGTH || digits[RUN_ID_LENGTH])
                return 0;
        return strtoull(digits, NULL, 16);
}

bool orphan_look(pid_t pid, uint64_t *ret_run_id) {
        static const char prefix[] = RUN_ID_VARIABLE "=";
        const size_t n_prefix = sizeof(prefix) - 1;
        _cleanup_(fclosep) FILE *file = NULL;
        _cleanup_free_ char *variable = NULL;
        uint64_t run_id = 0;
        size_t room = 0, n = 0;
        char path[32];

        snprintf(path, sizeof(path), "/proc/%d/environ", pid);
        file = fopen(path, "re");
        while (file && !run_id && getdelim(&variable, &room, '\0', file) > 0) {
                n++;
                if (strncmp(variable, prefix, n_prefix) == 0)
                        run_id = read_run_id(variable + n_prefix);
        }
        if (n == 0 && (file || errno != EACCES))
                return false;
        *ret_run_id = run_id;
        return true;
}

uint64_t orphan_run_id(pid_t pid) {
        uint64_t run_id;

        return orphan_look(pid, &run_id) ? run_id : 0;
}

bool orphan_signal(pid_t pid, uint64_t run_id, int signal) {
        _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

        return pidfd >= 0 && orphan_run_id(pid) == run_id &&
               syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) == 0;
}
