/* A thread of the daemon that hosts sources on a loop of its own. */
#pragma once

#include <stdbool.h>

#include "lib/rouse.h"

struct mailbox;
struct worker;
struct worker_conf;

/* How a worker finds the handle that a source sends to; loop thread, during worker_new() only.
 * Returns a reference that the worker owns, or NULL. */
typedef rouse_async_t *(*worker_resolve_fn)(void *arg, const char *name);

/* Loop thread. `conf` is shared with the worker and must outlive it. The thread runs when this
 * returns, and its sources are open: 0, or negative errno and nothing is left; -ENOENT: `resolve`
 * did not know a target. Signals that sources wait for must be unblocked in the calling thread: the
 * worker blocks all. */
int worker_new(const struct worker_conf *conf, struct mailbox *mailbox, worker_resolve_fn resolve,
               void *arg, struct worker **ret);
/* Loop thread. Stops the sources, joins the thread. To replace a worker without missing anything
 * in between, make the new one first. Returns NULL. */
struct worker *worker_free(struct worker *worker);
/* Loop thread. Whether `resolve` still finds the very handles that the sources send to. */
bool worker_targets_are(const struct worker *worker, worker_resolve_fn resolve, void *arg);
const struct worker_conf *worker_get_conf(const struct worker *worker);
