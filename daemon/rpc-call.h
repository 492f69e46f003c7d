/* A request on its way, and how a method answers it: once, with a result or an error. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/json-text.h"

struct buffer;
struct rpc;
struct rpc_batch;
struct rpc_error;
struct rpc_method;

/* The id is valid until it is answered. */
struct rpc_call {
        struct rpc *rpc;
        const struct rpc_method *method;
        struct rpc_batch *batch; /* or NULL */
        struct json_text id;     /* none: a notification, whose answer nobody wants */
        size_t start;            /* where its answer begins */
        bool is_deferred;
};

static inline bool rpc_call_wants_answer(const struct rpc_call *call) {
        return call->id.at;
}

/* The answer comes later: `cancel(arg)` is called if it is not wanted any more, and the call must
 * not be answered then. Returns the call to answer instead of this one; NULL: it was answered,
 * because too many wait or there is no memory. `weight` counts against LIMIT_IN_FLIGHT. */
struct rpc_call *rpc_call_defer(struct rpc_call *call, size_t weight, void (*cancel)(void *arg),
                                void *arg);
/* Cancels the calls of a conversation that wait; they are answered with `error`, or, where that is
 * NULL, not at all. */
void rpc_call_cancel_all(struct rpc *rpc, const struct rpc_error *error);

/* Everything between begin and end writes one JSON value, and nothing else answers a call of the
 * same conversation meanwhile. */
struct buffer *rpc_result_begin(struct rpc_call *call);
void rpc_result_end(struct rpc_call *call);

/* An error with a sentence for people, or the usual one (format NULL). `name` is what it concerns;
 * or NULL. */
void rpc_fail(struct rpc_call *call, const struct rpc_error *error, const char *name,
              const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The same, for errors with a reason, with more members of `data`: they are written between begin
 * and end. */
struct buffer *rpc_fail_begin(struct rpc_call *call, const struct rpc_error *error,
                              const char *format, ...) __attribute__((format(printf, 3, 4)));
void rpc_fail_end(struct rpc_call *call);
/* For negative errno where nothing better is known: -ENOMEM and our own mistakes. */
void rpc_fail_errno(struct rpc_call *call, int error);
