/* How `top` lays a picture out, as a page or as JSON. Pure. */
#pragma once

#include <stddef.h>

struct buffer;
struct top_picture;

/* SIZE_MAX: no bound. */
struct top_size {
        size_t n_rows, n_columns;
};

/* Adds lines: what the daemon does, then the handles that matter most, as many as fit. */
void top_table_add(struct buffer *out, const struct top_picture *picture, struct top_size size);
/* Adds one line, with all handles. */
void top_table_add_json(struct buffer *out, const struct top_picture *picture);
