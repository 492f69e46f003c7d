/*
 * Members of a batch are answered in any order, and their answers leave together. Batches are
 * listed in their conversation, which counts the bytes they hold: that is what bounds them.
 *
 * A batch of notifications alone leaves nothing at all, not even an empty array.
 */

#include "daemon/rpc-batch.h"

#include <stdlib.h>

#include "daemon/json-write.h"
#include "daemon/rpc.h"

struct rpc_batch *rpc_batch_free(struct rpc_batch *batch) {
        list_remove(&batch->link);
        rouse__buffer_deinit(&batch->out);
        free(batch);
        return NULL;
}

struct rpc_batch *rpc_batch_new(struct rpc *rpc) {
        struct rpc_batch *batch = calloc(1, sizeof(*batch));

        if (!batch)
                return NULL;
        batch->n_left = 1;
        json_write_open(&batch->out, '[');
        list_append(&rpc->batches, &batch->link);
        rpc->n_batch_bytes += batch->out.n;
        return batch;
}

void rpc_batch_done(struct rpc *rpc, struct rpc_batch *batch) {
        if (--batch->n_left > 0)
                return;
        rpc->n_batch_bytes -= batch->out.n;
        if (batch->out.n > 1) {
                buffer_add(rpc->out, batch->out.data, batch->out.n);
                buffer_add_literal(rpc->out, "]\n");
        }
        rpc->out->failed |= batch->out.failed;
        rpc_batch_free(batch);
}
