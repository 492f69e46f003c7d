/*
 * Each file is read to nodes, and its parts are added to the configuration at once; handles, of
 * which there may be very many, one by one as the parser comes to them. What needs all files (names
 * that are defined twice or not at all, cycles) waits for the end, and so do the places.
 *
 * An error never stops the reading: a handle that has errors is added all the same, so that those
 * who name it are not reported too. Only -ENOMEM stops at once.
 */
#include "daemon/conf-loader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/access.h"
#include "daemon/conf-error.h"
#include "daemon/conf-node.h"
#include "daemon/conf-yaml.h"
#include "daemon/configuration-private.h"
#include "daemon/configuration.h"

void conf_loader_init(struct conf_loader *loader, struct configuration *configuration,
                      struct conf_errors *errors) {
        *loader = (struct conf_loader){
                .errors = errors,
                .configuration = configuration,
                .nodes = CONF_ARENA_NULL,
        };
        conf_pool_init(&loader->pool, &configuration->strings);
        conf_handle_init(loader);
}

void conf_loader_deinit(struct conf_loader *loader) {
        conf_arena_deinit(&loader->nodes);
        conf_pool_deinit(&loader->pool);
        free(loader->handles);
        free(loader->workers);
        free(loader->groups);
        free(loader->of_handles.items);
        free(loader->of_sources.items);
        free(loader->of_groups.items);
}

struct conf_place conf_place_of(const struct conf_node *node) {
        return (struct conf_place){.file = node->file, .line = node->line, .column = node->column};
}

int conf_error_at(struct conf_errors *errors, const struct conf_place *place, const char *format,
                  ...) {
        struct conf_node node = {
                .file = place->file,
                .line = place->line,
                .column = place->column,
        };
        va_list args;
        int r;

        va_start(args, format);
        r = conf_error_v(errors, &node, format, args);
        va_end(args);
        return r;
}

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
        return conf_groups_read(field, node);
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

const struct conf_key conf_top_keys[] = {
        {"handles", read_handles},
        {"workers", read_workers},
        {"groups", read_groups},
        {"access", read_access},
        {NULL},
};

static int read_pair(void *arg, const struct conf_node *section, const struct conf_pair *pair) {
        if (strcmp(section->text, "handles") != 0)
                return 0;
        return conf_handle_read(arg, pair) == -ENOMEM ? -ENOMEM : 1;
}

int conf_loader_add(struct conf_loader *loader, const char *file, const char *text, size_t n_text) {
        const struct conf_key *table = conf_top_keys;
        const struct conf_node *root;
        void *target = loader;
        int r;

        r = conf_yaml_parse(loader->errors, &loader->nodes, file, text, n_text, read_pair, loader,
                            &root);
        if (r == -EINVAL)
                loader->incomplete = true;
        if (r == 0 && root)
                r = conf_map(loader->errors, root, &table, &target, 1);
        return r == -ENOMEM ? r : 0;
}

static int index_handles(struct conf_loader *loader) {
        struct configuration *configuration = loader->configuration;
        size_t i, first;
        int r;

        r = configuration_index_init(configuration);
        for (i = 0; r == 0 && i < configuration->n_handles; i++) {
                if (configuration_index_add(configuration, i, &first))
                        continue;
                if (conf_error_at(loader->errors, &loader->handles[i],
                                  "the handle '%s' is defined twice; the first stands at %s:%u:%u",
                                  configuration->handles[i].name, loader->handles[first].file,
                                  loader->handles[first].line,
                                  loader->handles[first].column) == -ENOMEM)
                        r = -ENOMEM;
        }
        return r;
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

int conf_loader_finish(struct conf_loader *loader) {
        struct configuration *configuration = loader->configuration;
        int r;

        r = index_handles(loader);
        if (r == 0 && configuration->access)
                r = access_rules_fill(configuration->access);
        else if (r == 0)
                r = access_rules_new_default(&configuration->access);
        if (r == 0 && !loader->incomplete)
                r = conf_references_check(loader);
        if (r != -ENOMEM && !loader->incomplete)
                r = conf_groups_check(loader);
        if (r != -ENOMEM && !loader->incomplete)
                r = conf_cycles_check(loader);
        if (r == -ENOMEM)
                return r;
        if (loader->errors->n_items > 0)
                return -EINVAL;
        shrink(configuration);
        return 0;
}
