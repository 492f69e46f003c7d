/* The row of `run`: its configuration stands in run-conf.c, the running command in command.c. */

#include "daemon/action-run.h"

#include <stddef.h>

#include "daemon/action.h"
#include "daemon/command.h"
#include "daemon/run-conf.h"

const struct action_kind action_kind_run = {
        .key = "run",
        .parse = run_conf_parse,
        .keys = run_conf_keys,
        .keep = run_conf_keep,
        .equal = run_conf_equal,
        .free = run_conf_free,
        .start = command_start,
        .stop = command_stop,
        .tell = command_tell,
};
