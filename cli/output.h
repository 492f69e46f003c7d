/* Standard output, collected and written in large pieces. The first failure stands; out_end() tells
 * of it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void out(const char *text);
void out_bytes(const void *bytes, size_t n);
void out_u64(uint64_t number);
/* A JSON string, in quotes. */
void out_json_string(const char *text);
/* Text of others, control characters made harmless, padded with blanks to `width` columns. */
void out_text(const char *text, size_t width);
void outf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes what was collected. False once anything could not be written. */
bool out_flush(void);
/* For the end: flushes, and says on standard error what went wrong. EXIT_FAILED in that case, else
 * `code`. */
int out_end(int code);
/* Whether the failure is that the reader is gone. Who asks takes that for none, and out_end() does
 * not tell of it either. */
bool out_is_closed(void);
