/* What `top` shows: the daemon and its handles at one moment, and what became of them since the
 * moment before. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "lib/json-value.h"

enum top_rate { TOP_SENDS, TOP_WAKES, TOP_RUNS, TOP_N_RATES };

/* Ranks are those of the states, what matters most first; of one that is not known, the rank after
 * those that have something to say. */
#define TOP_N_RANKS 12
const char *top_rank_name(unsigned int rank);

struct top_handle {
        struct json_text json; /* as `list` shows it */
        struct json_text name; /* as it is written there, a string */
        uint64_t seq;
        double wakes_per_s; /* negative: not known */
        unsigned int rank;
};

struct top_picture {
        struct buffer text; /* the daemon's answers; everything below points into it */
        uint64_t taken_ns;
        struct json_text stats; /* JSON_TYPE_NOTHING: they were refused */
        char refusal[256];      /* the daemon's words for that */
        double per_s[TOP_N_RATES];
        size_t n_handles, n_of_rank[TOP_N_RANKS];
        struct top_handle *handles;      /* by name */
        const struct top_handle **order; /* by what matters most */
};

#define TOP_PICTURE_NULL \
        { .n_handles = 0 }

/* Makes a picture of the answers to `stats` (JSON_TEXT_NULL, and `refusal`, if they were refused)
 * and `list`, which it copies. `before` is the picture before, or an empty one. 0 or -ENOMEM. */
int top_picture_init(struct top_picture *picture, struct json_text stats, const char *refusal,
                     struct json_text list, uint64_t taken_ns, const struct top_picture *before);
void top_picture_deinit(struct top_picture *picture); /* may be repeated */
