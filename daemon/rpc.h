/* JSON-RPC 2.0: takes the texts of one client, calls methods, puts their answers together. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "daemon/rpc-method.h"
#include "lib/list.h"

struct rpc;
struct rpc_batch;
struct rpc_call;
struct rpc_error;

/* What it needs of whoever embeds it. */
struct rpc_host {
        /* Whether to stop after this request and go on in a later turn. NULL: never. */
        bool (*turn_is_over)(struct rpc *rpc);
        /* Whether the call may be made; answers it if not. NULL: always. */
        bool (*admit)(struct rpc_call *call);
        /* Whether batches may hold more answers than they do. NULL: always. */
        bool (*has_room)(struct rpc *rpc);
        /* A text was added to `out` outside of rpc_take(). NULL: nobody needs to know. */
        void (*answered)(struct rpc *rpc);
};

struct rpc_counters {
        uint64_t requests, errors;
};

/* One conversation. */
struct rpc {
        const struct rpc_table *table;
        const struct rpc_host *host;
        struct rpc_counters *counters;
        struct buffer *out;              /* answers, a line each */
        struct list deferred;            /* calls that are answered later */
        struct list batches;             /* whose answers are not complete */
        size_t n_deferred;               /* what they weigh, at most LIMIT_IN_FLIGHT */
        size_t n_batch_bytes;            /* answers that wait for the rest of their batch */
        struct rpc_batch *unfinished;    /* the batch that rpc_take() is in the middle of … */
        size_t unfinished_at;            /* … and how far it has come */
        struct buffer strings, items;    /* scratch space of the request that is being taken */
        const struct rpc_error *refusal; /* what requests are answered from now on; or NULL */
        bool ended;
};

/* `out` and `counters` are borrowed. */
void rpc_init(struct rpc *rpc, const struct rpc_table *table, const struct rpc_host *host,
              struct rpc_counters *counters, struct buffer *out);
/* Answers the calls that wait, and from now on every request, with this error, so that rpc_take()
 * is not stopped in the middle of a batch any more. May be called within a method. */
void rpc_refuse(struct rpc *rpc, const struct rpc_error *error);
/* Cancels the calls that wait; nothing is answered any more. May be called within a method. */
void rpc_end(struct rpc *rpc);
/* After rpc_end(), and not within a method. */
void rpc_deinit(struct rpc *rpc);

/* Takes one text. True: done with it. False: the turn was over in the middle of a batch; call it
 * with the same text again. White space alone is nothing. */
bool rpc_take(struct rpc *rpc, const char *text, size_t n);
/* Answers instead of a text that was too long to be read. */
void rpc_take_too_long(struct rpc *rpc, size_t n_max);
