/* Text of others in a bounded number of a terminal's columns. Pure. */
#pragma once

#include <stddef.h>

struct buffer;

/* How many columns the text takes. */
size_t cell_width(const char *text);

/* Adds the text, or of one that takes more than `most` columns as much as there is room for and a
 * mark. What could steer a terminal, or is not UTF-8, becomes a question mark. Returns how many
 * columns it took. */
size_t cell_add(struct buffer *out, const char *text, size_t most);
