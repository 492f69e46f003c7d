/*
 * Endings run in the order in which they were asked for, each as soon as its handle is off the
 * pending list and all before it have run. A handle is in limbo, closed, while its first sender is
 * on the way to push it, or until the pass after that.
 */

#include "lib/ending.h"

#include <stdlib.h>

#include "lib/handle.h"

static bool is_due(const struct list *link) {
        const struct ending *ending = container_of(link, const struct ending, link);

        /* Relaxed: the loop thread itself clears the flag of a closed handle. */
        return !(atomic_load_explicit(&ending->handle->word, memory_order_relaxed) & WORD_LIMBO);
}

bool rouse__endings_are_due(struct list *endings) {
        struct list *first = list_first(endings);

        return first && is_due(first);
}

void rouse__endings_run(struct list *endings) {
        struct list *last = endings->prev;
        struct list *link;

        while ((link = list_first(endings)) && is_due(link)) {
                struct ending *ending = container_of(link, struct ending, link);
                rouse_close_cb cb = ending->cb;
                void *arg = ending->arg;

                list_remove(link);
                rouse__handle_release(ending->handle);
                free(ending);
                if (cb)
                        cb(arg);
                if (link == last)
                        return;
        }
}
