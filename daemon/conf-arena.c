/*
 * Chunks come from mmap and go back by munmap, so that what a big configuration needed while it was
 * read leaves the process, whatever malloc's heap looks like by then. Pages of a chunk that are
 * never touched cost nothing, so one size serves small files too.
 *
 * Structs grow from the front of a chunk and strings from its back: strings need no alignment and
 * are packed without gaps. A request that does not fit gets a chunk of its own size if it is big,
 * else a new chunk, and what is left of the old one stays unused.
 *
 * Under AddressSanitizer each piece is an allocation of its own, so that reading past its end is
 * seen.
 */
#include "daemon/conf-arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SEPARATE_PIECES 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SEPARATE_PIECES 1
#endif

#define CHUNK_BYTES ((size_t)1 << 20)
#define PIECE_ALIGN alignof(void *)

struct conf_arena_chunk {
        struct conf_arena_chunk *next;
        size_t n_bytes; /* this header included */
};

#ifdef SEPARATE_PIECES

static struct conf_arena_chunk *chunk_new(size_t n_bytes) {
        return calloc(1, n_bytes);
}

static void chunk_free(struct conf_arena_chunk *chunk) {
        free(chunk);
}

static size_t chunk_size(size_t n_bytes) {
        return n_bytes;
}

#else

static struct conf_arena_chunk *chunk_new(size_t n_bytes) {
        void *memory;

        memory = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return memory == MAP_FAILED ? NULL : memory;
}

static void chunk_free(struct conf_arena_chunk *chunk) {
        munmap(chunk, chunk->n_bytes);
}

static size_t chunk_size(size_t n_bytes) {
        return n_bytes < CHUNK_BYTES / 4 ? CHUNK_BYTES : n_bytes;
}

#endif

void conf_arena_rewind(struct conf_arena *arena, struct conf_arena mark) {
        while (arena->chunks != mark.chunks) {
                struct conf_arena_chunk *chunk = arena->chunks;

                arena->chunks = chunk->next;
                chunk_free(chunk);
        }
        *arena = mark;
}

void conf_arena_deinit(struct conf_arena *arena) {
        conf_arena_rewind(arena, (struct conf_arena)CONF_ARENA_NULL);
}

/* Makes room for n_bytes between front and back. */
static bool reserve(struct conf_arena *arena, size_t n_bytes) {
        struct conf_arena_chunk *chunk;
        size_t n_chunk;

        if (arena->chunks && (size_t)(arena->back - arena->front) >= n_bytes)
                return true;
        if (n_bytes > SIZE_MAX / 2)
                return false;
        n_chunk = chunk_size(sizeof(*chunk) + n_bytes);
        chunk = chunk_new(n_chunk);
        if (!chunk)
                return false;
        chunk->n_bytes = n_chunk;
        chunk->next = arena->chunks;
        arena->chunks = chunk;
        arena->front = (char *)(chunk + 1);
        arena->back = (char *)chunk + n_chunk;
        return true;
}

void *conf_arena_alloc(struct conf_arena *arena, size_t n_bytes) {
        void *memory;

        if (n_bytes > SIZE_MAX / 4)
                return NULL;
        n_bytes = (n_bytes + PIECE_ALIGN - 1) & ~(PIECE_ALIGN - 1);
        if (!reserve(arena, n_bytes))
                return NULL;
        memory = arena->front;
        arena->front += n_bytes;
        return memory;
}

char *conf_arena_strndup(struct conf_arena *arena, const char *text, size_t n_text) {
        if (!reserve(arena, n_text + 1))
                return NULL;
        arena->back -= n_text + 1;
        memcpy(arena->back, text, n_text);
        arena->back[n_text] = 0;
        return arena->back;
}
