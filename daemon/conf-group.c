/*
 * Groups are few, so they stand in an array that is searched from its beginning. Handles name them
 * before and after they are read: the names are collected with the handles, and looked up once all
 * files were read.
 */
#include "daemon/conf-group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf-error.h"
#include "daemon/conf-loader.h"
#include "daemon/conf-node.h"
#include "daemon/configuration.h"
#include "daemon/limits.h"
#include "lib/suggest.h"

static const struct group_conf *find_group(const struct configuration *configuration,
                                           const char *name) {
        for (size_t i = 0; i < configuration->n_groups; i++)
                if (strcmp(configuration->groups[i].name, name) == 0)
                        return &configuration->groups[i];
        return NULL;
}

/* Room for all that there may be, once and for all. */
static int make_room(struct conf_loader *loader) {
        struct configuration *configuration = loader->configuration;

        if (!configuration->groups)
                configuration->groups = calloc(LIMIT_GROUPS, sizeof(*configuration->groups));
        if (!loader->groups)
                loader->groups = calloc(LIMIT_GROUPS, sizeof(const struct conf_node *));
        return configuration->groups && loader->groups ? 0 : -ENOMEM;
}

static int add_group(struct conf_loader *loader, const struct conf_node *name, uint32_t max) {
        struct configuration *configuration = loader->configuration;
        const struct group_conf *found = find_group(configuration, name->text);
        char *text;

        if (found) {
                const struct conf_node *first = loader->groups[found - configuration->groups];

                return conf_error(loader->errors, name,
                                  "the group '%s' is defined twice; the first stands at %s:%u:%u",
                                  name->text, first->file, first->line, first->column);
        }
        if (configuration->n_groups == LIMIT_GROUPS)
                return conf_error(loader->errors, name, "there are more than %u groups",
                                  LIMIT_GROUPS);
        if (make_room(loader) < 0)
                return -ENOMEM;
        text = conf_arena_strndup(&configuration->strings, name->text, name->n);
        if (!text)
                return -ENOMEM;
        loader->groups[configuration->n_groups] = name;
        configuration->groups[configuration->n_groups++] = (struct group_conf){text, max};
        return 0;
}

static int read_max(struct conf_errors *errors, const struct conf_node *node, void *field) {
        uint32_t max;
        int r;

        r = conf_u32(errors, node, &max);
        if (r < 0)
                return r;
        if (max == 0)
                return conf_error(errors, node, "at least 1 handle of a group has to run");
        *(uint32_t *)field = max;
        return 0;
}

const struct conf_key conf_group_keys[] = {
        {"max", read_max, 0},
        {NULL},
};

/* A group with errors is added all the same, so that those who name it are not reported too. */
static void read_group(struct conf_loader *loader, const struct conf_pair *pair) {
        const struct conf_key *table = conf_group_keys;
        uint32_t max = 1;
        void *target = &max;

        conf_check_name(loader->errors, pair->key);
        if (conf_errors_note(loader->errors, add_group(loader, pair->key, max)) < 0)
                return;
        conf_map(loader->errors, pair->value, &table, &target, 1);
        loader->configuration->groups[loader->configuration->n_groups - 1].max = max;
}

void conf_groups_read(struct conf_loader *loader, const struct conf_node *node) {
        if (node->type != CONF_MAPPING && !conf_node_is_null(node))
                conf_error_expected(loader->errors, node, "a mapping of names to groups");
        for (size_t i = 0; node->type == CONF_MAPPING && i < node->n; i++)
                read_group(loader, &node->pairs[i]);
}

static void unknown_group(struct conf_loader *loader, const struct conf_reference *reference) {
        const struct configuration *configuration = loader->configuration;
        struct suggest suggest;

        suggest_init(&suggest, reference->name);
        for (size_t i = 0; i < configuration->n_groups && !conf_errors_full(loader->errors); i++)
                suggest_offer(&suggest, configuration->groups[i].name);
        if (suggest.best)
                conf_error_at(loader->errors, &reference->place,
                              "there is no group '%s', did you mean '%s'?", reference->name,
                              suggest.best);
        else
                conf_error_at(loader->errors, &reference->place,
                              "there is no group '%s'; it has to stand below 'groups'",
                              reference->name);
}

void conf_groups_check(struct conf_loader *loader) {
        for (size_t i = 0; i < loader->of_groups.n_items; i++) {
                const struct conf_reference *reference = &loader->of_groups.items[i];

                if (!find_group(loader->configuration, reference->name))
                        unknown_group(loader, reference);
        }
}
