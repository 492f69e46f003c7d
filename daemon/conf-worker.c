/*
 * A source is a mapping in which one key tells the kind; the kind's table says the rest. The common
 * keys of all sources that have a target are a table too.
 */
#include "daemon/conf-worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf-error.h"
#include "daemon/conf-loader.h"
#include "daemon/conf-node.h"
#include "daemon/conf-references.h"
#include "daemon/configuration-private.h"
#include "daemon/configuration.h"
#include "daemon/limits.h"
#include "daemon/source.h"
#include "lib/cleanup.h"
#include "lib/suggest.h"

const struct conf_key conf_source_keys[] = {
        {"send", conf_handle_name, offsetof(struct source_conf, target), .required = true},
        {NULL},
};

DEFINE_CLEANUP(struct source_conf *, source_conf_unref)
DEFINE_CLEANUP(struct worker_conf *, worker_conf_free)

static int unknown_kind(struct conf_errors *errors, const struct conf_node *node) {
        struct suggest suggest;
        char kinds[256] = "";

        for (size_t i = 0; i < node->n; i++) {
                suggest_init(&suggest, node->pairs[i].key->text);
                for (size_t k = 0; source_kinds[k]; k++)
                        suggest_offer(&suggest, source_kinds[k]->key);
                if (suggest.best)
                        return conf_error(errors, node->pairs[i].key,
                                          "unknown key '%s', did you mean '%s'?",
                                          node->pairs[i].key->text, suggest.best);
        }
        for (size_t k = 0; source_kinds[k]; k++) {
                size_t n = strlen(kinds);

                snprintf(kinds + n, sizeof(kinds) - n, "%s%s",
                         k == 0 ? "" : (source_kinds[k + 1] ? ", " : " or "), source_kinds[k]->key);
        }
        return conf_error(errors, node, "this is no source: it needs one of the keys %s", kinds);
}

/* The one kind whose key is there; reports none and several. */
static int find_kind(struct conf_errors *errors, const struct conf_node *node,
                     const struct source_kind **ret) {
        const struct source_kind *kind = NULL;
        const struct conf_node *first = NULL;

        for (size_t k = 0; source_kinds[k]; k++) {
                const struct conf_pair *pair = conf_node_find(node, source_kinds[k]->key);

                if (!pair)
                        continue;
                if (kind)
                        return conf_error(errors, pair->key,
                                          "a source has one kind: '%s' cannot stand beside '%s' at "
                                          "%u:%u",
                                          pair->key->text, kind->key, first->line, first->column);
                kind = source_kinds[k];
                first = pair->key;
        }
        if (!kind)
                return unknown_kind(errors, node);
        *ret = kind;
        return 0;
}

static int new_source(const struct source_kind *kind, const struct conf_node *node,
                      struct source_conf **ret) {
        _cleanup_(source_conf_unrefp) struct source_conf *source = NULL;

        source = calloc(1, kind->conf_size);
        if (!source)
                return -ENOMEM;
        source->n_refs = 1;
        source->kind = kind;
        if (kind->init)
                kind->init(source);
        if (asprintf(&source->place, "%s:%u", node->file, node->line) < 0) {
                source->place = NULL;
                return -ENOMEM;
        }
        *ret = steal_ptr(source);
        return 0;
}

/* `send` with a kind that has no target: better said than called unknown. */
static int refuse_target(struct conf_errors *errors, const struct conf_node *node,
                         const struct source_kind *kind) {
        const struct conf_pair *pair = conf_node_find(node, conf_source_keys[0].name);

        if (kind->has_target || !pair)
                return 0;
        return conf_error(errors, pair->key,
                          "'%s' has no '%s': it reads the names of the handles that it sends to",
                          kind->key, pair->key->text);
}

static int add_reference(struct conf_loader *loader, const struct conf_node *name) {
        return conf_references_add(&loader->of_sources, name->text, name, 0);
}

static int read_source(struct conf_loader *loader, const struct conf_node *node,
                       struct source_conf **ret) {
        _cleanup_(source_conf_unrefp) struct source_conf *source = NULL;
        const struct source_kind *kind = NULL;
        int refused, r;

        if (node->type != CONF_MAPPING)
                return conf_error_expected(loader->errors, node,
                                           "a source such as {every: 30s, send: NAME}");
        r = find_kind(loader->errors, node, &kind);
        if (r < 0)
                return r;
        refused = refuse_target(loader->errors, node, kind);
        if (refused == -ENOMEM)
                return refused;
        r = new_source(kind, node, &source);
        if (r < 0)
                return r;
        r = conf_map(loader->errors, node,
                     (const struct conf_key *const[]){kind->keys, conf_source_keys},
                     (void *const[]){source, source}, kind->has_target || refused < 0 ? 2 : 1);
        if (refused == 0 && source->target &&
            add_reference(loader, conf_node_find(node, conf_source_keys[0].name)->value) < 0)
                return -ENOMEM;
        if (r == 0)
                r = refused;
        if (r < 0)
                return r;
        *ret = steal_ptr(source);
        return 0;
}

/* Those with errors are left out. */
static int read_sources(struct conf_loader *loader, const struct conf_node *node,
                        struct worker_conf *worker) {
        int r;

        if (conf_node_is_null(node))
                return 0;
        if (node->type != CONF_SEQUENCE)
                return conf_error_expected(loader->errors, node, "a list of sources");
        worker->sources = calloc(node->n + 1, sizeof(struct source_conf *));
        if (!worker->sources)
                return -ENOMEM;
        for (size_t i = 0; i < node->n; i++) {
                if (loader->n_sources++ == LIMIT_SOURCES)
                        conf_error(loader->errors, node->items[i], "there are more than %u sources",
                                   LIMIT_SOURCES);
                r = read_source(loader, node->items[i], &worker->sources[worker->n_sources]);
                if (conf_errors_note(loader->errors, r) == 0)
                        worker->n_sources++;
        }
        return 0;
}

static int check_worker_name(struct conf_loader *loader, const struct conf_node *name) {
        for (size_t i = 0; i < loader->configuration->n_workers; i++)
                if (strcmp(loader->workers[i]->text, name->text) == 0)
                        return conf_error(loader->errors, name,
                                          "the worker '%s' is defined twice; the first stands at "
                                          "%s:%u:%u",
                                          name->text, loader->workers[i]->file,
                                          loader->workers[i]->line, loader->workers[i]->column);
        return conf_check_name(loader->errors, name);
}

static int make_room(struct conf_loader *loader) {
        struct configuration *configuration = loader->configuration;

        /* There are few, so there is room for all of them from the first on. */
        if (configuration->workers)
                return 0;
        configuration->workers = calloc(LIMIT_WORKERS, sizeof(struct worker_conf *));
        loader->workers = calloc(LIMIT_WORKERS, sizeof(struct conf_node *));
        return configuration->workers && loader->workers ? 0 : -ENOMEM;
}

static int read_worker(struct conf_loader *loader, const struct conf_pair *pair) {
        _cleanup_(worker_conf_freep) struct worker_conf *worker = NULL;
        struct configuration *configuration = loader->configuration;
        int r;

        check_worker_name(loader, pair->key);
        worker = calloc(1, sizeof(*worker));
        if (!worker)
                return -ENOMEM;
        worker->name = strdup(pair->key->text);
        if (!worker->name)
                return -ENOMEM;
        r = read_sources(loader, pair->value, worker);
        loader->workers[configuration->n_workers] = pair->key;
        configuration->workers[configuration->n_workers++] = steal_ptr(worker);
        return r;
}

int conf_workers_read(struct conf_loader *loader, const struct conf_node *node) {
        int r;

        if (conf_node_is_null(node))
                return 0;
        if (node->type != CONF_MAPPING)
                return conf_error_expected(loader->errors, node, "a mapping of names to workers");
        r = make_room(loader);
        if (r < 0)
                return r;
        for (size_t i = 0; i < node->n; i++) {
                if (loader->configuration->n_workers == LIMIT_WORKERS)
                        return conf_error(loader->errors, node->pairs[i].key,
                                          "there are more than %u workers", LIMIT_WORKERS);
                conf_errors_note(loader->errors, read_worker(loader, &node->pairs[i]));
        }
        return 0;
}
