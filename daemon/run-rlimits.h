/* Reads the limits on what a command may use. */
#pragma once

#include <stddef.h>

#include "daemon/exec.h"

struct conf_errors;
struct conf_node;

struct run_rlimits {
        struct exec_rlimit *items;
        size_t n;
};

/* A reader as in conf-value.h, for a struct run_rlimits: a mapping of names to a limit, or
 * "soft:hard". */
int run_rlimits_read(struct conf_errors *errors, const struct conf_node *node, void *field);
