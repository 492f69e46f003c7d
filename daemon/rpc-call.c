/*
 * A method writes its answer straight to where it leaves from, between a head and a tail that stand
 * here. Nothing is allocated for a call that is answered at once; one that is answered later is
 * copied with its id, and listed in its conversation, so that it can be cancelled.
 *
 * Invariants: the answer of a notification is written and taken back, so that methods need not
 * know; what waits is bounded by LIMIT_IN_FLIGHT.
 */

#include "daemon/rpc-call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/json-write.h"
#include "daemon/limits.h"
#include "daemon/rpc-batch.h"
#include "daemon/rpc-error.h"
#include "daemon/rpc.h"

struct deferred {
        struct rpc_call call;
        struct list link;
        size_t weight;
        void (*cancel)(void *arg);
        void *arg;
        char id[];
};

static struct buffer *call_out(const struct rpc_call *call) {
        return call->batch ? &call->batch->out : call->rpc->out;
}

static struct buffer *answer_begin(struct rpc_call *call, const char *head, size_t n_head) {
        struct buffer *out = call_out(call);

        call->start = out->n;
        json_write_raw(out, head, n_head);
        return out;
}

static void answer_end(struct rpc_call *call) {
        struct rpc *rpc = call->rpc;
        struct rpc_batch *batch = call->batch;
        struct buffer *out = call_out(call);

        if (call->id.at) {
                buffer_add_literal(out, ",\"id\":");
                buffer_add(out, call->id.at, call->id.n);
                if (batch)
                        buffer_add_literal(out, "}");
                else
                        buffer_add_literal(out, "}\n");
        } else {
                buffer_truncate(out, call->start);
        }
        if (batch) {
                rpc->n_batch_bytes += out->n - call->start;
                rpc_batch_done(rpc, batch);
        }
}

static struct deferred *deferred_free(struct deferred *deferred) {
        deferred->call.rpc->n_deferred -= deferred->weight;
        list_remove(&deferred->link);
        free(deferred);
        return NULL;
}

static void call_done(struct rpc_call *call) {
        struct rpc *rpc = call->rpc;

        answer_end(call);
        if (!call->is_deferred)
                return;
        deferred_free(container_of(call, struct deferred, call));
        if (rpc->host->answered)
                rpc->host->answered(rpc);
}

struct rpc_call *rpc_call_defer(struct rpc_call *call, size_t weight, void (*cancel)(void *arg),
                                void *arg) {
        struct rpc *rpc = call->rpc;
        struct deferred *deferred;

        if (weight > LIMIT_IN_FLIGHT - rpc->n_deferred) {
                rpc_fail(call, &rpc_limit_reached, NULL,
                         "More than %u waits at once on one connection", LIMIT_IN_FLIGHT);
                return NULL;
        }
        deferred = malloc(sizeof(*deferred) + call->id.n);
        if (!deferred) {
                rpc_fail_errno(call, -ENOMEM);
                return NULL;
        }
        *deferred = (struct deferred){
                .call = *call,
                .weight = weight,
                .cancel = cancel,
                .arg = arg,
        };
        deferred->call.is_deferred = true;
        if (call->id.at)
                deferred->call.id.at = memcpy(deferred->id, call->id.at, call->id.n);
        list_append(&rpc->deferred, &deferred->link);
        rpc->n_deferred += weight;
        return &deferred->call;
}

struct buffer *rpc_result_begin(struct rpc_call *call) {
        static const char head[] = "{\"jsonrpc\":\"2.0\",\"result\":";

        return answer_begin(call, head, sizeof(head) - 1);
}

void rpc_result_end(struct rpc_call *call) {
        call_done(call);
}

static struct buffer *fail_begin(struct rpc_call *call, const struct rpc_error *error,
                                 const char *message) {
        static const char head[] = "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":";
        struct buffer *out = answer_begin(call, head, sizeof(head) - 1);

        call->rpc->counters->errors++;
        json_write_i64(out, error->code);
        json_write_key(out, "message");
        json_write_string(out, message);
        if (error->reason) {
                json_write_key(out, "data");
                json_write_open(out, '{');
                json_write_key(out, "reason");
                json_write_string(out, error->reason);
        }
        return out;
}

static void fail_end(struct rpc_call *call, const struct rpc_error *error) {
        struct buffer *out = call_out(call);

        if (error->reason)
                json_write_close(out, '}');
        json_write_close(out, '}');
        call_done(call);
}

static void format_message(char *message, size_t size, const struct rpc_error *error,
                           const char *format, va_list args) __attribute__((format(printf, 4, 0)));

static void format_message(char *message, size_t size, const struct rpc_error *error,
                           const char *format, va_list args) {
        if (!format || vsnprintf(message, size, format, args) < 0)
                snprintf(message, size, "%s", error->message);
}

struct buffer *rpc_fail_begin(struct rpc_call *call, const struct rpc_error *error,
                              const char *format, ...) {
        char message[512];
        va_list args;

        va_start(args, format);
        format_message(message, sizeof(message), error, format, args);
        va_end(args);
        return fail_begin(call, error, message);
}

void rpc_fail_end(struct rpc_call *call) {
        struct buffer *out = call_out(call);

        json_write_close(out, '}');
        json_write_close(out, '}');
        call_done(call);
}

void rpc_fail(struct rpc_call *call, const struct rpc_error *error, const char *name,
              const char *format, ...) {
        char message[512];
        struct buffer *out;
        va_list args;

        va_start(args, format);
        format_message(message, sizeof(message), error, format, args);
        va_end(args);
        out = fail_begin(call, error, message);
        if (name && error->reason) {
                json_write_key(out, "name");
                json_write_string(out, name);
        }
        fail_end(call, error);
}

void rpc_fail_errno(struct rpc_call *call, int error) {
        rpc_fail(call, &rpc_internal_error, NULL, "Internal error: %s", strerror(-error));
}

/* Takes a call off the list and tells whoever was to answer it. */
static struct deferred *cancel_first(struct rpc *rpc) {
        struct list *first = list_first(&rpc->deferred);
        struct deferred *deferred;

        if (!first)
                return NULL;
        deferred = container_of(first, struct deferred, link);
        list_remove(&deferred->link);
        deferred->cancel(deferred->arg);
        return deferred;
}

void rpc_call_cancel_all(struct rpc *rpc, const struct rpc_error *error) {
        struct deferred *deferred;

        while ((deferred = cancel_first(rpc)))
                if (error)
                        rpc_fail(&deferred->call, error, NULL, NULL);
                else
                        deferred_free(deferred);
}
