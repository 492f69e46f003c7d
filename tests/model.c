/* See the header. Open addressing; states stand in the order in which they were found. */

#include "tests/model.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support.h"

#define N_TABLE (2 * MODEL_MAX_STATES)

void model_init(struct model *model, size_t state_size) {
        *model = (struct model){
                .state_size = state_size,
                .states = calloc(MODEL_MAX_STATES, state_size),
                .table = calloc(N_TABLE, sizeof(uint32_t)),
        };
        ck_assert(model->states && model->table);
}

void model_deinit(struct model *model) {
        free(model->states);
        free(model->table);
}

static uint32_t hash(const unsigned char *bytes, size_t n) {
        uint32_t h = 2166136261U;

        for (size_t i = 0; i < n; i++)
                h = (h ^ bytes[i]) * 16777619U;
        return h;
}

void model_found(struct model *model, const void *state) {
        size_t size = model->state_size;
        uint32_t i = hash(state, size) % N_TABLE;

        for (; model->table[i]; i = (i + 1) % N_TABLE)
                if (memcmp(model->states + (model->table[i] - 1) * size, state, size) == 0)
                        return;
        ck_assert_uint_lt(model->n_states, MODEL_MAX_STATES);
        memcpy(model->states + model->n_states++ * size, state, size);
        model->table[i] = (uint32_t)model->n_states;
}

bool model_next(struct model *model, void *ret_state) {
        if (model->n_seen == model->n_states)
                return false;
        memcpy(ret_state, model->states + model->n_seen++ * model->state_size, model->state_size);
        return true;
}
