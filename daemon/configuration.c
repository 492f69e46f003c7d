/*
 * Handles stand in one array, their texts in one arena, and an open-addressing table of 32-bit
 * numbers finds them by name: about 60 bytes a handle plus the text, whatever their number.
 */
#include "daemon/configuration.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/access.h"
#include "daemon/action.h"
#include "daemon/conf-value.h"
#include "daemon/configuration-private.h"
#include "daemon/policy.h"
#include "daemon/source.h"

int configuration_new(struct configuration **ret) {
        struct configuration *configuration = calloc(1, sizeof(*configuration));

        if (!configuration)
                return -ENOMEM;
        configuration->n_refs = 1;
        *ret = configuration;
        return 0;
}

struct worker_conf *worker_conf_free(struct worker_conf *worker) {
        if (!worker)
                return NULL;
        for (size_t i = 0; i < worker->n_sources; i++)
                source_conf_unref(worker->sources[i]);
        free(worker->sources);
        free(worker->name);
        free(worker);
        return NULL;
}

struct configuration *configuration_ref(struct configuration *configuration) {
        configuration->n_refs++;
        return configuration;
}

/* One that its kind has made anew stands in the arena. */
static void free_action(const struct action_conf *action) {
        if (action && !action->kind->keep)
                action_conf_free((struct action_conf *)action);
}

struct configuration *configuration_unref(struct configuration *configuration) {
        if (!configuration || --configuration->n_refs > 0)
                return NULL;
        for (size_t i = 0; i < configuration->n_handles; i++) {
                free_action(configuration->handles[i].action);
                access_rules_free(configuration->handles[i].access);
        }
        for (size_t i = 0; i < configuration->n_workers; i++)
                worker_conf_free(configuration->workers[i]);
        access_rules_free(configuration->access);
        free(configuration->handles);
        free(configuration->workers);
        free(configuration->groups);
        free(configuration->index);
        conf_arena_deinit(&configuration->strings);
        free(configuration);
        return NULL;
}

/* FNV-1a, and a last mixing because the slot is taken from the upper bits. */
static uint32_t hash(const char *name) {
        uint64_t h = 0xcbf29ce484222325;

        for (; *name; name++)
                h = (h ^ (unsigned char)*name) * 0x100000001b3;
        return (uint32_t)((h * 0x9e3779b97f4a7c15) >> 32);
}

/* The slot that holds the name, or the empty one where it would be. */
static size_t find_slot(const struct configuration *configuration, const char *name) {
        size_t slot = (size_t)((uint64_t)hash(name) * configuration->n_index >> 32);

        while (configuration->index[slot] &&
               strcmp(configuration->handles[configuration->index[slot] - 1].name, name) != 0)
                slot = slot + 1 < configuration->n_index ? slot + 1 : 0;
        return slot;
}

int configuration_index_init(struct configuration *configuration) {
        size_t n = configuration->n_handles + configuration->n_handles / 3 + 1;

        configuration->index = calloc(n, sizeof(*configuration->index));
        if (!configuration->index)
                return -ENOMEM;
        configuration->n_index = n;
        return 0;
}

bool configuration_index_add(struct configuration *configuration, size_t i, size_t *ret_first) {
        size_t slot = find_slot(configuration, configuration->handles[i].name);

        if (configuration->index[slot]) {
                *ret_first = configuration->index[slot] - 1;
                return false;
        }
        configuration->index[slot] = (uint32_t)i + 1;
        return true;
}

const struct handle_conf *configuration_find_handle(const struct configuration *configuration,
                                                    const char *name) {
        uint32_t number;

        number = configuration->index[find_slot(configuration, name)];
        return number ? &configuration->handles[number - 1] : NULL;
}

const struct worker_conf *configuration_find_worker(const struct configuration *configuration,
                                                    const char *name) {
        for (size_t i = 0; i < configuration->n_workers; i++)
                if (strcmp(configuration->workers[i]->name, name) == 0)
                        return configuration->workers[i];
        return NULL;
}

bool handle_conf_equal(const struct handle_conf *a, const struct handle_conf *b) {
        return strcmp(a->name, b->name) == 0 && conf_str_equal(a->description, b->description) &&
               a->started == b->started && action_conf_equal(a->action, b->action) &&
               access_rules_equal(a->access, b->access) && policy_conf_equal(a->policy, b->policy);
}
