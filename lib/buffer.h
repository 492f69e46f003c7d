/* Bytes that grow. Appending to a buffer that failed does nothing: check `error` once, at the end.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct buffer {
        char *data;
        size_t n, n_alloc;
        int error; /* 0 or -ENOMEM */
};

#define BUFFER_NULL \
        { 0 }

void rouse__buffer_deinit(struct buffer *buffer); /* may be repeated */
/* Forgets the content and the error, keeps the memory. */
void rouse__buffer_clear(struct buffer *buffer);
/* Makes room for n more bytes after data + n. 0, or -ENOMEM. */
int rouse__buffer_reserve(struct buffer *buffer, size_t n);

void rouse__buffer_add(struct buffer *buffer, const void *bytes, size_t n);
void rouse__buffer_add_str(struct buffer *buffer, const char *string);
void rouse__buffer_add_u64(struct buffer *buffer, uint64_t number);
/* A JSON string, in quotes. Bytes that are not UTF-8 become U+FFFD. */
void rouse__buffer_add_json_string(struct buffer *buffer, const char *string);
