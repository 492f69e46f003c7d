/* Memory that is taken in small pieces and given back all at once. */
#pragma once

#include <stddef.h>

struct conf_arena_chunk;

struct conf_arena {
        struct conf_arena_chunk *chunks;
        char *front, *back; /* what is left of the newest chunk */
};

#define CONF_ARENA_NULL \
        { 0 }

void conf_arena_deinit(struct conf_arena *arena); /* may be repeated */

/* Gives back what was taken since `mark`, which is a copy of the arena at that time. */
void conf_arena_rewind(struct conf_arena *arena, struct conf_arena mark);

/* Aligned for pointers; NULL if out of memory. */
void *conf_arena_alloc(struct conf_arena *arena, size_t n_bytes);
/* A copy of n_text bytes and a NUL after them; NULL if out of memory. */
char *conf_arena_strndup(struct conf_arena *arena, const char *text, size_t n_text);
