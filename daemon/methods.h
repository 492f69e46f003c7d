/* The methods of the control socket. A group of them is a file of its own; a method is a row. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/access.h"
#include "daemon/rpc-method.h"

struct handle;
struct rpc_call;

extern const struct rpc_method methods_attach[], methods_daemon[], methods_handle[],
        methods_query[], methods_send[], methods_wait[], methods_watch[];

/* All groups, ended by NULL. */
extern const struct rpc_method *const methods[];

#define N_HANDLE_NAME 256U

/* A name as a string with a NUL. False: it is not a legal name, and the call was answered. */
bool method_name(struct rpc_call *call, struct json_text text, char ret_name[N_HANDLE_NAME]);
/* The handle of that name, if the client has the right; a closed one too, but with the right to
 * send none that was removed and has yet to go. NULL: the call was answered. */
struct handle *method_handle(struct rpc_call *call, struct json_text name, enum access_right right);
/* Answers for a handle that is closed. */
void method_fail_closed(struct rpc_call *call, const struct handle *handle);

/* The errors that method_handle() answers, for tables of errors. */
#define METHOD_HANDLE_ERRORS &rpc_bad_name, &rpc_no_such_handle, &rpc_permission_denied
