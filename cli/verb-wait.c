/* wait: until a handle was woken, by number, by ticket, or next. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/exit-code.h"
#include "cli/message.h"
#include "cli/number.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "cli/verbs.h"

static const struct option options[] = {
        {"after", OPTION_VALUE, "SEQ", "the first wake with a number greater than SEQ"},
        {"ticket", OPTION_VALUE, "TICKET", "the wake that covers the send with this ticket"},
        {"timeout", OPTION_VALUE, "T", "give up after this time, and exit with 124"},
        {},
};

static int wait_for(struct session *session, const char *name, const struct arguments *arguments,
                    int64_t timeout_ms, rouse_client_wake_t *ret_wake) {
        const char *text;
        uint64_t number;
        int r;

        if (arguments_has(arguments, "after", &text)) {
                r = number_read("after", text, &number);
                if (r)
                        return r;
                r = rouse_client_wait_after(session->client, name, number, timeout_ms, ret_wake);
        } else if (arguments_has(arguments, "ticket", &text)) {
                r = number_read("ticket", text, &number);
                if (r)
                        return r;
                r = rouse_client_wait_ticket(session->client, name, number, timeout_ms, ret_wake);
        } else {
                r = rouse_client_wait(session->client, name, timeout_ms, ret_wake);
        }
        return r < 0 ? session_failed(session) : 0;
}

static int run(struct session *session, const struct arguments *arguments) {
        rouse_client_wake_t wake;
        int64_t timeout_ms;
        int code;

        if (arguments_has(arguments, "after", NULL) && arguments_has(arguments, "ticket", NULL)) {
                message("--after and --ticket exclude each other");
                return EXIT_USAGE;
        }
        code = session_timeout(arguments, &timeout_ms) ?: session_open(session);
        if (code)
                return code;
        code = wait_for(session, arguments->operands[0], arguments, timeout_ms, &wake);
        if (code)
                return code;
        out(session->json ? "{\"seq\":" : "");
        out_u64(wake.seq);
        if (session->json) {
                out(",\"sends\":");
                if (wake.n_sends > 0)
                        out_u64(wake.n_sends);
                else
                        out("null");
        }
        out(session->json ? "}\n" : "\n");
        return EXIT_DONE;
}

const struct verb verb_wait = {
        .name = "wait",
        .operands = "NAME",
        .least = 1,
        .most = 1,
        .summary = "wait until a handle is woken; print the wake's number",
        .help = "\nWithout --after and --ticket: the next wake. To miss none between two commands, use\n"
                "the number of the last one:\n\n"
                "  seq=$(rouse wait NAME --after \"$seq\")\n",
        .options = options,
        .json = true,
        .run = run,
};
