/*
 * The part of configuration.h that reads files; their sections have readers of their own.
 *
 * Each file is read to nodes, and its parts are added to the configuration at once; handles, of
 * which there may be very many, one by one as the parser comes to them. What needs all files (names
 * that are defined twice or not at all, cycles) waits for the end, and so do the places.
 *
 * An error never stops the reading: a handle that has errors is added all the same, so that those
 * who name it are not reported too. Lack of memory does: between two handles, two files, and before
 * the end's checks. The loader's errors remember both, and finish() asks them once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/access.h"
#include "daemon/action.h"
#include "daemon/conf-error.h"
#include "daemon/conf-files.h"
#include "daemon/conf-group.h"
#include "daemon/conf-handle.h"
#include "daemon/conf-loader.h"
#include "daemon/conf-node.h"
#include "daemon/conf-policy.h"
#include "daemon/conf-references.h"
#include "daemon/conf-schema.h"
#include "daemon/conf-worker.h"
#include "daemon/conf-yaml.h"
#include "daemon/configuration-private.h"
#include "daemon/configuration.h"
#include "daemon/source.h"
#include "lib/cleanup.h"

DEFINE_CLEANUP(struct configuration *, configuration_unref)

/* The readers below get the loader itself as their field. */

/* The handles themselves were taken by read_pair(). */
static int read_handles(struct conf_errors *errors, const struct conf_node *node, void *field) {
        (void)field;
        if (node->type != CONF_MAPPING && !conf_node_is_null(node))
                return conf_error_expected(errors, node, "a mapping of names to handles");
        return 0;
}

static int read_workers(struct conf_errors *errors, const struct conf_node *node, void *field) {
        (void)errors;
        return conf_workers_read(field, node);
}

static int read_groups(struct conf_errors *errors, const struct conf_node *node, void *field) {
        (void)errors;
        conf_groups_read(field, node);
        return 0;
}

static int read_access(struct conf_errors *errors, const struct conf_node *node, void *field) {
        struct conf_loader *loader = field;

        if (loader->access)
                return conf_error(
                        errors, node, "'access' is given twice; the first stands at %s:%u:%u",
                        loader->access->file, loader->access->line, loader->access->column);
        loader->access = node;
        return access_rules_parse(errors, node, &loader->configuration->access);
}

static const struct conf_key top_keys[] = {
        {"handles", read_handles},
        {"workers", read_workers},
        {"groups", read_groups},
        {"access", read_access},
        {NULL},
};

static int read_pair(void *arg, const struct conf_node *section, const struct conf_pair *pair) {
        struct conf_loader *loader = arg;

        if (strcmp(section->text, "handles") != 0)
                return 0;
        conf_handle_read(loader, pair);
        return loader->errors->no_memory ? -ENOMEM : 1;
}

/* Adds what one file says; `file` must live as long as the loader. */
static void add(struct conf_loader *loader, const char *file, const char *text, size_t n_text) {
        const struct conf_key *table = top_keys;
        const struct conf_node *root;
        void *target = loader;
        int r;

        r = conf_yaml_parse(loader->errors, &loader->nodes, file, text, n_text, read_pair, loader,
                            &root);
        if (conf_errors_note(loader->errors, r) < 0)
                loader->incomplete = true;
        else if (root)
                conf_map(loader->errors, root, &table, &target, 1);
}

static int index_handles(struct conf_loader *loader) {
        struct configuration *configuration = loader->configuration;
        size_t first;
        int r;

        r = configuration_index_init(configuration);
        if (r < 0)
                return r;
        for (size_t i = 0; i < configuration->n_handles; i++)
                if (!configuration_index_add(configuration, i, &first))
                        conf_error_at(loader->errors, &loader->handles[i],
                                      "the handle '%s' is defined twice; the first stands at "
                                      "%s:%u:%u",
                                      configuration->handles[i].name, loader->handles[first].file,
                                      loader->handles[first].line, loader->handles[first].column);
        return 0;
}

/* Gives back what the growing array has too much. */
static void shrink(struct configuration *configuration) {
        struct handle_conf *handles;

        if (configuration->n_handles == 0)
                return;
        handles = reallocarray(configuration->handles, configuration->n_handles, sizeof(*handles));
        if (handles)
                configuration->handles = handles;
}

/* Checks all files together. 0, also if errors were noted; -ENOMEM. */
static int check(struct conf_loader *loader) {
        struct configuration *configuration = loader->configuration;
        int r;

        r = index_handles(loader);
        if (r < 0)
                return r;
        if (configuration->access)
                r = access_rules_fill(configuration->access);
        else
                r = access_rules_new_default(&configuration->access);
        if (r < 0 || loader->incomplete)
                return r;
        conf_references_check(loader);
        conf_groups_check(loader);
        return conf_cycles_check(loader);
}

static int begin(struct conf_loader *loader, struct conf_errors *errors,
                 struct configuration **ret) {
        int r = configuration_new(ret);

        if (r < 0)
                return r;
        conf_loader_init(loader, *ret, errors);
        conf_handle_init(loader);
        return 0;
}

static int finish(struct conf_loader *loader, const char *file,
                  struct configuration **configuration, struct configuration **ret) {
        int r;

        if (!loader->errors->no_memory)
                conf_errors_note(loader->errors, check(loader));
        conf_errors_sort(loader->errors, file);
        r = conf_errors_result(loader->errors);
        if (r < 0)
                return r;
        shrink(*configuration);
        *ret = steal_ptr(*configuration);
        return 0;
}

int configuration_parse(const char *name, const char *text, size_t n_text,
                        struct conf_errors *errors, struct configuration **ret) {
        _cleanup_(configuration_unrefp) struct configuration *configuration = NULL;
        _cleanup_(conf_loader_deinit) struct conf_loader loader = {0};
        int r;

        r = begin(&loader, errors, &configuration);
        if (r < 0)
                return r;
        add(&loader, name, text, n_text);
        return finish(&loader, name, &configuration, ret);
}

int configuration_load(const char *file, struct conf_errors *errors, struct configuration **ret) {
        _cleanup_(configuration_unrefp) struct configuration *configuration = NULL;
        _cleanup_(conf_files_deinit) struct conf_files files = CONF_FILES_NULL;
        _cleanup_(conf_loader_deinit) struct conf_loader loader = {0};
        int r;

        r = begin(&loader, errors, &configuration);
        if (r < 0)
                return r;
        if (conf_errors_note(errors, conf_files_find(&files, errors, file)) < 0)
                loader.incomplete = true;
        for (size_t i = 0; i < files.n_paths && !errors->no_memory; i++) {
                _cleanup_free_ char *text = NULL;
                size_t n_text;

                r = conf_file_read(errors, files.paths[i], &text, &n_text);
                if (r == -ENOENT && i == 0)
                        return r;
                if (conf_errors_note(errors, r) < 0)
                        loader.incomplete = true;
                else
                        add(&loader, files.paths[i], text, n_text);
        }
        return finish(&loader, file, &configuration, ret);
}

static void each_row(const struct conf_key *rows, configuration_key_cb cb, void *arg,
                     const char *section) {
        for (; rows && rows->name; rows++)
                cb(arg, section, rows->name);
}

void configuration_each_key(configuration_key_cb cb, void *arg) {
        each_row(top_keys, cb, arg, "top");
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
