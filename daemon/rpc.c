/*
 * How a text becomes answers: it is checked whole, then its members are found in place, and a
 * method is called with what was given for its parameters.
 *
 * A batch may be long and its members dear, so taking it can stop between two members: `unfinished`
 * and `unfinished_at` remember where. The text is not kept here.
 *
 * Invariants: what a conversation holds is bounded: calls that wait by LIMIT_IN_FLIGHT and
 * LIMIT_ID_BYTES, answers that wait in batches by LIMIT_REPLY_BYTES, or less if its host says so,
 * and one answer. Errors that the specification prints are answered exactly so.
 */

#include "daemon/rpc.h"

#include <errno.h>
#include <string.h>

#include "daemon/json-write.h"
#include "daemon/limits.h"
#include "daemon/rpc-batch.h"
#include "daemon/rpc-call.h"
#include "daemon/rpc-error.h"

/* Scratch space and batches above this are given back after each request. */
#define KEEP_BYTES 4096U

void rpc_init(struct rpc *rpc, const struct rpc_table *table, const struct rpc_host *host,
              struct rpc_counters *counters, struct buffer *out) {
        *rpc = (struct rpc){
                .table = table,
                .host = host,
                .counters = counters,
                .out = out,
        };
        list_init(&rpc->deferred);
        list_init(&rpc->batches);
}

static void fail_params(struct rpc_call *call, const struct rpc_bad_param *bad) {
        struct buffer *out;

        if (bad->error == &rpc_unknown_param)
                out = rpc_fail_begin(call, bad->error,
                                     "Invalid params: there is no parameter \"%s\"", bad->name);
        else if (bad->error == &rpc_missing_param)
                out = rpc_fail_begin(call, bad->error, "Invalid params: \"%s\" is missing",
                                     bad->name);
        else if (bad->error == &rpc_repeated_param)
                out = rpc_fail_begin(call, bad->error, "Invalid params: \"%s\" is given twice",
                                     bad->name);
        else if (bad->error == &rpc_wrong_type)
                out = rpc_fail_begin(call, bad->error, "Invalid params: \"%s\" must be %s",
                                     bad->name, bad->expected);
        else
                out = rpc_fail_begin(call, bad->error, "Invalid params: there are too many");
        if (bad->name[0]) {
                json_write_key(out, "param");
                json_write_string(out, bad->name);
        }
        rpc_fail_end(call);
}

/* What a request says of itself. */
struct envelope {
        struct json_text version, id, method, params;
        bool repeated; /* some member is there twice */
        bool id_repeated;
};

static void set_member(struct envelope *envelope, struct json_text *member,
                       struct json_text value) {
        if (member->at) {
                envelope->repeated = true;
                envelope->id_repeated |= member == &envelope->id;
        }
        *member = value;
}

static void read_envelope(struct json_text request, struct envelope *ret) {
        const char *at = rouse__json_enter(request);
        struct json_text key, value;

        *ret = (struct envelope){.repeated = false};
        while (rouse__json_next_member(&at, &key, &value))
                if (rouse__json_is(key, "jsonrpc", 7))
                        set_member(ret, &ret->version, value);
                else if (rouse__json_is(key, "method", 6))
                        set_member(ret, &ret->method, value);
                else if (rouse__json_is(key, "params", 6))
                        set_member(ret, &ret->params, value);
                else if (rouse__json_is(key, "id", 2))
                        set_member(ret, &ret->id, value);
}

/* Calls that wait keep theirs, and each answer repeats one: so it may not be of any length. */
static bool is_id(struct json_text value) {
        enum json_type type = rouse__json_type(value);

        return value.n <= LIMIT_ID_BYTES &&
               (type == JSON_TYPE_STRING || type == JSON_TYPE_NUMBER || type == JSON_TYPE_NULL);
}

static bool envelope_is_valid(const struct envelope *envelope) {
        return !envelope->repeated && envelope->version.at &&
               rouse__json_type(envelope->version) == JSON_TYPE_STRING &&
               rouse__json_is(envelope->version, "2.0", 3) && envelope->method.at &&
               rouse__json_type(envelope->method) == JSON_TYPE_STRING &&
               (!envelope->params.at || rouse__json_type(envelope->params) == JSON_TYPE_OBJECT ||
                rouse__json_type(envelope->params) == JSON_TYPE_ARRAY) &&
               (!envelope->id.at || is_id(envelope->id));
}

static const struct json_text null_id = {.at = "null", .n = 4};

/* An answer where no request could be made out. */
static void fail_text(struct rpc *rpc, struct rpc_batch *batch, struct json_text id,
                      const struct rpc_error *error) {
        struct rpc_call call = {.rpc = rpc, .batch = batch, .id = id};

        rpc_fail(&call, error, NULL, NULL);
}

static const struct rpc_method *find_method(struct rpc *rpc, struct json_text name) {
        rpc->strings.n = 0;
        if (memchr(name.at, '\\', name.n) && !buffer_reserve(&rpc->strings, name.n))
                return NULL;
        if (rouse__json_decode(name, &rpc->strings, &name) < 0)
                return NULL;
        return rpc_table_find(rpc->table, name.at, name.n);
}

static void call_method(struct rpc_call *call, struct json_text params) {
        struct rpc *rpc = call->rpc;
        struct rpc_scratch scratch = {.strings = &rpc->strings, .items = &rpc->items};
        struct rpc_arg args[RPC_MAX_PARAMS];
        struct rpc_bad_param bad;
        int r;

        r = rpc_params_bind(call->method, params, &scratch, args, &bad);
        if (r == -EINVAL)
                fail_params(call, &bad);
        else if (r < 0)
                rpc_fail_errno(call, r);
        else if (!rpc->host->admit || rpc->host->admit(call))
                call->method->fn(call, args);
}

static void take_request(struct rpc *rpc, struct rpc_batch *batch, struct json_text request) {
        struct rpc_call call = {.rpc = rpc, .batch = batch};
        struct envelope envelope;

        rpc->counters->requests++;
        if (batch)
                batch->n_left++;
        if (rouse__json_type(request) != JSON_TYPE_OBJECT) {
                fail_text(rpc, batch, null_id, &rpc_invalid_request);
                return;
        }
        read_envelope(request, &envelope);
        if (!envelope_is_valid(&envelope)) {
                bool known = envelope.id.at && !envelope.id_repeated && is_id(envelope.id);

                fail_text(rpc, batch, known ? envelope.id : null_id, &rpc_invalid_request);
                return;
        }
        call.id = envelope.id;
        call.method = find_method(rpc, envelope.method);
        if (!call.method)
                rpc_fail(&call, &rpc_method_not_found, NULL, NULL);
        else if (rpc->refusal)
                rpc_fail(&call, rpc->refusal, NULL, NULL);
        else if (batch && rpc->n_batch_bytes > LIMIT_REPLY_BYTES)
                rpc_fail(&call, &rpc_limit_reached, NULL,
                         "The answers of unfinished batches exceed %u bytes", LIMIT_REPLY_BYTES);
        else if (batch && rpc->host->has_room && !rpc->host->has_room(rpc))
                rpc_fail(
                        &call, &rpc_limit_reached, NULL,
                        "Too many answers are unread: more than %u bytes to this user, or %u to all",
                        LIMIT_USER_REPLY_BYTES, LIMIT_REPLIES_BYTES);
        else
                call_method(&call, envelope.params);
        buffer_truncate(&rpc->strings, 0);
        buffer_truncate(&rpc->items, 0);
        rouse__buffer_trim(&rpc->strings, KEEP_BYTES);
        rouse__buffer_trim(&rpc->items, KEEP_BYTES);
}

static bool take_members(struct rpc *rpc, const char *text) {
        struct rpc_batch *batch = rpc->unfinished;
        const char *at = text + rpc->unfinished_at;
        struct json_text member;

        while (!rpc->ended && rouse__json_next_item(&at, &member)) {
                take_request(rpc, batch, member);
                if (!rpc->refusal && rpc->host->turn_is_over && rpc->host->turn_is_over(rpc)) {
                        rpc->unfinished_at = (size_t)(at - text);
                        return false;
                }
        }
        rpc->unfinished = NULL;
        rpc_batch_done(rpc, batch);
        return true;
}

static bool take_batch(struct rpc *rpc, const char *text, struct json_text array) {
        const char *first = rouse__json_enter(array), *at = first;
        struct json_text member;
        struct rpc_call call = {.rpc = rpc, .id = null_id};
        size_t n = 0;

        while (n <= LIMIT_BATCH && rouse__json_next_item(&at, &member))
                n++;
        if (n == 0) {
                fail_text(rpc, NULL, null_id, &rpc_invalid_request);
                return true;
        }
        if (n > LIMIT_BATCH) {
                rpc_fail(&call, &rpc_limit_reached, NULL, "More than %u requests in a batch",
                         LIMIT_BATCH);
                return true;
        }
        rpc->unfinished = rpc_batch_new(rpc);
        if (!rpc->unfinished) {
                rpc_fail_errno(&call, -ENOMEM);
                return true;
        }
        rpc->unfinished_at = (size_t)(first - text);
        return take_members(rpc, text);
}

static bool is_blank(const char *text, size_t n) {
        while (n > 0 && strchr(" \t\r\n", text[n - 1]) && text[n - 1])
                n--;
        return n == 0;
}

bool rpc_take(struct rpc *rpc, const char *text, size_t n) {
        struct json_text value;
        struct rpc_call call = {.rpc = rpc, .id = null_id};
        int r;

        if (rpc->unfinished)
                return take_members(rpc, text);
        if (is_blank(text, n))
                return true;
        r = rouse__json_check(text, n, LIMIT_JSON_DEPTH, &value, NULL);
        if (r == 0 && rouse__json_type(value) == JSON_TYPE_ARRAY)
                return take_batch(rpc, text, value);
        if (r == 0) {
                take_request(rpc, NULL, value);
                return true;
        }
        rpc->counters->requests++;
        if (r == -E2BIG)
                rpc_fail(&call, &rpc_limit_reached, NULL,
                         "The request is nested deeper than %u levels", LIMIT_JSON_DEPTH);
        else
                rpc_fail(&call, &rpc_parse_error, NULL, NULL);
        return true;
}

void rpc_take_too_long(struct rpc *rpc, size_t n_max) {
        struct rpc_call call = {.rpc = rpc, .id = null_id};

        rpc->counters->requests++;
        rpc_fail(&call, &rpc_limit_reached, NULL, "The request is longer than %zu bytes", n_max);
}

void rpc_refuse(struct rpc *rpc, const struct rpc_error *error) {
        rpc->refusal = error;
        rpc_call_cancel_all(rpc, error);
}

void rpc_end(struct rpc *rpc) {
        rpc->ended = true;
        rpc_call_cancel_all(rpc, NULL);
}

void rpc_deinit(struct rpc *rpc) {
        rpc_end(rpc);
        while (!list_is_empty(&rpc->batches))
                rpc_batch_free(container_of(list_first(&rpc->batches), struct rpc_batch, link));
        rouse__buffer_deinit(&rpc->strings);
        rouse__buffer_deinit(&rpc->items);
}
