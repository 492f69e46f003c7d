/*
 * A key that no line can carry is sent with a request of its own. The last request of all carries
 * the last key and waits; its tickets are not smaller than those before it, so waiting for them
 * covers everything. It names all handles at once: they are waited for together, and the daemon
 * takes either all sends of a request or none.
 */

#include "cli/send-control.h"

#include <stdlib.h>
#include <string.h>

#include "cli/exit-code.h"
#include "cli/human.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/result.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "lib/buffer.h"
#include "lib/deadline.h"

#define GRACE_MS 1000 /* for the daemon to say itself that the time is over */

static void compose(struct buffer *params, const struct arguments *arguments, const char *key,
                    const char *until, int64_t timeout_ms) {
        buffer_clear(params);
        buffer_add_str(params, "{\"name\":[");
        for (int i = 0; i < arguments->n_operands; i++) {
                buffer_add_str(params, i > 0 ? "," : "");
                buffer_add_json_string(params, arguments->operands[i]);
        }
        buffer_add_str(params, "]");
        if (key) {
                buffer_add_str(params, ",\"key\":");
                buffer_add_json_string(params, key);
        }
        if (until) {
                buffer_add_str(params, ",\"wait\":");
                buffer_add_json_string(params, until);
        }
        if (until && timeout_ms >= 0) {
                buffer_add_str(params, ",\"timeout_ms\":");
                rouse__buffer_add_u64(params, (uint64_t)timeout_ms);
        }
        buffer_add_str(params, "}");
}

/* Prints one handle's part of the answer, which is in the order of the names and has none itself.
 */
static int print(const struct session *session, const char *name, struct json_text sent) {
        struct json_text run = result_member(sent, "run");
        char outcome[HUMAN_OUTCOME_MAX];

        if (session->json && sent.n > 1) {
                out("{\"name\":");
                out_json_string(name);
                out(",");
                out_bytes(sent.at + 1, sent.n - 1);
                out("\n");
        } else {
                out_u64(result_u64(sent, "ticket"));
                out("\n");
        }
        if (run.n == 0 || result_is_true(run, "success"))
                return EXIT_DONE;
        message("%s: the run %s", name, human_outcome(run, outcome));
        return EXIT_FAILED;
}

int send_control(struct session *session, const struct arguments *arguments, const char *until,
                 int64_t timeout_ms) {
        struct buffer params = BUFFER_NULL;
        struct json_iterator it = {0};
        const char *last_key = NULL;
        int code = 0;

        for (int i = 0; i < arguments->n_options && !code; i++) {
                if (strcmp(arguments->options[i].option->name, "key") != 0)
                        continue;
                if (last_key) {
                        compose(&params, arguments, last_key, NULL, -1);
                        code = session_call(session, "send", &params, timeout_ms, &it.whole);
                }
                last_key = arguments->options[i].value;
        }
        if (!code) {
                compose(&params, arguments, last_key, until, timeout_ms);
                if (until && timeout_ms >= 0 && timeout_ms < INT64_MAX - GRACE_MS)
                        timeout_ms += GRACE_MS;
                code = session_call(session, "send", &params, timeout_ms, &it.whole);
        }
        rouse__buffer_deinit(&params);
        if (code)
                return code;
        for (int i = 0; i < arguments->n_operands && rouse__json_next(&it); i++)
                code = session_worse(code, print(session, arguments->operands[i], it.value));
        return code;
}
