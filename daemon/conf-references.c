/*
 * Handles name each other in their actions, and sources name handles. Names are looked up once all
 * files were read. Then the handles are nodes of a graph, which is searched depth first for cycles;
 * with a stack of its own, because a chain may be as long as there are handles. A handle is white
 * before it was seen, grey while it is on the stack, and black when all that it reaches was
 * searched: an edge to a grey one closes a cycle, which is then the end of the stack.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/action.h"
#include "daemon/conf-error.h"
#include "daemon/conf-loader.h"
#include "daemon/conf-node.h"
#include "daemon/configuration.h"
#include "lib/cleanup.h"
#include "lib/suggest.h"

/* Looking for a near name compares with every handle: that is done for so many pairs at most. */
#define SUGGESTION_BUDGET 5000000U
/* Names of a cycle that are printed; of a longer one, the first and the last. */
#define CYCLE_NAMES_MAX 8U

static const char *const *targets_of(const struct handle_conf *handle) {
        if (!handle->action || !handle->action->kind->targets)
                return NULL;
        return handle->action->kind->targets(handle->action);
}

/* Where a target's name stands below an action's value; the value itself if it is not there. */
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

static const struct conf_node *place_of(const struct handle_conf *handle, const char *target) {
        return find_text(handle->action->node, target) ?: handle->action->node;
}

static int dangling(struct conf_loader *loader, const struct conf_node *where, const char *name,
                    size_t *budget) {
        const struct configuration *configuration = loader->configuration;
        struct suggest suggest;

        suggest_init(&suggest, name);
        if (*budget >= configuration->n_handles && !conf_errors_full(loader->errors)) {
                *budget -= configuration->n_handles;
                for (size_t i = 0; i < configuration->n_handles; i++)
                        suggest_offer(&suggest, configuration->handles[i].name);
        }
        if (suggest.best)
                return conf_error(loader->errors, where,
                                  "there is no handle '%s', did you mean '%s'?", name,
                                  suggest.best);
        return conf_error(loader->errors, where, "there is no handle '%s'", name);
}

int conf_references_check(struct conf_loader *loader) {
        const struct configuration *configuration = loader->configuration;
        size_t budget = SUGGESTION_BUDGET;
        int r, result = 0;

        for (size_t i = 0; i < configuration->n_handles; i++) {
                const struct handle_conf *handle = &configuration->handles[i];
                const char *const *targets = targets_of(handle);

                for (; targets && *targets; targets++) {
                        if (configuration_find_handle(configuration, *targets))
                                continue;
                        r = dangling(loader, place_of(handle, *targets), *targets, &budget);
                        if (r == -ENOMEM)
                                return r;
                        result = r;
                }
        }
        for (size_t i = 0; i < loader->n_targets; i++) {
                const struct conf_node *node = loader->targets[i];

                if (configuration_find_handle(configuration, node->text))
                        continue;
                r = dangling(loader, node, node->text, &budget);
                if (r == -ENOMEM)
                        return r;
                result = r;
        }
        return result;
}

enum colour {
        WHITE,
        GREY,
        BLACK,
};

struct step {
        const struct handle_conf *handle;
        const char *const *next; /* the edge to follow next; or NULL */
};

struct search {
        struct conf_loader *loader;
        uint8_t *colours; /* by handle */
        struct step *stack;
        size_t n_stack, n_allocated;
};

static void search_deinit(struct search *search) {
        free(search->colours);
        free(search->stack);
}

static uint8_t *colour_of(const struct search *search, const struct handle_conf *handle) {
        return &search->colours[handle - search->loader->configuration->handles];
}

static int enter(struct search *search, const struct handle_conf *handle) {
        if (search->n_stack == search->n_allocated) {
                size_t n = search->n_allocated ? search->n_allocated * 2 : 16;
                struct step *stack = reallocarray(search->stack, n, sizeof(*stack));

                if (!stack)
                        return -ENOMEM;
                search->stack = stack;
                search->n_allocated = n;
        }
        *colour_of(search, handle) = GREY;
        search->stack[search->n_stack++] = (struct step){
                .handle = handle,
                .next = targets_of(handle),
        };
        return 0;
}

/* The last handle on the stack sends to `target`, which is on the stack too. */
static int report_cycle(struct search *search, const struct handle_conf *target) {
        const struct handle_conf *last = search->stack[search->n_stack - 1].handle;
        _cleanup_free_ char *text = NULL;
        size_t first = search->n_stack, n_text;
        FILE *stream;
        int r;

        while (search->stack[--first].handle != target)
                ;
        stream = open_memstream(&text, &n_text);
        if (!stream)
                return -ENOMEM;
        for (size_t i = first; i < search->n_stack; i++) {
                if (i == first + CYCLE_NAMES_MAX && search->n_stack - i > 2) {
                        fputs("… -> ", stream);
                        i = search->n_stack - 1;
                }
                fprintf(stream, "%s -> ", search->stack[i].handle->name);
        }
        fputs(target->name, stream);
        if (fclose(stream) != 0)
                return -ENOMEM;
        r = conf_error(search->loader->errors, place_of(last, target->name),
                       "handles send to each other in a cycle: %s", text);
        return r == -ENOMEM ? r : 0;
}

static int search_from(struct search *search, const struct handle_conf *start) {
        const struct configuration *configuration = search->loader->configuration;
        int r = 0;

        if (*colour_of(search, start) != WHITE || !targets_of(start))
                return 0;
        r = enter(search, start);
        while (r == 0 && search->n_stack > 0) {
                struct step *step = &search->stack[search->n_stack - 1];
                const struct handle_conf *target;

                if (!step->next || !*step->next) {
                        *colour_of(search, step->handle) = BLACK;
                        search->n_stack--;
                        continue;
                }
                target = configuration_find_handle(configuration, *step->next++);
                if (!target || *colour_of(search, target) == BLACK)
                        continue;
                if (*colour_of(search, target) == GREY)
                        r = report_cycle(search, target);
                else
                        r = enter(search, target);
        }
        return r;
}

int conf_cycles_check(struct conf_loader *loader) {
        _cleanup_(search_deinit) struct search search = {.loader = loader};
        const struct configuration *configuration = loader->configuration;
        int r;

        search.colours = calloc(configuration->n_handles + 1, sizeof(*search.colours));
        if (!search.colours)
                return -ENOMEM;
        for (size_t i = 0; i < configuration->n_handles; i++) {
                r = search_from(&search, &configuration->handles[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}
