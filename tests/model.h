/* Goes through all states that can be reached from a first one. States are compared as bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_MAX_STATES (1U << 20)

struct model {
        size_t state_size;
        unsigned char *states; /* found so far; also the queue of those to look at */
        size_t n_states, n_seen;
        uint32_t *table; /* hash table of indexes + 1 */
};

void model_init(struct model *model, size_t state_size);
void model_deinit(struct model *model);
/* A state that can be reached; of one that was found before nothing is noted. */
void model_found(struct model *model, const void *state);
/* The next state to look at; false: that was all. */
bool model_next(struct model *model, void *ret_state);
