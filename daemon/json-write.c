/*
 * A writer without a state of its own: whether a comma is due shows in the last byte written. A
 * value ends with a quote, a bracket, a digit or a letter, and nothing else does; what opens a
 * container, a key's colon, and the newline of the text before end with something else.
 */

#include "daemon/json-write.h"

#include <string.h>

static inline void write_comma(struct buffer *buffer) {
        char last = buffer->n > 0 ? buffer->data[buffer->n - 1] : '\n';

        if (last != '{' && last != '[' && last != ':' && last != '\n')
                buffer_add_byte(buffer, ',');
}

void json_write_open(struct buffer *buffer, char bracket) {
        write_comma(buffer);
        buffer_add_byte(buffer, bracket);
}

void json_write_key_bytes(struct buffer *buffer, const char *key, size_t n) {
        char *to;

        write_comma(buffer);
        if (!buffer_reserve(buffer, n + 3))
                return;
        to = buffer->data + buffer->n;
        buffer->n += n + 3;
        *to++ = '"';
        to = mempcpy(to, key, n);
        *to++ = '"';
        *to = ':';
}

void json_write_bytes(struct buffer *buffer, const char *s, size_t n) {
        write_comma(buffer);
        rouse__buffer_add_json_bytes(buffer, s, n);
}

void json_write_string(struct buffer *buffer, const char *s) {
        if (s)
                json_write_bytes(buffer, s, strlen(s));
        else
                json_write_null(buffer);
}

void json_write_u64(struct buffer *buffer, uint64_t value) {
        write_comma(buffer);
        rouse__buffer_add_u64(buffer, value);
}

void json_write_i64(struct buffer *buffer, int64_t value) {
        write_comma(buffer);
        if (value < 0)
                buffer_add_byte(buffer, '-');
        rouse__buffer_add_u64(buffer, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void json_write_bool(struct buffer *buffer, bool value) {
        if (value)
                json_write_raw(buffer, "true", 4);
        else
                json_write_raw(buffer, "false", 5);
}

void json_write_null(struct buffer *buffer) {
        json_write_raw(buffer, "null", 4);
}

void json_write_raw(struct buffer *buffer, const char *text, size_t n) {
        write_comma(buffer);
        buffer_add(buffer, text, n);
}
