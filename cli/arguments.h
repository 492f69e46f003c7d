/* Reads a command line by tables of options. */
#pragma once

#include "cli/verb.h"

/* Reads argv[0] … argv[argc - 1]; operands and options may stand in any order, "--" ends the
 * options, and so does an OPTION_REST. `tables` is a list of n_tables tables. With `first_only`,
 * reading ends at the first operand, which is not taken. The operands are gathered at the front of
 * argv.
 *
 * 0; -EINVAL: the line is wrong and a message was written; -ENOMEM. arguments_deinit() frees it. */
int arguments_parse(char **argv, int argc, const struct option *const *tables, size_t n_tables,
                    bool first_only, struct arguments *ret);
void arguments_deinit(struct arguments *arguments);
