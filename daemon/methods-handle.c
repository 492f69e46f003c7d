/* Asks and changes one handle: is_active to close, and create. */

#include <errno.h>
#include <string.h>

#include "daemon/client.h"
#include "daemon/core.h"
#include "daemon/handle.h"
#include "daemon/json-view.h"
#include "daemon/json-write.h"
#include "daemon/limits.h"
#include "daemon/methods.h"
#include "daemon/registry.h"
#include "daemon/rpc-call.h"
#include "daemon/rpc-error.h"
#include "lib/clock.h"

static void answer_bool(struct rpc_call *call, bool value) {
        json_write_bool(rpc_result_begin(call), value);
        rpc_result_end(call);
}

static void is_active(struct rpc_call *call, const struct rpc_arg *args) {
        const struct handle *handle = method_handle(call, args[0].string, ACCESS_READ);

        if (handle)
                answer_bool(call, handle_is_active(handle));
}

static void has_ref(struct rpc_call *call, const struct rpc_arg *args) {
        const struct handle *handle = method_handle(call, args[0].string, ACCESS_READ);

        if (handle)
                answer_bool(call, handle_has_ref(handle));
}

static void answer_handle(struct rpc_call *call, const struct handle *handle) {
        view_handle(rpc_result_begin(call), handle);
        rpc_result_end(call);
}

/* After a change that ended in r. */
static void answer_change(struct rpc_call *call, const struct handle *handle, int r) {
        if (r == -EBADF)
                method_fail_closed(call, handle);
        else if (r < 0)
                rpc_fail_errno(call, r);
        else
                answer_handle(call, handle);
}

static void start(struct rpc_call *call, const struct rpc_arg *args) {
        struct handle *handle = method_handle(call, args[0].string, ACCESS_ADMIN);

        if (handle)
                answer_change(call, handle, handle_start(handle));
}

static void stop(struct rpc_call *call, const struct rpc_arg *args) {
        struct handle *handle = method_handle(call, args[0].string, ACCESS_ADMIN);

        if (handle)
                answer_change(call, handle, handle_stop(handle));
}

static void pause_handle(struct rpc_call *call, const struct rpc_arg *args) {
        struct handle *handle = method_handle(call, args[0].string, ACCESS_ADMIN);
        uint64_t for_ns = 0;

        if (!handle)
                return;
        /* What is too long for a clock has no end. */
        if (rpc_arg_is_given(&args[1]) &&
            __builtin_mul_overflow(args[1].integer, NS_PER_MS, &for_ns))
                for_ns = 0;
        answer_change(call, handle, handle_pause(handle, client_of(call)->peer.uid, for_ns));
}

static void resume(struct rpc_call *call, const struct rpc_arg *args) {
        struct handle *handle = method_handle(call, args[0].string, ACCESS_ADMIN);

        if (handle)
                answer_change(call, handle, handle_resume(handle));
}

/* A handle may be gone once it is closed, so its answer is made of what was known before. */
static void close_handle(struct rpc_call *call, const struct rpc_arg *args) {
        struct registry *registry = client_of(call)->set->core->registry;
        struct handle *handle = method_handle(call, args[0].string, ACCESS_ADMIN);
        char name[N_HANDLE_NAME];
        uint64_t seq;

        if (!handle)
                return;
        strcpy(name, handle_name(handle));
        seq = handle_seq(handle);
        if (handle_close(handle) < 0) {
                method_fail_closed(call, handle);
                return;
        }
        handle = registry_find(registry, name);
        if (handle) {
                answer_handle(call, handle);
                return;
        }
        view_gone(rpc_result_begin(call), name, seq);
        rpc_result_end(call);
}

static void create(struct rpc_call *call, const struct rpc_arg *args) {
        struct registry *registry = client_of(call)->set->core->registry;
        char name[N_HANDLE_NAME];
        struct handle *handle;
        int r;

        if (!method_name(call, args[0].string, name))
                return;
        r = registry_create(registry, name, rpc_arg_is_given(&args[1]) && args[1].boolean, &handle);
        if (r == -EEXIST)
                rpc_fail(call, &rpc_handle_exists, name, "A handle named \"%s\" is there already",
                         name);
        else if (r == -EMFILE)
                rpc_fail(call, &rpc_limit_reached, name,
                         "More than %u handles made by clients, or %u in all",
                         LIMIT_CREATED_HANDLES, LIMIT_HANDLES);
        else if (r < 0)
                rpc_fail_errno(call, r);
        else
                answer_handle(call, handle);
}

static const struct rpc_param name_param[] = {
        {"name", RPC_STRING, true, NULL, "The handle's name"},
        {},
};

static const struct rpc_param pause_params[] = {
        {"name", RPC_STRING, true, NULL, "The handle's name"},
        {"for_ms", RPC_INTEGER, false, NULL,
         "After this time it resumes by itself; 0 or left out: never"},
        {},
};

static const struct rpc_param create_params[] = {
        {"name", RPC_STRING, true, NULL, "The handle's name"},
        {"started", RPC_BOOLEAN, false, NULL, "Whether it holds a reference from the beginning"},
        {},
};

static const struct rpc_error *const ask_errors[] = {METHOD_HANDLE_ERRORS, NULL};
static const struct rpc_error *const change_errors[] = {METHOD_HANDLE_ERRORS, &rpc_closed, NULL};
static const struct rpc_error *const create_errors[] = {
        &rpc_bad_name, &rpc_permission_denied, &rpc_handle_exists, &rpc_limit_reached, NULL};

#define A_BOOLEAN "{\"type\":\"boolean\"}"
#define A_HANDLE  "{\"$ref\":\"#/components/schemas/Handle\"}"

#define ASK(n, f, d)                                                                         \
        {                                                                                    \
                .name = n, .description = d, .params = name_param, .result = A_BOOLEAN,      \
                .errors = ask_errors, .scope = RPC_PER_HANDLE, .right = ACCESS_READ, .fn = f \
        }
#define CHANGE(n, f, d) CHANGE_BY(n, f, d, name_param)
#define CHANGE_BY(n, f, d, p)                                                                    \
        {                                                                                        \
                .name = n, .description = d, .params = p, .result = A_HANDLE,                    \
                .errors = change_errors, .scope = RPC_PER_HANDLE, .right = ACCESS_ADMIN, .fn = f \
        }

const struct rpc_method methods_handle[] = {
        ASK("is_active", is_active, "Whether the handle is open"),
        ASK("has_ref", has_ref, "Whether the handle holds a reference"),
        CHANGE("start", start, "Gives the handle a reference"),
        CHANGE("stop", stop, "Takes the handle's reference away"),
        CHANGE("ref", start, "The same as start"),
        CHANGE("unref", stop, "The same as stop"),
        CHANGE_BY("pause", pause_handle, "Delays the handle's wakes and remembers its sends",
                  pause_params),
        CHANGE("resume", resume, "Ends a pause: what was remembered makes one wake"),
        CHANGE("close", close_handle, "Closes the handle for good; what is pending is dropped"),
        {
                .name = "create",
                .description = "Makes a handle without an action",
                .params = create_params,
                .result = A_HANDLE,
                .errors = create_errors,
                .scope = RPC_GLOBAL,
                .right = ACCESS_ADMIN,
                .fn = create,
        },
        {},
};
