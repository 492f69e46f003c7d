/*
 * attach: descriptors beside the answer, through which the client sends from then on. They are
 * queued for the place where the answer begins; a batch has no such place before all of it is
 * answered, so attach is refused there.
 */

#include <errno.h>

#include "daemon/attachment.h"
#include "daemon/client.h"
#include "daemon/handle.h"
#include "daemon/json-write.h"
#include "daemon/limits.h"
#include "daemon/methods.h"
#include "daemon/rpc-call.h"
#include "daemon/rpc-error.h"
#include "lib/attach-words.h"
#include "lib/buffer.h"

_Static_assert(LIMIT_ATTACHED_HANDLES == ATTACH_WORDS_MAX, "what the summary has room for");
_Static_assert((int)N_ATTACHMENT_FDS == STREAM_N_FDS, "they leave together");

/* Whether every handle is there, open, and may be sent to. */
static bool find_handles(struct rpc_call *call, const struct rpc_arg *names,
                         struct handle **ret_handles) {
        for (size_t i = 0; i < names->strings.n; i++) {
                ret_handles[i] = method_handle(call, names->strings.items[i], ACCESS_SEND);
                if (!ret_handles[i])
                        return false;
                if (!handle_is_active(ret_handles[i])) {
                        method_fail_closed(call, ret_handles[i]);
                        return false;
                }
        }
        return true;
}

static bool is_possible(struct rpc_call *call, const struct rpc_arg *names) {
        const char *limit = NULL;

        if (call->batch || !rpc_call_wants_answer(call)) {
                rpc_fail(call, &rpc_invalid_request, NULL,
                         "Invalid Request: attach must be a request by itself");
                return false;
        }
        if (names->strings.n == 0) {
                rpc_fail(call, &rpc_missing_param, NULL,
                         "Invalid params: \"names\" has to have a name");
                return false;
        }
        if (names->strings.n > LIMIT_ATTACHED_HANDLES)
                limit = "More names than an attachment has room for";
        else
                limit = client_attach_limit(client_of(call));
        if (limit)
                rpc_fail(call, &rpc_limit_reached, NULL, "%s", limit);
        return !limit;
}

static void attach(struct rpc_call *call, const struct rpc_arg *args) {
        struct client *client = client_of(call);
        struct handle *handles[LIMIT_ATTACHED_HANDLES];
        struct attachment *attachment;
        struct buffer *out = &client->stream.out;
        size_t at = out->n;
        int fds[N_ATTACHMENT_FDS], r;

        if (!is_possible(call, &args[0]) || !find_handles(call, &args[0], handles))
                return;
        r = attachment_new(&client->set->attachments, handles, args[0].strings.n, &attachment, fds);
        if (r == 0) {
                r = stream_pass_consume_fds(&client->stream, at, fds);
                if (r < 0)
                        attachment_close(attachment);
        }
        if (r < 0) {
                rpc_fail_errno(call, r);
                return;
        }
        client_add_attachment(client, attachment);
        (void)rpc_result_begin(call);
        json_write_open(out, '{');
        json_write_key(out, "version");
        json_write_u64(out, ATTACH_VERSION);
        json_write_key(out, "handles");
        json_write_u64(out, attachment_n_handles(attachment));
        json_write_key(out, "bytes");
        json_write_u64(out, attachment_n_bytes(attachment));
        json_write_close(out, '}');
        rpc_result_end(call);
}

static const struct rpc_param attach_params[] = {
        {"names", RPC_STRING_OR_ARRAY, true, NULL, "The handles, in the order of their words"},
        {},
};

static const struct rpc_error *const attach_errors[] = {
        METHOD_HANDLE_ERRORS, &rpc_closed, &rpc_missing_param, &rpc_limit_reached, NULL,
};

const struct rpc_method methods_attach[] = {
        {
                .name = "attach",
                .description = "Asks for memory and a bell, which come as descriptors beside the "
                               "answer, to send to some handles without another request",
                .params = attach_params,
                .result = "{\"$ref\":\"#/components/schemas/Attachment\"}",
                .errors = attach_errors,
                .scope = RPC_PER_HANDLE,
                .right = ACCESS_SEND,
                .fn = attach,
        },
        {},
};
