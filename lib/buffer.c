/*
 * A buffer doubles when it is full, so that adding costs the same however long it gets.
 *
 * Invariants: n <= size; data is NULL only while size is 0; `failed` is never taken back, because
 * something is missing in the middle from then on.
 */

#include "lib/buffer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"

#define MIN_SIZE 256U

void rouse__buffer_deinit(struct buffer *buffer) {
        free(buffer->data);
        *buffer = (struct buffer)BUFFER_NULL;
}

bool rouse__buffer_grow(struct buffer *buffer, size_t n_more) {
        size_t size = buffer->size ?: MIN_SIZE;
        char *data;

        if (n_more > SIZE_MAX / 2 - buffer->n) {
                buffer->failed = true;
                return false;
        }
        while (size - buffer->n < n_more)
                size *= 2;
        data = realloc(buffer->data, size);
        if (!data) {
                buffer->failed = true;
                return false;
        }
        buffer->data = data;
        buffer->size = size;
        return true;
}

void rouse__buffer_consume(struct buffer *buffer, size_t n) {
        if (n >= buffer->n) {
                buffer->n = 0;
                return;
        }
        if (n == 0)
                return;
        memmove(buffer->data, buffer->data + n, buffer->n - n);
        buffer->n -= n;
}

void rouse__buffer_trim(struct buffer *buffer, size_t max) {
        if (buffer->n == 0 && buffer->size > max) {
                free(buffer->data);
                buffer->data = NULL;
                buffer->size = 0;
        }
}

void rouse__buffer_add_u64(struct buffer *buffer, uint64_t number) {
        char digits[20];
        size_t at = sizeof(digits);

        do
                digits[--at] = (char)('0' + number % 10);
        while (number /= 10);
        buffer_add(buffer, digits + at, sizeof(digits) - at);
}

/* What a byte is written as when it cannot stand in a string for itself. */
static const char *escape(unsigned char c, char (*unicode)[8]) {
        static const char hex[] = "0123456789abcdef";

        switch (c) {
        case '"':
                return "\\\"";
        case '\\':
                return "\\\\";
        case '\n':
                return "\\n";
        case '\r':
                return "\\r";
        case '\t':
                return "\\t";
        default:
                memcpy(*unicode, "\\u00", 4);
                (*unicode)[4] = hex[c >> 4];
                (*unicode)[5] = hex[c & 15];
                (*unicode)[6] = '\0';
                return *unicode;
        }
}

void rouse__buffer_add_json_string(struct buffer *buffer, const char *string) {
        const char *end = string + strlen(string);
        char unicode[8];

        buffer_add(buffer, "\"", 1);
        while (string < end) {
                unsigned char c = (unsigned char)*string;
                size_t n = rouse__utf8_sequence(string, (size_t)(end - string));

                if (n == 0) {
                        buffer_add_str(buffer, "\xef\xbf\xbd");
                        string++;
                } else if (n == 1 && (c < 0x20 || c == 0x7f || c == '"' || c == '\\')) {
                        buffer_add_str(buffer, escape(c, &unicode));
                        string++;
                } else {
                        buffer_add(buffer, string, n);
                        string += n;
                }
        }
        buffer_add(buffer, "\"", 1);
}
