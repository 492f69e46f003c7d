/*
 * wait. What has happened already is answered at once, with the number of the last wake; how many
 * sends that long-gone wake covered is not kept, so `sends` is null then.
 */

#include <errno.h>

#include "lib/buffer.h"
#include "daemon/handle.h"
#include "daemon/json-write.h"
#include "daemon/methods.h"
#include "daemon/rpc-call.h"
#include "daemon/rpc-error.h"
#include "daemon/wait.h"

enum { NAME, AFTER, TIMEOUT_MS, TICKET };

static void write_seq(struct buffer *out, uint64_t seq, const uint64_t *n_sends) {
        json_write_open(out, '{');
        json_write_key(out, "seq");
        json_write_u64(out, seq);
        json_write_key(out, "sends");
        if (n_sends)
                json_write_u64(out, *n_sends);
        else
                json_write_null(out);
        json_write_close(out, '}');
}

static void write_waited(struct buffer *out, const struct wait *wait) {
        write_seq(out, wait->items[0].seq, &wait->items[0].n_sends);
}

/* The number of the first wake that will do. */
static uint64_t wanted_seq(const struct handle *handle, const struct rpc_arg *args) {
        uint64_t after = handle_seq(handle);

        if (rpc_arg_is_given(&args[TICKET]))
                return args[TICKET].integer;
        if (rpc_arg_is_given(&args[AFTER]))
                after = args[AFTER].integer;
        return after < UINT64_MAX ? after + 1 : after;
}

static void begin(struct rpc_call *call, struct handle *handle, uint64_t ticket,
                  const uint64_t *timeout_ms) {
        struct wait *wait = wait_new(1);

        if (!wait) {
                rpc_fail_errno(call, -ENOMEM);
                return;
        }
        wait->write = write_waited;
        wait->items[0].receipt.ticket = ticket;
        if (!wait_begin(wait, call))
                return;
        wait_for(wait, 0, handle);
        wait_until(wait, timeout_ms);
}

static void wait_for_wake(struct rpc_call *call, const struct rpc_arg *args) {
        struct handle *handle;
        uint64_t wanted;

        if (rpc_arg_is_given(&args[AFTER]) && rpc_arg_is_given(&args[TICKET])) {
                rpc_fail(call, &rpc_conflict, NULL,
                         "Invalid params: \"after\" and \"ticket\" exclude each other");
                return;
        }
        handle = method_handle(call, args[NAME].string, ACCESS_READ);
        if (!handle)
                return;
        wanted = wanted_seq(handle, args);
        if (handle_seq(handle) >= wanted) {
                write_seq(rpc_result_begin(call), handle_seq(handle), NULL);
                rpc_result_end(call);
        } else if (!handle_is_active(handle)) {
                method_fail_closed(call, handle);
        } else if (rpc_call_wants_answer(call)) {
                begin(call, handle, wanted,
                      rpc_arg_is_given(&args[TIMEOUT_MS]) ? &args[TIMEOUT_MS].integer : NULL);
        }
}

static const struct rpc_param wait_params[] = {
        [NAME] = {"name", RPC_STRING, true, NULL, "The handle's name"},
        [AFTER] = {"after", RPC_INTEGER, false, NULL, "Wait for a wake with a greater number"},
        [TIMEOUT_MS] = {"timeout_ms", RPC_INTEGER, false, NULL, "How long to wait at most"},
        [TICKET] = {"ticket", RPC_INTEGER, false, NULL,
                    "Wait for the wake that covers this ticket"},
        {},
};

static const struct rpc_error *const wait_errors[] = {
        METHOD_HANDLE_ERRORS, &rpc_closed,        &rpc_conflict, &rpc_timeout,
        &rpc_limit_reached,   &rpc_shutting_down, NULL};

const struct rpc_method methods_wait[] = {
        {
                .name = "wait",
                .description = "Answers when the handle has woken",
                .params = wait_params,
                .result = "{\"$ref\":\"#/components/schemas/Waited\"}",
                .errors = wait_errors,
                .scope = RPC_PER_HANDLE,
                .right = ACCESS_READ,
                .fn = wait_for_wake,
        },
        {},
};
