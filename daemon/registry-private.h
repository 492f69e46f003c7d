/* The inside of the registry, for its files. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/handle-context.h"
#include "daemon/handle.h"
#include "daemon/registry.h"

struct configuration;

struct registry {
        struct handle_context context;
        struct configuration *configuration; /* counted; the newest */
        size_t n_handles;                    /* open ones */
        size_t n_created;
        size_t n_retiring, n_retiring_fans; /* of them those that send to other handles */
        bool is_applying;                   /* a configuration */
        struct list closed;                 /* still shown, the oldest first … */
        struct names closed_names;          /* … and by name; their hashes are the hub's */
        struct list watches;
        struct handle_stats gone; /* counters of handles that are no more */
        /* While stopping. */
        uint64_t n_wakes_at_mark;
        bool is_settled; /* all sends have become wakes */
        void (*idle_cb)(void *arg);
        void *idle_arg;
};

/* Makes a handle and shows it. conf NULL: without an action. As registry_create(). */
int registry_add(struct registry *registry, const char *name, const struct handle_conf *conf,
                 struct handle **ret);
/* Discards a closed one that is shown. */
void registry_forget_closed(struct registry *registry, struct handle *handle);
/* It retires, and nothing is left to do for it. Closes it as soon as nobody is left who may send to
 * it. */
void registry_retire(struct registry *registry, struct handle *handle);
/* A handle was closed: if it retired, it does not any more. */
void registry_retiring_closed(struct registry *registry, struct handle *handle);
