/* A thread of the daemon that hosts sources on a loop of its own. */
#pragma once

#include "lib/rouse.h"

struct mailbox;
struct worker;
struct worker_conf;

/* All: loop thread. Signals that sources wait for must be unblocked there: workers block all. */

/* How a worker finds the handle that a source sends to, within worker_new() and worker_extend()
 * only. Returns a reference that the worker owns, or NULL. */
typedef rouse_async_t *(*worker_resolve_fn)(void *arg, const char *name);

/* The thread runs when this returns, and all sources of `conf` are open: 0, or an error of
 * worker_extend(), or of making a thread, and nothing is left. */
int worker_new(const struct worker_conf *conf, struct mailbox *mailbox, worker_resolve_fn resolve,
               void *arg, struct worker **ret);
/* Stops the sources, joins the thread. Returns NULL. */
struct worker *worker_free(struct worker *worker);

/*
 * To change a worker, extend it, then prune it; to let nothing fall between when a source moves
 * from one worker to another, extend all before any is pruned or freed.
 *
 * worker_extend() opens the sources that `conf` has and the worker has not. Those that are equal
 * and would send to the very same handle go on untouched. 0; -ENOENT: `resolve` did not know a
 * target; -ENOMEM, -EMFILE, -ENFILE: a source cannot be opened. After an error the worker is as it
 * was.
 *
 * worker_prune() closes those that the last extension found in the worker and not in its `conf`.
 * What they have sent is on its way, and they send nothing any more when it returns.
 */
int worker_extend(struct worker *worker, const struct worker_conf *conf, worker_resolve_fn resolve,
                  void *arg);
void worker_prune(struct worker *worker);

const char *worker_name(const struct worker *worker);
