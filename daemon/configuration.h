/* What the configuration files say, whole and checked. Nothing in it changes after it was loaded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/conf-arena.h"

struct access_rules;
struct action_conf;
struct conf_errors;
struct policy_conf;
struct source_conf;

struct handle_conf {
        const char *name;        /* name and description stand in the configuration's arena */
        const char *description; /* or NULL */
        const struct action_conf *action; /* or NULL: wakes only its watchers */
        struct access_rules *access; /* overrides the global rules where it has some; or NULL */
        const struct policy_conf *policy;    /* stands in the arena; or NULL: no limits */
        struct configuration *configuration; /* that it stands in */
        bool started;
};

/* Handles that name it in their policy: at most max of them run at once. */
struct group_conf {
        const char *name; /* stands in the configuration's arena */
        uint32_t max;
};

struct worker_conf {
        char *name;
        struct source_conf **sources;
        size_t n_sources;
};

/* Counted: handles keep the configuration that their parts stand in. */
struct configuration {
        unsigned int n_refs;
        struct handle_conf *handles; /* in the order of the files */
        size_t n_handles;
        struct group_conf *groups;
        size_t n_groups;
        struct worker_conf **workers;
        size_t n_workers;
        struct access_rules *access; /* never NULL: the defaults */

        struct conf_arena strings;
        uint32_t *index; /* of handles by name: their number plus one, or 0 */
        size_t n_index;
};

/* Reads `file`, then conf.d/ and its *.yaml beside it in the order of their names. All errors go to
 * `errors`, in the order of files and lines (deinit it even on success). Blocks while it reads
 * files and looks up users and groups. 0; -EINVAL: see errors; -ENOENT: `file` is not there, also
 * noted in errors; -ENOMEM. */
int configuration_load(const char *file, struct conf_errors *errors, struct configuration **ret);
/* The same from memory, as the file `name`, without conf.d: for tests and fuzzing. */
int configuration_parse(const char *name, const char *text, size_t n_text,
                        struct conf_errors *errors, struct configuration **ret);
struct configuration *configuration_ref(struct configuration *configuration);
struct configuration *configuration_unref(struct configuration *configuration); /* returns NULL */

/* By name, or NULL. The first takes the same time however many handles there are. */
const struct handle_conf *configuration_find_handle(const struct configuration *configuration,
                                                    const char *name);
const struct worker_conf *configuration_find_worker(const struct configuration *configuration,
                                                    const char *name);
/* Whether two say the same: then whatever was made from one can go on with the other. */
bool handle_conf_equal(const struct handle_conf *a, const struct handle_conf *b);

/* Tells every key that a file may hold, for documentation: `section` is "top", "handle", "group",
 * "worker" (a source's keys) or "access". */
typedef void (*configuration_key_cb)(void *arg, const char *section, const char *key);
void configuration_each_key(configuration_key_cb cb, void *arg);
