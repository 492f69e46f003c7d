/*
 * Endings run in the order in which they were asked for, each as soon as its handle is off the
 * pending list and all before it have run. A handle is in limbo, closed, while its first sender is
 * on the way to push it, or until the pass after that.
 */

#include "lib/ending.h"

#include <stdlib.h>

void rouse__endings_run(struct list *endings) {
        struct list *last = endings->prev;
        struct list *link;

        while ((link = list_first(endings)) && rouse__ending_is_due(link)) {
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
