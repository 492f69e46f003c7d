/* A bounded queue of named sends from the workers' threads to the loop thread. */
#pragma once

#include <stddef.h>

#include "lib/rouse.h"

struct mailbox;

/* Called on the loop thread for each letter; the pointers are valid during the call only. async is
 * the addressed handle where the sender had it, else NULL and `name` says it. */
typedef void (*mailbox_cb)(void *arg, rouse_async_t *async, const char *name, const char *key,
                           size_t n_key);

/* Loop thread. Makes an anonymous handle on the hub, which closes with mailbox_free(). */
int mailbox_new(rouse_hub_t *hub, mailbox_cb cb, void *arg, struct mailbox **ret);
/* Loop thread, after every thread that posts was joined; also in its own callback. Letters that
 * were not delivered are dropped. Returns NULL. */
struct mailbox *mailbox_free(struct mailbox *mailbox);

/* Any thread. Each letter that was taken is delivered once, those of a thread in its order. The key
 * may be NULL if n_key is 0. 0; -EAGAIN: no room now (LIMIT_MAILBOX_BYTES); -EINVAL: name or key is
 * longer than any may be. */
int mailbox_post(struct mailbox *mailbox, rouse_async_t *async, const char *name, const char *key,
                 size_t n_key);
/* Loop thread. Delivers within the call what is there now, for whoever cannot wait for the loop:
 * before names change their meaning, and before the end. */
void mailbox_deliver(struct mailbox *mailbox);
