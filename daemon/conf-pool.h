/* Values of a configuration that recur: equal ones are kept once, in the configuration's arena. */
#pragma once

#include <stddef.h>

struct conf_arena;
struct conf_pool_slot;

struct conf_pool {
        struct conf_arena *arena;
        struct conf_pool_slot *slots; /* made when they are first needed */
};

void conf_pool_init(struct conf_pool *pool, struct conf_arena *arena);
void conf_pool_deinit(struct conf_pool *pool); /* what was kept stays in the arena */

/* Something equal to these bytes, padding included, aligned for pointers. NULL: out of memory. */
const void *conf_pool_keep(struct conf_pool *pool, const void *bytes, size_t n_bytes);
/* The same without alignment. */
const char *conf_pool_keep_text(struct conf_pool *pool, const char *text, size_t n_text);
