/*
 * Handles name each other in their actions, and sources name handles. The names are collected while
 * handles and sources are read, and looked up once all files were. Then the handles are nodes of a
 * graph, which is searched depth first for cycles; with a stack of its own, because a chain may be
 * as long as there are handles. A handle is white before it was seen, grey while it is on the
 * stack, and black when all that it reaches was searched: an edge to a grey one closes a cycle,
 * which is then the end of the stack.
 */
#include "daemon/conf-references.h"

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
#define SUGGESTION_BUDGET 1000000U
/* Names of a cycle that are printed; of a longer one, the first and the last. */
#define CYCLE_NAMES_MAX 8U

static const char *const *targets_of(const struct handle_conf *handle) {
        if (!handle->action || !handle->action->kind->targets)
                return NULL;
        return handle->action->kind->targets(handle->action);
}

int conf_references_add(struct conf_references *references, const char *name,
                        const struct conf_node *node, size_t handle) {
        if (references->n_items == references->n_allocated) {
                size_t n = references->n_allocated ? references->n_allocated * 2 : 16;
                struct conf_reference *items;

                items = reallocarray(references->items, n, sizeof(*items));
                if (!items)
                        return -ENOMEM;
                references->items = items;
                references->n_allocated = n;
        }
        references->items[references->n_items++] = (struct conf_reference){
                .name = name,
                .place = conf_place_of(node),
                .handle = (uint32_t)handle,
        };
        return 0;
}

static void dangling(struct conf_loader *loader, const struct conf_reference *reference,
                     size_t *budget) {
        const struct configuration *configuration = loader->configuration;
        struct suggest suggest;

        suggest_init(&suggest, reference->name);
        if (*budget >= configuration->n_handles && !conf_errors_full(loader->errors)) {
                *budget -= configuration->n_handles;
                for (size_t i = 0; i < configuration->n_handles; i++)
                        suggest_offer(&suggest, configuration->handles[i].name);
        }
        if (suggest.best)
                conf_error_at(loader->errors, &reference->place,
                              "there is no handle '%s', did you mean '%s'?", reference->name,
                              suggest.best);
        else
                conf_error_at(loader->errors, &reference->place, "there is no handle '%s'",
                              reference->name);
}

static void check_names(struct conf_loader *loader, const struct conf_references *references,
                        size_t *budget) {
        for (size_t i = 0; i < references->n_items; i++)
                if (!configuration_find_handle(loader->configuration, references->items[i].name))
                        dangling(loader, &references->items[i], budget);
}

void conf_references_check(struct conf_loader *loader) {
        size_t budget = SUGGESTION_BUDGET;

        check_names(loader, &loader->of_handles, &budget);
        check_names(loader, &loader->of_sources, &budget);
}

static int compare_handle(const void *key, const void *item) {
        size_t handle = *(const size_t *)key;
        const struct conf_reference *reference = item;

        return handle < reference->handle ? -1 : handle > reference->handle;
}

/* Where a handle names another. They were added handle by handle, so they are in order. */
static const struct conf_place *place_of(const struct conf_loader *loader, size_t handle,
                                         const char *name) {
        const struct conf_references *references = &loader->of_handles;
        const struct conf_reference *found;

        found = bsearch(&handle, references->items, references->n_items, sizeof(*found),
                        compare_handle);
        while (found > references->items && found[-1].handle == handle)
                found--;
        while (strcmp(found->name, name) != 0)
                found++;
        return &found->place;
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
        conf_error_at(search->loader->errors,
                      place_of(search->loader,
                               (size_t)(last - search->loader->configuration->handles),
                               target->name),
                      "handles send to each other in a cycle: %s", text);
        return 0;
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
