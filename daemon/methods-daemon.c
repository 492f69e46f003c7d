/* Concerns the daemon as a whole: reload, shutdown, ping, version, describe. */

#include "config.h"

#include <errno.h>
#include <unistd.h>

#include "lib/buffer.h"
#include "daemon/client.h"
#include "daemon/conf-error.h"
#include "daemon/daemon.h"
#include "daemon/json-write.h"
#include "daemon/methods.h"
#include "daemon/openrpc.h"
#include "daemon/rpc-call.h"
#include "daemon/rpc-error.h"
#include "daemon/schemas.h"

static void write_names(struct buffer *out, const char *key, char *const *names) {
        json_write_key(out, key);
        json_write_open(out, '[');
        for (; names && *names; names++)
                json_write_string(out, *names);
        json_write_close(out, ']');
}

static void answer_reloaded(struct rpc_call *call, const struct reload_result *result) {
        struct buffer *out = rpc_result_begin(call);

        json_write_open(out, '{');
        write_names(out, "added", result->changes.added);
        write_names(out, "changed", result->changes.changed);
        write_names(out, "removed", result->changes.removed);
        json_write_close(out, '}');
        rpc_result_end(call);
}

static void write_place(struct buffer *out, const char *key, unsigned int place) {
        json_write_key(out, key);
        if (place)
                json_write_u64(out, place);
        else
                json_write_null(out);
}

static void fail_config(struct rpc_call *call, const struct conf_errors *errors) {
        struct buffer *out = rpc_fail_begin(call, &rpc_invalid_config, NULL);

        json_write_key(out, "errors");
        json_write_open(out, '[');
        for (size_t i = 0; i < errors->n_items; i++) {
                json_write_open(out, '{');
                json_write_key(out, "file");
                json_write_string(out, errors->items[i].file);
                write_place(out, "line", errors->items[i].line);
                write_place(out, "column", errors->items[i].column);
                json_write_key(out, "message");
                json_write_string(out, errors->items[i].message);
                json_write_close(out, '}');
        }
        json_write_close(out, ']');
        json_write_key(out, "left_out");
        json_write_u64(out, errors->n_left_out);
        rpc_fail_end(call);
}

static void reload(struct rpc_call *call, const struct rpc_arg *args) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct reload_result result;
        int r;

        (void)args;
        r = daemon_reload(client_of(call)->set->daemon, &errors, &result);
        if (r == 0) {
                if (result.error < 0)
                        rpc_fail(call, &rpc_internal_error, NULL,
                                 "The configuration is in force, but %s", result.complaint);
                else
                        answer_reloaded(call, &result);
                reload_result_deinit(&result);
        } else if (r == -ESHUTDOWN) {
                rpc_fail(call, &rpc_shutting_down, NULL, NULL);
        } else if (r == -ENOMEM) {
                rpc_fail_errno(call, r);
        } else {
                fail_config(call, &errors);
        }
        conf_errors_deinit(&errors);
}

static void shut_down(struct rpc_call *call, const struct rpc_arg *args) {
        struct daemon *daemon = client_of(call)->set->daemon;

        (void)args;
        json_write_bool(rpc_result_begin(call), true);
        rpc_result_end(call);
        daemon_shutdown(daemon);
}

static void ping(struct rpc_call *call, const struct rpc_arg *args) {
        (void)args;
        json_write_string(rpc_result_begin(call), "pong");
        rpc_result_end(call);
}

static void version(struct rpc_call *call, const struct rpc_arg *args) {
        struct buffer *out = rpc_result_begin(call);

        (void)args;
        json_write_open(out, '{');
        json_write_key(out, "name");
        json_write_string(out, "roused");
        json_write_key(out, "version");
        json_write_string(out, PACKAGE_VERSION);
        json_write_key(out, "pid");
        json_write_i64(out, getpid());
        json_write_close(out, '}');
        rpc_result_end(call);
}

static void describe(struct rpc_call *call, const struct rpc_arg *args) {
        (void)args;
        openrpc_write(rpc_result_begin(call), call->rpc->table, "roused", PACKAGE_VERSION, schemas);
        rpc_result_end(call);
}

static const struct rpc_error *const reload_errors[] = {&rpc_permission_denied, &rpc_invalid_config,
                                                        &rpc_shutting_down, NULL};
static const struct rpc_error *const shutdown_errors[] = {&rpc_permission_denied, NULL};

const struct rpc_method methods_daemon[] = {
        {
                .name = "reload",
                .description = "Reads the configuration again; if it has errors nothing changes",
                .result = "{\"$ref\":\"#/components/schemas/Reloaded\"}",
                .errors = reload_errors,
                .scope = RPC_GLOBAL,
                .right = ACCESS_ADMIN,
                .fn = reload,
        },
        {
                .name = "shutdown",
                .description = "Begins the orderly stop",
                .result = "{\"const\":true}",
                .errors = shutdown_errors,
                .scope = RPC_GLOBAL,
                .right = ACCESS_ADMIN,
                .fn = shut_down,
        },
        {
                .name = "ping",
                .description = "Answers \"pong\"",
                .result = "{\"const\":\"pong\"}",
                .scope = RPC_FREE,
                .fn = ping,
        },
        {
                .name = "version",
                .description = "Says who answers",
                .result = "{\"$ref\":\"#/components/schemas/Version\"}",
                .scope = RPC_FREE,
                .fn = version,
        },
        {
                .name = "describe",
                .description = "Answers this OpenRPC document",
                .result = "{\"type\":\"object\"}",
                .scope = RPC_FREE,
                .fn = describe,
        },
        {
                .name = "rpc.discover",
                .description = "The same as describe",
                .result = "{\"type\":\"object\"}",
                .scope = RPC_FREE,
                .fn = describe,
        },
        {},
};
