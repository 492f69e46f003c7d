/*
 * Codes from -32768 to -32600 are those of the specification, with its messages to the letter; the
 * daemon's own begin at -32001, in the range that the specification leaves to servers.
 */

#include "daemon/rpc-error.h"

#include <stddef.h>

const struct rpc_error rpc_parse_error = {-32700, NULL, "Parse error"};
const struct rpc_error rpc_invalid_request = {-32600, NULL, "Invalid Request"};
const struct rpc_error rpc_method_not_found = {-32601, NULL, "Method not found"};
const struct rpc_error rpc_internal_error = {-32603, NULL, "Internal error"};

const struct rpc_error rpc_unknown_param = {-32602, "unknown_param", "Invalid params"};
const struct rpc_error rpc_missing_param = {-32602, "missing_param", "Invalid params"};
const struct rpc_error rpc_repeated_param = {-32602, "repeated_param", "Invalid params"};
const struct rpc_error rpc_wrong_type = {-32602, "wrong_type", "Invalid params"};
const struct rpc_error rpc_too_many_params = {-32602, "too_many_params", "Invalid params"};
const struct rpc_error rpc_bad_name = {-32602, "bad_name", "Not a legal name"};
const struct rpc_error rpc_bad_key = {-32602, "bad_key", "Not a legal key"};
const struct rpc_error rpc_too_long = {-32602, "too_long", "Too long"};
const struct rpc_error rpc_conflict = {-32602, "conflict", "Parameters contradict each other"};
const struct rpc_error rpc_no_action = {-32602, "no_action", "The handle has no action"};

const struct rpc_error rpc_no_such_handle = {-32001, "no_such_handle", "No such handle"};
const struct rpc_error rpc_handle_exists = {-32002, "handle_exists", "The handle exists already"};
const struct rpc_error rpc_permission_denied = {-32003, "permission_denied", "Permission denied"};
const struct rpc_error rpc_timeout = {-32004, "timeout", "Timed out"};
const struct rpc_error rpc_closed = {-32005, "closed", "The handle is closed"};
const struct rpc_error rpc_limit_reached = {-32006, "limit_reached", "A limit is reached"};
const struct rpc_error rpc_invalid_config = {-32007, "invalid_config",
                                             "The configuration has errors"};
const struct rpc_error rpc_shutting_down = {-32008, "shutting_down", "The daemon is stopping"};

const struct rpc_error *const rpc_errors[] = {
        &rpc_parse_error,
        &rpc_invalid_request,
        &rpc_method_not_found,
        &rpc_internal_error,
        &rpc_unknown_param,
        &rpc_missing_param,
        &rpc_repeated_param,
        &rpc_wrong_type,
        &rpc_too_many_params,
        &rpc_bad_name,
        &rpc_bad_key,
        &rpc_too_long,
        &rpc_conflict,
        &rpc_no_action,
        &rpc_no_such_handle,
        &rpc_handle_exists,
        &rpc_permission_denied,
        &rpc_timeout,
        &rpc_closed,
        &rpc_limit_reached,
        &rpc_invalid_config,
        &rpc_shutting_down,
        NULL,
};
