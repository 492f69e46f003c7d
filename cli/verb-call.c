/* call: any method of the daemon, as it is. */

#include <errno.h>
#include <string.h>

#include "cli/exit-code.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "cli/verbs.h"
#include "lib/cleanup.h"

static int run(struct session *session, const struct arguments *arguments) {
        const char *params = arguments->n_operands > 1 ? arguments->operands[1] : NULL;
        _cleanup_free_ char *data = NULL;
        const rouse_client_error_t *error;
        const char *result;
        int code, r;

        code = session_open(session);
        if (code)
                return code;
        r = rouse_client_call(session->client, arguments->operands[0], params, -1, &result);
        if (r == 0) {
                outf("%s\n", result);
                return EXIT_DONE;
        }
        error = rouse_client_get_error(session->client);
        if (r == -ENOSYS)
                return session_tell_no_method(session, arguments->operands[0]);
        if (!error->rpc_code && r == -EINVAL) {
                message("%s", error->message);
                return EXIT_USAGE;
        }
        /* Telling of the failure may ask the daemon something, and the error is gone then. */
        data = error->data ? strdup(error->data) : NULL;
        code = session_failed(session);
        if (data)
                message("%s", data);
        return code;
}

const struct verb verb_call = {
        .name = "call",
        .operands = "METHOD [PARAMS]",
        .least = 1,
        .most = 2,
        .summary = "call a method of control.sock; print its result",
        .help = "\nPARAMS is a JSON object or array. 'rouse call describe' lists the methods.\n",
        .json = true,
        .run = run,
};
