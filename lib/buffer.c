/*
 * Growing doubles the memory, so that adding n bytes costs O(n) in all. After a failure the content
 * is what it was, `error` stands, and nothing more is added: text is whole or known not to be.
 */

#include "lib/buffer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"

void rouse__buffer_deinit(struct buffer *buffer) {
        free(buffer->data);
        *buffer = (struct buffer)BUFFER_NULL;
}

void rouse__buffer_clear(struct buffer *buffer) {
        buffer->n = 0;
        buffer->error = 0;
}

int rouse__buffer_reserve(struct buffer *buffer, size_t n) {
        size_t n_alloc = buffer->n_alloc ?: 256;
        char *data;

        if (buffer->error)
                return buffer->error;
        if (buffer->n_alloc - buffer->n >= n)
                return 0;
        if (n > SIZE_MAX / 2 - buffer->n)
                return buffer->error = -ENOMEM;
        while (n_alloc - buffer->n < n)
                n_alloc *= 2;
        data = realloc(buffer->data, n_alloc);
        if (!data)
                return buffer->error = -ENOMEM;
        buffer->data = data;
        buffer->n_alloc = n_alloc;
        return 0;
}

void rouse__buffer_add(struct buffer *buffer, const void *bytes, size_t n) {
        if (n == 0 || rouse__buffer_reserve(buffer, n) < 0)
                return;
        memcpy(buffer->data + buffer->n, bytes, n);
        buffer->n += n;
}

void rouse__buffer_add_str(struct buffer *buffer, const char *string) {
        rouse__buffer_add(buffer, string, strlen(string));
}

void rouse__buffer_add_u64(struct buffer *buffer, uint64_t number) {
        char digits[20];
        size_t at = sizeof(digits);

        do
                digits[--at] = (char)('0' + number % 10);
        while (number /= 10);
        rouse__buffer_add(buffer, digits + at, sizeof(digits) - at);
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

        rouse__buffer_add(buffer, "\"", 1);
        while (string < end) {
                unsigned char c = (unsigned char)*string;
                size_t n = rouse__utf8_sequence(string, (size_t)(end - string));

                if (n == 0) {
                        rouse__buffer_add_str(buffer, "\xef\xbf\xbd");
                        string++;
                } else if (n == 1 && (c < 0x20 || c == 0x7f || c == '"' || c == '\\')) {
                        rouse__buffer_add_str(buffer, escape(c, &unicode));
                        string++;
                } else {
                        rouse__buffer_add(buffer, string, n);
                        string += n;
                }
        }
        rouse__buffer_add(buffer, "\"", 1);
}
