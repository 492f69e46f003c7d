/* What the tests of the configuration share. */
#pragma once

#include "daemon/conf-arena.h"
#include "daemon/conf-error.h"

struct conf_node;

/* All errors, a line each, and a last line that counts those that were left out. free() it. */
char *conf_test_errors(const struct conf_errors *errors);

/* A node on one line, in YAML's flow style; quoted scalars in double quotes. free() it. */
char *conf_test_dump(const struct conf_node *node);
