/* A daemon that stands in for the real one: the control socket over the real core, whose loop its
 * owner runs. What daemon.h declares is defined here, so it cannot be in a program with
 * daemon.c. Tests and benchmarks make it. */
#pragma once

#include <stdbool.h>

#include "daemon/core.h"

struct daemon {
        struct core core;
        struct control *control;
        char *path; /* of the socket */
        unsigned int n_reloads;
        int reload_result; /* that daemon_reload() has: 0, -EINVAL with an error, another one */
        int reload_error;  /* … and the error in what it then gives */
        bool is_stopping;
};

/* Handles and access rules as the YAML text says; "control.sock" and "seq" stand in the directory,
 * which is there. Returns 0 or a negative errno; errors in the text go to the standard error
 * output. After a failure nothing can be done with it but to end the program. */
int stand_in_init(struct daemon *daemon, const char *dir, const char *yaml);

/* Runs the loop until all is closed. Returns 0, or -EBUSY if something of the loop is left. */
int stand_in_deinit(struct daemon *daemon);
