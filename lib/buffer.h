/* Bytes that grow at the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Lack of memory is remembered rather than reported: whoever adds goes on, and whoever uses what
 * was built looks at `failed` first. */
struct buffer {
        char *data;
        size_t n, size;
        bool failed;
};

#define BUFFER_NULL \
        { 0 }

void rouse__buffer_deinit(struct buffer *buffer); /* may be repeated */

/* Makes room for n_more bytes; false, and `failed` is set, if there is none. */
bool rouse__buffer_grow(struct buffer *buffer, size_t n_more);

static inline bool buffer_reserve(struct buffer *buffer, size_t n_more) {
        return __builtin_expect(buffer->size - buffer->n >= n_more, 1) ||
               rouse__buffer_grow(buffer, n_more);
}

static inline void buffer_add(struct buffer *buffer, const void *data, size_t n) {
        if (n && buffer_reserve(buffer, n)) {
                memcpy(buffer->data + buffer->n, data, n);
                buffer->n += n;
        }
}

static inline void buffer_add_byte(struct buffer *buffer, char byte) {
        if (buffer_reserve(buffer, 1))
                buffer->data[buffer->n++] = byte;
}

#define buffer_add_literal(buffer, literal) buffer_add((buffer), "" literal, sizeof(literal) - 1)

/* Drops what stands behind the first n bytes. */
static inline void buffer_truncate(struct buffer *buffer, size_t n) {
        if (n < buffer->n)
                buffer->n = n;
}

/* Drops the first n bytes. */
void rouse__buffer_consume(struct buffer *buffer, size_t n);
/* Gives back memory beyond `max` bytes if the buffer holds nothing. */
void rouse__buffer_trim(struct buffer *buffer, size_t max);

/* Forgets the content and the failure, keeps the memory. */
static inline void buffer_clear(struct buffer *buffer) {
        buffer->n = 0;
        buffer->failed = false;
}

static inline void buffer_add_str(struct buffer *buffer, const char *string) {
        buffer_add(buffer, string, strlen(string));
}

void rouse__buffer_add_u64(struct buffer *buffer, uint64_t number);
/* A JSON string, in quotes. Bytes that are not UTF-8 become U+FFFD. */
void rouse__buffer_add_json_bytes(struct buffer *buffer, const char *s, size_t n);
static inline void buffer_add_json_string(struct buffer *buffer, const char *string) {
        rouse__buffer_add_json_bytes(buffer, string, strlen(string));
}
