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
#define N_DIGITS 20 /* of 2^64 - 1 */

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
        char digits[N_DIGITS];
        char *at = digits + N_DIGITS, *to;

        if (number < 10) {
                buffer_add_byte(buffer, (char)('0' + number));
                return;
        }
        do
                *--at = (char)('0' + number % 10);
        while (number /= 10);
        if (!buffer_reserve(buffer, N_DIGITS))
                return;
        /* Few bytes: a loop is done before memcpy() is called. */
        to = buffer->data + buffer->n;
        buffer->n += (size_t)(digits + N_DIGITS - at);
        while (at < digits + N_DIGITS)
                *to++ = *at++;
}

/* What cannot stand in a string for itself. DEL could, but nobody wants it on a terminal. */
static void add_escape(struct buffer *buffer, char c) {
        static const char from[] = "\"\\\b\f\n\r\t", into[] = "\"\\bfnrt",
                          hex[] = "0123456789abcdef";
        const char *simple = memchr(from, c, sizeof(from) - 1);
        char unicode[] = "\\u00xx";

        if (simple) {
                buffer_add_byte(buffer, '\\');
                buffer_add_byte(buffer, into[simple - from]);
                return;
        }
        unicode[4] = hex[(unsigned char)c >> 4];
        unicode[5] = hex[(unsigned char)c & 0xf];
        buffer_add(buffer, unicode, 6);
}

/* Stands in a string for itself, and is one byte. */
static const bool is_plain[256] = {
        [0x20 ... '"' - 1] = true,
        ['"' + 1 ... '\\' - 1] = true,
        ['\\' + 1 ... 0x7e] = true,
};

void rouse__buffer_add_json_bytes(struct buffer *buffer, const char *s, size_t n) {
        const char *end = s + n, *plain = s;

        buffer_add_byte(buffer, '"');
        while (s < end) {
                unsigned char c = (unsigned char)*s;
                size_t n_char;

                if (is_plain[c]) {
                        s++;
                        continue;
                }
                n_char = rouse__utf8_sequence(s, (size_t)(end - s));
                if (n_char > 1) {
                        s += n_char;
                        continue;
                }
                buffer_add(buffer, plain, (size_t)(s - plain));
                if (n_char == 0)
                        buffer_add_literal(buffer, "\xef\xbf\xbd");
                else
                        add_escape(buffer, *s);
                plain = ++s;
        }
        buffer_add(buffer, plain, (size_t)(s - plain));
        buffer_add_byte(buffer, '"');
}
