/* Lists of strings without pointers: a tenth of the memory, and equal lists are equal bytes. NULL
 * is the list that is not there, in either form. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

size_t strv_packed_size(char *const *strv);
/* Writes that many bytes. */
void strv_pack(char *const *strv, char *to);
/* The first of a list that is not empty. */
const char *strv_packed_first(const char *packed);
size_t strv_packed_count(const char *packed);
/* A list ended by NULL, to be freed; its strings stand in `packed`. NULL: out of memory. */
char **strv_unpack(const char *packed);
bool strv_packed_equal(const char *a, const char *b);
