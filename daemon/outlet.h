/* How a source's sends leave its worker's thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/rouse.h"

/* The way out of one source. Any thread. */
struct outlet {
        rouse_async_t *async; /* retained; the target, or NULL for a source that reads names */
        struct mailbox *mailbox;
};

/* Wakes the target. Lock-free. */
void outlet_send(struct outlet *outlet);

/* A send by name, as a fifo reads it, or with a key (n_key bytes, may be 0): it goes through the
 * daemon's mailbox. name NULL: the outlet's own target. 0, or -EAGAIN: the mailbox is full, hold
 * back and try again soon; nothing was lost. -EINVAL: not a legal name. */
int outlet_send_named(struct outlet *outlet, const char *name, const char *key, size_t n_key);

/* Tells the outlet's own target that keys are missing: its run is to look at everything. As
 * outlet_send_named(). */
int outlet_send_overflow(struct outlet *outlet);
