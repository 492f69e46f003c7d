/* Who may read, send and administrate. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct conf_errors;
struct conf_node;
struct peer;

enum access_right {
        ACCESS_READ,
        ACCESS_SEND,
        ACCESS_ADMIN,
        N_ACCESS_RIGHTS,
};

/* A list of users, groups and "everybody" a right; a right that is not set falls through to the
 * rules below (a handle's to the global ones). Names are resolved when the rules are read: no
 * look-up of a user database happens on the loop. */
struct access_rules;

/* Reads `access:`; a conf_parse_fn for a field of struct access_rules *. Blocks while it looks up
 * names. */
int access_rules_parse(struct conf_errors *errors, const struct conf_node *node, void *field);
/* read: everybody; send: group roused (nobody where there is no such group); admin: nobody. */
int access_rules_new_default(struct access_rules **ret);
/* Gives rights that are not set their defaults, as the global rules need it. 0, -ENOMEM. */
int access_rules_fill(struct access_rules *rules);
struct access_rules *access_rules_free(struct access_rules *rules); /* accepts and returns NULL */
bool access_rules_equal(const struct access_rules *a, const struct access_rules *b);

/* Root and the daemon's own user always may everything. */
bool access_is_master(const struct access_rules *global, const struct peer *peer);
/* Those always may; who has admin has send and read too. `global` has
 * every right set; `own` (a handle's rules) may be NULL. Any thread, no system call. */
bool access_allows(const struct access_rules *global, const struct access_rules *own,
                   const struct peer *peer, enum access_right right);
/* Whether everybody has the right, so that it does not matter who asks. */
bool access_is_open(const struct access_rules *global, const struct access_rules *own,
                    enum access_right right);
const char *access_right_to_string(enum access_right right);
