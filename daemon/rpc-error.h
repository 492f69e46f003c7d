/* The errors that a request can end in. */
#pragma once

struct rpc_error {
        int code;
        const char *reason;  /* a word for programs; NULL: the code says it all */
        const char *message; /* where there is nothing more particular to say */
};

/* Of JSON-RPC 2.0, section 5.1. */
extern const struct rpc_error rpc_parse_error, rpc_invalid_request, rpc_method_not_found,
        rpc_internal_error;
/* All of these are -32602, and the reason says what is wrong with the parameter. */
extern const struct rpc_error rpc_unknown_param, rpc_missing_param, rpc_repeated_param,
        rpc_wrong_type, rpc_too_many_params, rpc_bad_name, rpc_bad_key, rpc_too_long, rpc_conflict,
        rpc_no_action;
/* Of the daemon. */
extern const struct rpc_error rpc_no_such_handle, rpc_handle_exists, rpc_permission_denied,
        rpc_timeout, rpc_closed, rpc_limit_reached, rpc_invalid_config, rpc_shutting_down;

/* All of them, ended by NULL. */
extern const struct rpc_error *const rpc_errors[];
