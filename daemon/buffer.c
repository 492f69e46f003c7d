/*
 * A buffer doubles when it is full, so that adding costs the same however long it gets.
 *
 * Invariants: n <= size; data is NULL only while size is 0; `failed` is never taken back, because
 * something is missing in the middle from then on.
 */

#include "daemon/buffer.h"

#include <stdint.h>
#include <stdlib.h>

#define MIN_SIZE 256U

void buffer_deinit(struct buffer *buffer) {
        free(buffer->data);
        *buffer = (struct buffer)BUFFER_NULL;
}

bool buffer_grow(struct buffer *buffer, size_t n_more) {
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

void buffer_consume(struct buffer *buffer, size_t n) {
        if (n >= buffer->n) {
                buffer->n = 0;
                return;
        }
        if (n == 0)
                return;
        memmove(buffer->data, buffer->data + n, buffer->n - n);
        buffer->n -= n;
}

void buffer_trim(struct buffer *buffer, size_t max) {
        if (buffer->n == 0 && buffer->size > max) {
                free(buffer->data);
                buffer->data = NULL;
                buffer->size = 0;
        }
}
