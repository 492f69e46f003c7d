/* The callback that is due when a closed handle is left by everybody. */
#pragma once

#include "lib/list.h"
#include "lib/rouse.h"

struct ending {
        struct list link;
        rouse_handle_t *handle; /* a reference */
        rouse_close_cb cb;
        void *arg;
};

/* Runs those that are due and were asked for before the call, in order. Loop thread. */
void rouse__endings_run(struct list *endings);
/* Whether the first is due. */
bool rouse__endings_are_due(struct list *endings);
