/* What a command is given beside its arguments: its environment and its standard input. */
#pragma once

#include <stdint.h>

struct keyset;
struct run;

#define COMMAND_WORDS      5U
#define COMMAND_WORD_BYTES 320U

/* The environment of one run; it borrows from the configuration and from what is inherited. */
struct command_env {
        char **variables; /* ended by NULL */
        char words[COMMAND_WORDS][COMMAND_WORD_BYTES];
};

/* `added` (or NULL) replaces what is inherited. 0, -ENOMEM. */
int command_env_init(struct command_env *env, const struct run *run, uint64_t run_id,
                     char *const *inherited, char *const *added);
void command_env_deinit(struct command_env *env); /* may be repeated */

/* A descriptor to read the keys from; -1 if there are none. 0, or negative errno. */
int command_open_keys(const struct keyset *keys, int *ret_fd);
