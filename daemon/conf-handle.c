/*
 * What each kind of action adds to a handle's keys is known only from the table of kinds. So a
 * handle is read in two steps. First conf_map() takes the keys of every kind as they are; it finds
 * the unknown and repeated ones. Then the kind whose key stands there reads its value and its own
 * extra keys, and what is left belongs to a kind that the handle has not: that is an error of its
 * own, better than "unknown key".
 */
#include "daemon/conf-handle.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/access.h"
#include "daemon/action.h"
#include "daemon/conf-error.h"
#include "daemon/conf-loader.h"
#include "daemon/conf-node.h"
#include "daemon/conf-policy.h"
#include "daemon/conf-references.h"
#include "daemon/configuration.h"
#include "daemon/limits.h"
#include "lib/cleanup.h"

/* A handle while it is being read. */
struct draft {
        const char *description;
        struct access_rules *access;
        bool started;
        const struct conf_node *of_kinds[CONF_HANDLE_KINDS_MAX]; /* values, by row */
};

const struct conf_key conf_handle_keys[] = {
        {"description", conf_text, offsetof(struct draft, description)},
        {"started", conf_bool, offsetof(struct draft, started)},
        {"access", access_rules_parse, offsetof(struct draft, access)},
        {NULL},
};

DEFINE_CLEANUP(struct action_conf *, action_conf_free)

static void draft_deinit(struct draft *draft) {
        draft->access = access_rules_free(draft->access);
}

/* The number of the row for a key of a kind, or the number of rows. */
static size_t find_row(const struct conf_loader *loader, const char *name) {
        size_t i = 0;

        while (loader->handle_keys[i].name && !conf_text_is(loader->handle_keys[i].name, name))
                i++;
        return i;
}

/* Kinds may share a key: then there is one row for it. */
static void add_row(struct conf_loader *loader, const char *name) {
        size_t i = find_row(loader, name);

        if (loader->handle_keys[i].name)
                return;
        assert(i < CONF_HANDLE_KINDS_MAX);
        loader->handle_keys[i] = (struct conf_key){
                .name = name,
                .parse = conf_any,
                .offset = offsetof(struct draft, of_kinds) + i * sizeof(struct conf_node *),
        };
}

void conf_handle_init(struct conf_loader *loader) {
        for (size_t k = 0; action_kinds[k]; k++) {
                add_row(loader, action_kinds[k]->key);
                for (const struct conf_key *key = action_kinds[k]->keys; key && key->name; key++)
                        add_row(loader, key->name);
        }
}

/* The value of a kind's key, and NULL from then on; or NULL. */
static const struct conf_node *take(const struct conf_loader *loader, struct draft *draft,
                                    const char *name) {
        return steal_ptr(draft->of_kinds[find_row(loader, name)]);
}

/* Most handles have none of the keys of kinds, once the value itself was taken. */
static bool has_left_keys(const struct conf_loader *loader, const struct draft *draft) {
        for (size_t i = 0; loader->handle_keys[i].name; i++)
                if (draft->of_kinds[i])
                        return true;
        return false;
}

/* The keys that mean something only with this kind. */
static int read_kind_keys(struct conf_loader *loader, const struct conf_node *node,
                          struct draft *draft, struct action_conf *action) {
        bool any = has_left_keys(loader, draft);
        const struct conf_node *value;
        int r, result = 0;

        for (const struct conf_key *key = action->kind->keys; key && key->name; key++) {
                value = any ? take(loader, draft, key->name) : NULL;
                if (value)
                        r = key->parse(loader->errors, value, (char *)action + key->offset);
                else
                        r = key->required ? conf_error(loader->errors, node,
                                                       "the key '%s' is missing", key->name)
                                          : 0;
                if (conf_errors_note(loader->errors, r) < 0)
                        result = -EINVAL;
        }
        return result;
}

/* The value could not be read, so there is nothing that its extra keys could be read into. */
static void drop_kind_keys(const struct conf_loader *loader, struct draft *draft,
                           const struct action_kind *kind) {
        for (const struct conf_key *key = kind->keys; key && key->name; key++)
                (void)take(loader, draft, key->name);
}

static int read_action(struct conf_loader *loader, const struct conf_node *node,
                       struct draft *draft, const struct action_kind *kind,
                       const struct conf_node *value, struct action_conf **ret) {
        _cleanup_(action_conf_freep) struct action_conf *action = NULL;
        int r;

        r = kind->parse(loader->errors, value, &action);
        if (r < 0) {
                drop_kind_keys(loader, draft, kind);
                return r;
        }
        action->kind = kind;
        r = read_kind_keys(loader, node, draft, action);
        if (r < 0)
                return r;
        *ret = steal_ptr(action);
        return 0;
}

static void second_action(struct conf_loader *loader, const struct conf_node *node,
                          const struct action_kind *first, const struct action_kind *second) {
        const struct conf_node *first_key = conf_node_find(node, first->key)->key;

        conf_error(loader->errors, conf_node_find(node, second->key)->key,
                   "a handle has one action: '%s' cannot stand beside '%s' at %u:%u", second->key,
                   first->key, first_key->line, first_key->column);
}

static const struct action_kind *find_kind(const char *key) {
        for (size_t k = 0; action_kinds[k]; k++)
                if (conf_text_is(action_kinds[k]->key, key))
                        return action_kinds[k];
        return NULL;
}

/* Every kind whose key is there reads its value, so that its errors are seen; the first stays. */
static void read_actions(struct conf_loader *loader, const struct conf_node *node,
                         struct draft *draft, const struct action_conf **ret) {
        const struct action_kind *first = NULL;

        for (size_t i = 0; node->type == CONF_MAPPING && i < node->n; i++) {
                _cleanup_(action_conf_freep) struct action_conf *action = NULL;
                const struct action_kind *kind = find_kind(node->pairs[i].key->text);
                const struct conf_node *value = kind ? take(loader, draft, kind->key) : NULL;

                if (!value)
                        continue;
                conf_errors_note(loader->errors,
                                 read_action(loader, node, draft, kind, value, &action));
                if (first) {
                        second_action(loader, node, first, kind);
                } else {
                        first = kind;
                        *ret = steal_ptr(action);
                }
        }
}

/* A key that belongs to a kind of action which the handle has not. */
static void report_left_keys(struct conf_loader *loader, const struct conf_node *node,
                             const struct draft *draft) {
        if (!has_left_keys(loader, draft))
                return;
        for (size_t k = 0; action_kinds[k]; k++)
                for (const struct conf_key *key = action_kinds[k]->keys; key && key->name; key++) {
                        if (!draft->of_kinds[find_row(loader, key->name)])
                                continue;
                        conf_error(loader->errors, conf_node_find(node, key->name)->key,
                                   "'%s' means something only together with '%s'", key->name,
                                   action_kinds[k]->key);
                }
}

static int add_handle(struct conf_loader *loader, const struct conf_node *name) {
        struct configuration *configuration = loader->configuration;

        if (configuration->n_handles == loader->n_handles_allocated) {
                size_t n = loader->n_handles_allocated ? loader->n_handles_allocated * 2 : 16;
                struct conf_place *places;
                struct handle_conf *handles;

                handles = reallocarray(configuration->handles, n, sizeof(*handles));
                if (!handles)
                        return -ENOMEM;
                configuration->handles = handles;
                places = reallocarray(loader->handles, n, sizeof(*places));
                if (!places)
                        return -ENOMEM;
                loader->handles = places;
                loader->n_handles_allocated = n;
        }
        loader->handles[configuration->n_handles] = conf_place_of(name);
        configuration->handles[configuration->n_handles] = (struct handle_conf){
                .name = conf_arena_strndup(&configuration->strings, name->text, name->n),
                .configuration = configuration,
        };
        if (!configuration->handles[configuration->n_handles].name)
                return -ENOMEM;
        configuration->n_handles++;
        return 0;
}

static int fill_handle(struct conf_loader *loader, struct handle_conf *handle,
                       struct draft *draft) {
        struct conf_arena *strings = &loader->configuration->strings;

        if (draft->description) {
                handle->description =
                        conf_arena_strndup(strings, draft->description, strlen(draft->description));
                if (!handle->description)
                        return -ENOMEM;
        }
        handle->started = draft->started;
        handle->access = steal_ptr(draft->access);
        return 0;
}

/* There is a policy only if there is anything to say. */
static int add_policy(struct conf_loader *loader, const struct conf_policy *draft) {
        struct configuration *configuration = loader->configuration;
        size_t handle = configuration->n_handles - 1;
        struct policy_conf policy = draft->policy;
        const struct policy_conf *kept;

        if (draft->group) {
                policy.group =
                        conf_pool_keep_text(&loader->pool, draft->group->text, draft->group->n);
                if (!policy.group)
                        return -ENOMEM;
        }
        kept = conf_pool_keep(&loader->pool, &policy, sizeof(policy));
        if (!kept)
                return -ENOMEM;
        configuration->handles[handle].policy = kept;
        if (!draft->group)
                return 0;
        return conf_references_add(&loader->of_groups, kept->group, draft->group, handle);
}

/* Of an action that has errors the kind still counts. */
static const struct action_kind *kind_of(const struct conf_node *handle) {
        const struct action_kind *kind = NULL;

        for (size_t i = 0; !kind && handle->type == CONF_MAPPING && i < handle->n; i++)
                kind = find_kind(handle->pairs[i].key->text);
        return kind;
}

static int read_policy(struct conf_loader *loader, const struct conf_node *node,
                       struct conf_policy *draft) {
        if (!conf_policy_occurs(node))
                return 0;
        conf_policy_check(loader->errors, node, draft, kind_of(node));
        return add_policy(loader, draft);
}

/* Where a target's name stands below an action's value; NULL if it is not there. */
static const struct conf_node *find_text(const struct conf_node *node, const char *text) {
        const struct conf_node *found;

        if (node->type == CONF_SCALAR)
                return strcmp(node->text, text) == 0 ? node : NULL;
        for (size_t i = 0; i < node->n && node->type == CONF_SEQUENCE; i++)
                if ((found = find_text(node->items[i], text)))
                        return found;
        for (size_t i = 0; i < node->n && node->type == CONF_MAPPING; i++)
                if ((found = find_text(node->pairs[i].value, text)))
                        return found;
        return NULL;
}

/* Makes the draft what stays. Of files that have errors nothing does. */
static int keep_action(struct conf_loader *loader, struct handle_conf *handle) {
        _cleanup_(action_conf_freep) struct action_conf *draft = NULL;

        if (!handle->action || !handle->action->kind->keep)
                return 0;
        draft = (struct action_conf *)steal_ptr(handle->action);
        if (conf_errors_result(loader->errors) < 0)
                return 0;
        return draft->kind->keep(&loader->pool, draft, &handle->action);
}

/* Remembers what the action of the handle at this node names. */
static int add_references(struct conf_loader *loader, const struct conf_node *node,
                          const struct action_conf *action) {
        size_t handle = loader->configuration->n_handles - 1;
        const char *const *targets;
        int r = 0;

        if (!action || !action->kind->targets)
                return 0;
        targets = action->kind->targets(action);
        node = conf_node_find(node, action->kind->key)->value;
        for (; r == 0 && targets && *targets; targets++)
                r = conf_references_add(&loader->of_handles, *targets,
                                        find_text(node, *targets) ?: node, handle);
        return r;
}

/* Each step is made whatever came of the ones before it. */
void conf_handle_read(struct conf_loader *loader, const struct conf_pair *pair) {
        const struct conf_key *const tables[] = {conf_handle_keys, loader->handle_keys,
                                                 conf_policy_keys};
        _cleanup_(draft_deinit) struct draft draft = {0};
        struct conf_errors *errors = loader->errors;
        struct conf_policy policy;
        void *const targets[] = {&draft, &draft, &policy};
        struct handle_conf *handle;

        if (loader->configuration->n_handles == LIMIT_HANDLES) {
                conf_error(errors, pair->key, "there are more than %u handles", LIMIT_HANDLES);
                return;
        }
        conf_check_name(errors, pair->key);
        if (conf_errors_note(errors, add_handle(loader, pair->key)) < 0)
                return;
        handle = &loader->configuration->handles[loader->configuration->n_handles - 1];
        conf_policy_init(&policy);
        conf_map(errors, pair->value, tables, targets, 3);
        read_actions(loader, pair->value, &draft, &handle->action);
        report_left_keys(loader, pair->value, &draft);
        conf_errors_note(errors, read_policy(loader, pair->value, &policy));
        conf_errors_note(errors, fill_handle(loader, handle, &draft));
        conf_errors_note(errors, add_references(loader, pair->value, handle->action));
        conf_errors_note(errors, keep_action(loader, handle));
}
