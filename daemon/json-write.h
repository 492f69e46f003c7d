/* Writes JSON to the end of a buffer. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/buffer.h"

/* Commas come by themselves: a value or key that follows another one is set off from it. The buffer
 * is empty or ends with a newline where a text begins. */

void json_write_open(struct buffer *buffer, char bracket); /* '{' or '[' */
static inline void json_write_close(struct buffer *buffer, char bracket) {
        buffer_add_byte(buffer, bracket);
}

void json_write_key_bytes(struct buffer *buffer, const char *key, size_t n);
static inline void json_write_key(struct buffer *buffer, const char *key) { /* needs no escapes */
        json_write_key_bytes(buffer, key, strlen(key)); /* of a literal: known beforehand */
}
/* Bytes that are not UTF-8 become U+FFFD. */
void json_write_bytes(struct buffer *buffer, const char *s, size_t n);
void json_write_string(struct buffer *buffer, const char *s); /* NULL: null */
void json_write_u64(struct buffer *buffer, uint64_t value);
void json_write_i64(struct buffer *buffer, int64_t value);
void json_write_bool(struct buffer *buffer, bool value);
void json_write_null(struct buffer *buffer);
/* A value that is JSON already. */
void json_write_raw(struct buffer *buffer, const char *text, size_t n);
