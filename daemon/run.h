/* One execution of the action that a handle carries. Loop thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/handle.h"
#include "lib/list.h"

struct action_conf;
struct configuration;
struct handle_tools;
struct keyset;

struct run {
        struct handle *handle;
        const char *handle_name; /* the handle's own */
        const struct handle_tools *tools;
        void (*ended)(struct run *run);      /* takes it */
        struct list link;                    /* among the runs that go on */
        struct configuration *configuration; /* counted: the action stands in it */
        const struct action_conf *action;
        struct run_result result;
        pid_t pid;       /* 0: none */
        int told;        /* the signal that it was told of wakes with; 0: it was not */
        bool is_told_of; /* those who watch know that it has started */
        uint64_t seq_untold, n_untold; /* of the result, before it was told of wakes */
        bool left_untaken;             /* it has ended, and may not have heard what it was told */
        bool is_inherited;             /* a closed handle of the same name began it */
        void *impl;                    /* the kind's own */
        struct keyset *keys;           /* of the sends that it covers; owned; or NULL */
        char *complaint;               /* why it fails: see run_keep_complaint(); owned; or NULL */
        size_t n_complaint;
};

/* A run, not started yet, with a copy of what the draft says of its handle, its action, and the
 * wakes and sends that it covers. NULL: out of memory. */
struct run *run_new(const struct run *draft);
struct run *run_free(struct run *run); /* accepts and returns NULL */

/* Asks it to end; kill: at once. */
void run_stop(struct run *run, bool kill);

/* A line that may say why it fails. The beginning of them is kept; whoever asks for a run that has
 * failed is shown it. */
void run_keep_complaint(struct run *run, const char *line, size_t n_line);
/* The daemon's own line about that: it is logged, too. */
void run_complain(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The kind of action says that the run has ended. The run is gone after this. */
void run_finish(struct run *run, enum run_outcome outcome, int status, bool success);
