/* The callback that is due when a closed handle is left by everybody. */
#pragma once

#include "lib/handle.h"
#include "lib/list.h"

struct ending {
        struct list link;
        rouse_handle_t *handle; /* a reference */
        rouse_close_cb cb;
        void *arg;
};

/* Runs those that are due and were asked for before the call, in order. Loop thread. */
void rouse__endings_run(struct list *endings);

static inline bool rouse__ending_is_due(const struct list *link) {
        const struct ending *ending = container_of(link, const struct ending, link);

        /* Relaxed: the loop thread itself clears the flag of a closed handle. */
        return !(atomic_load_explicit(&ending->handle->word, memory_order_relaxed) & WORD_LIMBO);
}

/* Whether the first is due. */
static inline bool rouse__endings_are_due(const struct list *endings) {
        return !list_is_empty(endings) && rouse__ending_is_due(endings->next);
}
