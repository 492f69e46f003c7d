/* What a handle does once it is woken. A kind of action is a row in action.c and a file of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct action_conf;
struct conf_errors;
struct conf_key;
struct conf_node;
struct conf_pool;
struct handle;
struct run;

/* An action's configuration: each kind embeds this as the first member of its own struct. */
struct action_conf {
        const struct action_kind *kind;
};

struct action_kind {
        const char *key; /* the key of the handle that carries it: "run", "signal", "send" */

        /* The value of the key. Outputs are written only on success. 0, -EINVAL, -ENOMEM. */
        int (*parse)(struct conf_errors *errors, const struct conf_node *node,
                     struct action_conf **ret);
        /* Keys of the handle that mean something only with this kind ("timeout" with "run"): a
         * table ended by a row without a name, with offsets into the kind's struct. NULL: none. */
        const struct conf_key *keys;
        /* The handles that it sends to, a list ended by NULL, or NULL: for dangling names and
         * cycles. */
        const char *const *(*targets)(const struct action_conf *conf);
        /* Makes of what was read, a draft, the form in which it stays: in the configuration's
         * memory, and the same for equal ones where that saves. The draft is freed then. NULL: it
         * stays as it was read. 0, -ENOMEM. */
        int (*keep)(struct conf_pool *pool, const struct action_conf *draft,
                    const struct action_conf **ret);
        /* Of two that stay. */
        bool (*equal)(const struct action_conf *a, const struct action_conf *b);
        void (*free)(struct action_conf *conf);

        /* Begins a run. The kind ends it with run_finish(), from within start or later, exactly
         * once. 0, or negative errno: could not be started, and run_finish() was not and will not
         * be called. */
        int (*start)(struct run *run, const struct action_conf *conf);
        /* Asks a run to end: TERM, and KILL later, or `kill` at once. NULL for kinds that end
         * within start. */
        void (*stop)(struct run *run, bool kill);
        /* Tells a run that there is more to do. NULL: cannot be told. 0, or negative errno: it was
         * not told, because it is at its end. */
        int (*tell)(struct run *run, int signal);
};

/* Ended by NULL. */
extern const struct action_kind *const action_kinds[];

struct action_conf *action_conf_free(struct action_conf *conf);
/* NULL equals NULL. */
bool action_conf_equal(const struct action_conf *a, const struct action_conf *b);
