/* Reads the limits that a handle's configuration puts on its wakes and runs. */
#pragma once

#include "daemon/conf-schema.h"
#include "daemon/policy.h"

struct action_kind;
struct conf_errors;
struct conf_node;

/* A policy while it is being read. */
struct conf_policy {
        struct policy_conf policy;     /* its group is not set */
        const struct conf_node *group; /* the name; or NULL */
};

/* The keys that a handle has for its policy, with offsets into struct conf_policy. */
extern const struct conf_key conf_policy_keys[];

/* What holds for the keys that are not there. */
void conf_policy_init(struct conf_policy *policy);
/* Whether any of its keys stands in a handle. */
bool conf_policy_occurs(const struct conf_node *handle);
/* Looks at the whole, once all keys of the handle were read. `kind` is that of its action; NULL: it
 * has none. What is wrong is noted. Forgets the group if it is no name. */
void conf_policy_check(struct conf_errors *errors, const struct conf_node *handle,
                       struct conf_policy *policy, const struct action_kind *kind);
