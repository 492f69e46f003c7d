/*
 * Keys travel together, as many as a request holds. The last request carries the last of them and
 * waits; its tickets are not smaller than those before it, so waiting for them covers everything.
 * It names all handles at once: they are waited for together, and the daemon takes either all sends
 * of a request or none.
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
/* The daemon takes 1024 keys in a request, 16384 sends (of each key to each name), and a megabyte.
 */
#define MAX_KEYS       1024
#define MAX_SENDS      16384
#define MAX_KEYS_BYTES (512U << 10)

const char *send_key(const struct arguments *arguments, int i) {
        bool is_key = strcmp(arguments->options[i].option->name, "key") == 0;

        return is_key ? arguments->options[i].value : NULL;
}

static int max_keys(const struct arguments *arguments) {
        int n = MAX_SENDS / arguments->n_operands;

        /* So many names that it is 0 are refused for their number. */
        return n < 1 ? 1 : n < MAX_KEYS ? n : MAX_KEYS;
}

/* Adds keys from option *at on until there are no more, or enough; *at is then the first left out.
 */
static void add_keys(struct buffer *params, const struct arguments *arguments, int *at) {
        int n = 0, n_max = max_keys(arguments);

        for (; *at < arguments->n_options; ++*at) {
                const char *key = send_key(arguments, *at);

                if (!key)
                        continue;
                if (n == n_max || params->n > MAX_KEYS_BYTES)
                        break;
                buffer_add_str(params, n++ > 0 ? "," : ",\"keys\":[");
                buffer_add_json_string(params, key);
        }
        buffer_add_str(params, n > 0 ? "]" : "");
}

/* The next request: all names, and the keys from option *at on. It waits if it is the last. */
static void compose(struct buffer *params, const struct arguments *arguments, int *at,
                    const char *until, int64_t timeout_ms) {
        buffer_clear(params);
        buffer_add_str(params, "{\"name\":[");
        for (int i = 0; i < arguments->n_operands; i++) {
                buffer_add_str(params, i > 0 ? "," : "");
                buffer_add_json_string(params, arguments->operands[i]);
        }
        buffer_add_str(params, "]");
        add_keys(params, arguments, at);
        if (*at < arguments->n_options)
                until = NULL;
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

void send_print_ticket(const struct session *session, const char *name, uint64_t ticket) {
        if (session->json) {
                out("{\"name\":");
                out_json_string(name);
                out(",\"ticket\":");
        }
        out_u64(ticket);
        out(session->json ? "}\n" : "\n");
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
                send_print_ticket(session, name, result_u64(sent, "ticket"));
        }
        if (run.n == 0 || result_is_true(run, "success"))
                return EXIT_DONE;
        message("%s: the run %s", name, human_outcome(run, outcome));
        return EXIT_FAILED;
}

/* No send is taken back because its wait failed: with their tickets the shell can wait on. */
static void print_tickets(const struct session *session, const struct arguments *arguments) {
        struct json_iterator it = {.whole = result_member(session_refusal(session), "tickets")};

        for (int i = 0; i < arguments->n_operands && rouse__json_next(&it); i++) {
                uint64_t ticket;

                if (rouse__json_whole(it.value, &ticket) == 0)
                        send_print_ticket(session, arguments->operands[i], ticket);
        }
}

int send_control(struct session *session, const struct arguments *arguments, const char *until,
                 int64_t timeout_ms) {
        int64_t answer_ms = timeout_ms < 0 ? ANSWER_MS : timeout_ms, patience_ms = timeout_ms;
        struct buffer params = BUFFER_NULL;
        struct json_iterator it = {0};
        int code, at = 0;

        if (!until)
                patience_ms = answer_ms;
        else if (timeout_ms >= 0 && timeout_ms < INT64_MAX - GRACE_MS)
                patience_ms += GRACE_MS;
        do {
                compose(&params, arguments, &at, until, timeout_ms);
                code = session_call(session, "send", &params,
                                    at < arguments->n_options ? answer_ms : patience_ms, &it.whole);
        } while (!code && at < arguments->n_options);
        rouse__buffer_deinit(&params);
        if (code) {
                print_tickets(session, arguments);
                return code;
        }
        for (int i = 0; i < arguments->n_operands && rouse__json_next(&it); i++)
                code = session_worse(code, print(session, arguments->operands[i], it.value));
        return code;
}
