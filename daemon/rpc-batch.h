/* The answers of a batch, until they are complete. */
#pragma once

#include <stddef.h>

#include "lib/buffer.h"
#include "lib/list.h"

struct rpc;

struct rpc_batch {
        struct list link;
        size_t n_left;     /* members that are not answered, and one while it is being taken */
        struct buffer out; /* "[" and the answers */
};

/* NULL: no memory. It counts one member more than it has until rpc_batch_done() says otherwise. */
struct rpc_batch *rpc_batch_new(struct rpc *rpc);
struct rpc_batch *rpc_batch_free(struct rpc_batch *batch); /* returns NULL */

/* One member less is due. With the last one the answers leave as one text, and the batch is freed.
 */
void rpc_batch_done(struct rpc *rpc, struct rpc_batch *batch);
