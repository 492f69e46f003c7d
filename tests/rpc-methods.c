/*
 * subtract, sum, update, get_data and notify_hello as the specification's examples have them;
 * foobar is not there, which is what its example shows. `later` answers when the test says so,
 * `fill` answers many bytes, `text` takes one parameter of each type and tells what it understood.
 */

#include "tests/rpc-methods.h"

#include <stdlib.h>

#include "daemon/json-write.h"
#include "daemon/rpc-call.h"
#include "daemon/rpc-error.h"

struct rpc_call *example_later[EXAMPLE_MAX_LATER];
unsigned int example_n_later, example_n_cancelled, example_n_updates;

static void subtract(struct rpc_call *call, const struct rpc_arg *args) {
        json_write_i64(rpc_result_begin(call), (int64_t)args[0].integer - (int64_t)args[1].integer);
        rpc_result_end(call);
}

static void sum(struct rpc_call *call, const struct rpc_arg *args) {
        json_write_u64(rpc_result_begin(call), args[0].integer + args[1].integer + args[2].integer);
        rpc_result_end(call);
}

static void update(struct rpc_call *call, const struct rpc_arg *args) {
        (void)args;
        example_n_updates++;
        json_write_null(rpc_result_begin(call));
        rpc_result_end(call);
}

static void get_data(struct rpc_call *call, const struct rpc_arg *args) {
        struct buffer *out = rpc_result_begin(call);

        (void)args;
        json_write_open(out, '[');
        json_write_string(out, "hello");
        json_write_u64(out, 5);
        json_write_close(out, ']');
        rpc_result_end(call);
}

static void cancelled(void *arg) {
        (void)arg;
        example_n_cancelled++;
}

static void later(struct rpc_call *call, const struct rpc_arg *args) {
        struct rpc_call *deferred = rpc_call_defer(
                call, rpc_arg_is_given(&args[0]) ? args[0].integer : 1, cancelled, NULL);

        if (!deferred)
                return;
        if (example_n_later == EXAMPLE_MAX_LATER)
                abort();
        example_later[example_n_later++] = deferred;
}

void example_answer(unsigned int i) {
        struct rpc_call *call = example_later[i];

        example_later[i] = NULL;
        json_write_u64(rpc_result_begin(call), i);
        rpc_result_end(call);
}

static void fill(struct rpc_call *call, const struct rpc_arg *args) {
        struct buffer *out = rpc_result_begin(call);

        json_write_open(out, '[');
        for (uint64_t i = 0; i < args[0].integer; i++)
                json_write_string(out, "0123456789abc");
        json_write_close(out, ']');
        rpc_result_end(call);
}

static void text(struct rpc_call *call, const struct rpc_arg *args) {
        struct buffer *out = rpc_result_begin(call);

        json_write_open(out, '{');
        if (rpc_arg_is_given(&args[0])) {
                json_write_key(out, "string");
                json_write_bytes(out, args[0].string.at, args[0].string.n);
        }
        for (int i = 1; i < 3; i++) {
                if (!rpc_arg_is_given(&args[i]))
                        continue;
                json_write_key(out, i == 1 ? "strings" : "some");
                json_write_open(out, '[');
                for (size_t k = 0; k < args[i].strings.n; k++)
                        json_write_bytes(out, args[i].strings.items[k].at,
                                         args[i].strings.items[k].n);
                json_write_close(out, ']');
        }
        if (rpc_arg_is_given(&args[3])) {
                json_write_key(out, "boolean");
                json_write_bool(out, args[3].boolean);
        }
        if (rpc_arg_is_given(&args[4])) {
                json_write_key(out, "integer");
                json_write_u64(out, args[4].integer);
        }
        if (rpc_arg_is_given(&args[5])) {
                json_write_key(out, "choice");
                json_write_u64(out, args[5].integer);
        }
        json_write_close(out, '}');
        rpc_result_end(call);
}

static void refuse(struct rpc_call *call, const struct rpc_arg *args) {
        (void)args;
        rpc_fail(call, &rpc_no_such_handle, "x", "No handle is named \"%s\"", "x");
}

static const struct rpc_param two[] = {
        {"minuend", RPC_INTEGER, true},
        {"subtrahend", RPC_INTEGER, true},
        {},
};
static const struct rpc_param three[] = {
        {"a", RPC_INTEGER, true},
        {"b", RPC_INTEGER, true},
        {"c", RPC_INTEGER, true},
        {},
};
static const struct rpc_param five[] = {
        {"a", RPC_INTEGER}, {"b", RPC_INTEGER}, {"c", RPC_INTEGER},
        {"d", RPC_INTEGER}, {"e", RPC_INTEGER}, {},
};
static const struct rpc_param number[] = {
        {"n", RPC_INTEGER},
        {},
};
static const char *const choices[] = {"wake", "run", NULL};
static const struct rpc_param all_types[] = {
        {"string", RPC_STRING},
        {"strings", RPC_STRINGS},
        {"some", RPC_STRING_OR_ARRAY},
        {"boolean", RPC_BOOLEAN},
        {"integer", RPC_INTEGER},
        {"choice", RPC_CHOICE, false, choices},
        {},
};

static const struct rpc_method of_the_specification[] = {
        {.name = "subtract", .params = two, .fn = subtract},
        {.name = "sum", .params = three, .fn = sum},
        {.name = "update", .params = five, .fn = update},
        {.name = "notify_hello", .params = number, .fn = update},
        {.name = "get_data", .fn = get_data},
        {},
};

static const struct rpc_method of_ours[] = {
        {.name = "later", .params = number, .fn = later},
        {.name = "fill", .params = number, .fn = fill},
        {.name = "text", .params = all_types, .fn = text},
        {.name = "refuse", .fn = refuse},
        {},
};

const struct rpc_method *const example_methods[] = {of_the_specification, of_ours, NULL};
