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
#include "daemon/conf-error.h"
#include "daemon/conf-files.h"
#include "daemon/conf-loader.h"
#include "daemon/conf-policy.h"
#include "daemon/conf-schema.h"
#include "daemon/configuration-private.h"
#include "daemon/policy.h"
#include "daemon/source.h"
#include "lib/cleanup.h"

DEFINE_CLEANUP(struct configuration *, configuration_unref)

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

static int finish(struct conf_loader *loader, const char *file,
                  struct configuration **configuration, struct configuration **ret) {
        int r = conf_loader_finish(loader);

        conf_errors_sort(loader->errors, file);
        if (r == 0)
                *ret = steal_ptr(*configuration);
        return r;
}

int configuration_parse(const char *name, const char *text, size_t n_text,
                        struct conf_errors *errors, struct configuration **ret) {
        _cleanup_(configuration_unrefp) struct configuration *configuration = NULL;
        _cleanup_(conf_loader_deinit) struct conf_loader loader = {0};
        int r;

        r = configuration_new(&configuration);
        if (r < 0)
                return r;
        conf_loader_init(&loader, configuration, errors);
        r = conf_loader_add(&loader, name, text, n_text);
        if (r < 0)
                return r;
        return finish(&loader, name, &configuration, ret);
}

int configuration_load(const char *file, struct conf_errors *errors, struct configuration **ret) {
        _cleanup_(configuration_unrefp) struct configuration *configuration = NULL;
        _cleanup_(conf_files_deinit) struct conf_files files = CONF_FILES_NULL;
        _cleanup_(conf_loader_deinit) struct conf_loader loader = {0};
        int r;

        r = configuration_new(&configuration);
        if (r < 0)
                return r;
        conf_loader_init(&loader, configuration, errors);
        r = conf_files_find(&files, errors, file);
        if (r == -EINVAL)
                loader.incomplete = true;
        else if (r < 0)
                return r;
        for (size_t i = 0; i < files.n_paths; i++) {
                _cleanup_free_ char *text = NULL;
                size_t n_text;

                r = conf_file_read(errors, files.paths[i], &text, &n_text);
                if (r == -ENOMEM || (r == -ENOENT && i == 0))
                        return r;
                if (r < 0) {
                        loader.incomplete = true;
                        continue;
                }
                r = conf_loader_add(&loader, files.paths[i], text, n_text);
                if (r < 0)
                        return r;
        }
        return finish(&loader, file, &configuration, ret);
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

static void each_row(const struct conf_key *rows, configuration_key_cb cb, void *arg,
                     const char *section) {
        for (; rows && rows->name; rows++)
                cb(arg, section, rows->name);
}

void configuration_each_key(configuration_key_cb cb, void *arg) {
        each_row(conf_top_keys, cb, arg, "top");
        each_row(conf_handle_keys, cb, arg, "handle");
        each_row(conf_policy_keys, cb, arg, "handle");
        for (size_t i = 0; action_kinds[i]; i++) {
                cb(arg, "handle", action_kinds[i]->key);
                each_row(action_kinds[i]->keys, cb, arg, "handle");
        }
        each_row(conf_group_keys, cb, arg, "group");
        each_row(conf_source_keys, cb, arg, "worker");
        for (size_t i = 0; source_kinds[i]; i++)
                each_row(source_kinds[i]->keys, cb, arg, "worker");
        for (int right = 0; right < N_ACCESS_RIGHTS; right++)
                cb(arg, "access", access_right_to_string((enum access_right)right));
}
