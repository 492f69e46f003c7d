/*
 * What methods have in common: finding the handle that a parameter names. Rights are looked at for
 * each handle, because a handle's own rules come before those of the daemon; a handle that is not
 * there is told apart from one that is not allowed, since names are no secret to who may connect.
 */

#include "daemon/methods.h"

#include <string.h>

#include "daemon/client.h"
#include "daemon/core.h"
#include "daemon/handle.h"
#include "daemon/registry.h"
#include "daemon/rpc-call.h"
#include "daemon/rpc-error.h"
#include "lib/names.h"

const struct rpc_method *const methods[] = {
        methods_attach, methods_daemon, methods_handle, methods_query,
        methods_send,   methods_wait,   methods_watch,  NULL,
};

bool method_name(struct rpc_call *call, struct json_text text, char ret_name[N_HANDLE_NAME]) {
        size_t n = text.n < N_HANDLE_NAME ? text.n : N_HANDLE_NAME - 1;
        char name[N_HANDLE_NAME];

        memcpy(name, text.at, n);
        name[n] = 0;
        if (text.n == n && strlen(name) == n && rouse__name_is_legal(name)) {
                memcpy(ret_name, name, n + 1);
                return true;
        }
        rpc_fail(call, &rpc_bad_name, name,
                 "\"%.64s\" is not a name: 1 to 255 of A-Z a-z 0-9 . _ - : @ /, and no - first",
                 name);
        return false;
}

struct handle *method_handle(struct rpc_call *call, struct json_text text,
                             enum access_right right) {
        struct client *client = client_of(call);
        struct registry *registry = client->set->core->registry;
        char name[N_HANDLE_NAME];
        struct handle *handle;

        if (!method_name(call, text, name))
                return NULL;
        handle = right == ACCESS_SEND ? registry_find_target(registry, name)
                                      : registry_find(registry, name);
        if (!handle)
                rpc_fail(call, &rpc_no_such_handle, name, "No handle is named \"%s\"", name);
        else if (client_may(client, handle, right))
                return handle;
        else
                rpc_fail(call, &rpc_permission_denied, name,
                         "Permission denied: %s needs the right to %s for \"%s\"",
                         call->method->name, access_right_to_string(right), name);
        return NULL;
}

void method_fail_closed(struct rpc_call *call, const struct handle *handle) {
        rpc_fail(call, &rpc_closed, handle_name(handle), "\"%s\" is closed", handle_name(handle));
}
