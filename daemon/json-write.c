/*
 * A writer without a state of its own: whether a comma is due shows in the last byte written. A
 * value ends with a quote, a bracket, a digit or a letter, and nothing else does; what opens a
 * container, a key's colon, and the newline of the text before end with something else.
 */

#include "daemon/json-write.h"

#include <string.h>

#include "lib/utf8.h"

static void write_comma(struct buffer *buffer) {
        if (buffer->n > 0 && !strchr("{[:\n", buffer->data[buffer->n - 1]))
                buffer_add_byte(buffer, ',');
}

void json_write_open(struct buffer *buffer, char bracket) {
        write_comma(buffer);
        buffer_add_byte(buffer, bracket);
}

void json_write_key(struct buffer *buffer, const char *key) {
        write_comma(buffer);
        buffer_add_byte(buffer, '"');
        buffer_add(buffer, key, strlen(key));
        buffer_add_literal(buffer, "\":");
}

static void write_control(struct buffer *buffer, unsigned char c) {
        static const char from[] = "\b\f\n\r\t", into[] = "bfnrt", hex[] = "0123456789abcdef";
        const char *simple = c ? strchr(from, c) : NULL;

        if (simple) {
                buffer_add_byte(buffer, '\\');
                buffer_add_byte(buffer, into[simple - from]);
                return;
        }
        buffer_add_literal(buffer, "\\u00");
        buffer_add_byte(buffer, hex[c >> 4]);
        buffer_add_byte(buffer, hex[c & 0xf]);
}

void json_write_bytes(struct buffer *buffer, const char *s, size_t n) {
        const char *end = s + n, *plain = s;

        write_comma(buffer);
        buffer_add_byte(buffer, '"');
        while (s < end) {
                unsigned char c = (unsigned char)*s;
                size_t n_char = rouse__utf8_sequence(s, (size_t)(end - s));

                if (n_char > 0 && c >= 0x20 && c != '"' && c != '\\') {
                        s += n_char;
                        continue;
                }
                buffer_add(buffer, plain, (size_t)(s - plain));
                if (n_char == 0) {
                        buffer_add_literal(buffer, "\xef\xbf\xbd");
                } else if (c < 0x20) {
                        write_control(buffer, c);
                } else {
                        buffer_add_byte(buffer, '\\');
                        buffer_add_byte(buffer, (char)c);
                }
                plain = ++s;
        }
        buffer_add(buffer, plain, (size_t)(s - plain));
        buffer_add_byte(buffer, '"');
}

void json_write_string(struct buffer *buffer, const char *s) {
        if (s)
                json_write_bytes(buffer, s, strlen(s));
        else
                json_write_null(buffer);
}

void json_write_u64(struct buffer *buffer, uint64_t value) {
        char digits[20];
        size_t at = sizeof(digits);

        do {
                digits[--at] = (char)('0' + value % 10);
                value /= 10;
        } while (value);
        json_write_raw(buffer, digits + at, sizeof(digits) - at);
}

void json_write_i64(struct buffer *buffer, int64_t value) {
        char digits[21];
        size_t at = sizeof(digits);
        uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

        do {
                digits[--at] = (char)('0' + rest % 10);
                rest /= 10;
        } while (rest);
        if (value < 0)
                digits[--at] = '-';
        json_write_raw(buffer, digits + at, sizeof(digits) - at);
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
