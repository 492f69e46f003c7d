/*
 * Names go in parts of as many as a request holds. Each part has a connection of its own, since the
 * daemon bounds what one of them waits for, and all are sent before the first one is waited for.
 *
 * Keys travel together, as many as a request holds. The last request carries the last of them and
 * waits; its tickets are not smaller than those before it, so waiting for them covers everything.
 * It names all handles of its part at once: they are waited for together, and the daemon takes
 * either all sends of a request or none.
 */

#include "cli/send-control.h"

#include <stdlib.h>
#include <string.h>

#include "cli/complaint.h"
#include "cli/exit-code.h"
#include "cli/human.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/result.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "lib/buffer.h"
#include "lib/cleanup.h"
#include "lib/deadline.h"

#define GRACE_MS 1000 /* for the daemon to say itself that the time is over */
/* The daemon takes 1024 names in a request, 1024 keys, 16384 sends (of each key to each name), and
 * a megabyte. */
#define MAX_NAMES      1024
#define MAX_KEYS       1024
#define MAX_SENDS      16384
#define MAX_KEYS_BYTES (512U << 10)

const char *send_key(const struct arguments *arguments, int i) {
        bool is_key = strcmp(arguments->options[i].option->name, "key") == 0;

        return is_key ? arguments->options[i].value : NULL;
}

/* What all parts have in common. */
struct order {
        const struct arguments *arguments;
        const char *until;   /* or NULL */
        int64_t timeout_ms;  /* what the daemon is told; negative: nothing */
        int64_t answer_ms;   /* for what it answers at once */
        int64_t patience_ms; /* for the last answer; negative: without end */
};

struct part {
        struct session *session; /* the caller's, of the first one; or */
        struct session own;
        char **names;
        int n_names;
        int code;             /* of asking */
        uint64_t deadline_ns; /* for the last answer */
};

static int max_keys(const struct part *part) {
        int n = MAX_SENDS / part->n_names;

        return n < MAX_KEYS ? n : MAX_KEYS;
}

/* Adds keys from option *at on until there are no more, or enough; *at is then the first left out.
 */
static void add_keys(struct buffer *params, const struct arguments *arguments, int n_max, int *at) {
        int n = 0;

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

/* The next request: all names of the part, and the keys from option *at on. It waits if it is the
 * last. */
static void compose(struct buffer *params, const struct part *part, const struct order *order,
                    int *at) {
        buffer_clear(params);
        buffer_add_str(params, "{\"name\":[");
        for (int i = 0; i < part->n_names; i++) {
                buffer_add_str(params, i > 0 ? "," : "");
                buffer_add_json_string(params, part->names[i]);
        }
        buffer_add_str(params, "]");
        add_keys(params, order->arguments, max_keys(part), at);
        if (order->until && *at == order->arguments->n_options) {
                buffer_add_str(params, ",\"wait\":");
                buffer_add_json_string(params, order->until);
                if (order->timeout_ms >= 0) {
                        buffer_add_str(params, ",\"timeout_ms\":");
                        rouse__buffer_add_u64(params, (uint64_t)order->timeout_ms);
                }
        }
        buffer_add_str(params, "}");
}

/* Makes all requests of a part, and takes all answers but the last. */
static int ask(struct part *part, const struct order *order) {
        struct buffer params = BUFFER_NULL;
        struct json_text ignored;
        int at = 0, code;
        bool last;

        do {
                compose(&params, part, order, &at);
                last = at == order->arguments->n_options;
                part->deadline_ns = deadline_in_ms(last ? order->patience_ms : order->answer_ms);
                code = session_ask(part->session, "send", &params, part->deadline_ns);
                if (!code && !last)
                        code = session_answer(part->session, part->deadline_ns, &ignored);
        } while (!code && !last);
        rouse__buffer_deinit(&params);
        return code;
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
        complaint_tell(run);
        return EXIT_FAILED;
}

/* No send is taken back because its wait failed: with their tickets the shell can wait on. Returns
 * how many there are. */
static int print_tickets(const struct part *part) {
        struct json_iterator it = {
                .whole = result_member(session_refusal(part->session), "tickets")};
        int n = 0;

        for (; n < part->n_names && rouse__json_next(&it); n++) {
                uint64_t ticket;

                if (rouse__json_whole(it.value, &ticket) == 0)
                        send_print_ticket(part->session, part->names[n], ticket);
        }
        return n;
}

/* Who reads the lines of several parts knows by their order which name they are for. */
static void print_none(const struct part *part) {
        for (int i = 0; i < part->n_names && !part->session->json; i++)
                out("-\n");
}

/* Takes the last answer of a part. */
static int take(const struct part *part, const struct order *order) {
        struct json_iterator it = {0};
        int code;

        code = part->code ?: session_answer(part->session, part->deadline_ns, &it.whole);
        if (code && print_tickets(part) == 0 && part->n_names < order->arguments->n_operands)
                print_none(part);
        if (code)
                return code;
        for (int i = 0; i < part->n_names && rouse__json_next(&it); i++)
                code = session_worse(code, print(part->session, part->names[i], it.value));
        return code;
}

/* Whether a part has failed in a way in which those after it will, too. */
static bool is_broken(const struct part *part) {
        return !part->session->client || part->session->broken;
}

static int send_parts(struct part *parts, int n_parts, const struct order *order) {
        int code = EXIT_DONE;
        bool broken = false;

        for (int i = 0; i < n_parts && !broken; i++) {
                parts[i].code = ask(parts + i, order);
                broken = is_broken(parts + i);
        }
        broken = false;
        for (int i = 0; i < n_parts; i++) {
                if (broken) {
                        print_none(parts + i);
                        continue;
                }
                code = session_worse(code, take(parts + i, order));
                broken = is_broken(parts + i);
        }
        return code;
}

int send_control(struct session *session, const struct arguments *arguments, const char *until,
                 int64_t timeout_ms) {
        int n_parts = (arguments->n_operands - 1) / MAX_NAMES + 1, code;
        const char *dir = rouse_client_dir(session->client);
        _cleanup_free_ struct part *parts = calloc((size_t)n_parts, sizeof(*parts));
        struct order order = {
                .arguments = arguments,
                .until = until,
                .timeout_ms = timeout_ms,
                .answer_ms = timeout_ms < 0 ? ANSWER_MS : timeout_ms,
        };

        if (!parts) {
                message("out of memory");
                return EXIT_FAILED;
        }
        order.patience_ms = until ? timeout_ms : order.answer_ms;
        if (until && timeout_ms >= 0 && timeout_ms < INT64_MAX - GRACE_MS)
                order.patience_ms += GRACE_MS;
        for (int i = 0; i < n_parts; i++) {
                int first = i * MAX_NAMES, n_left = arguments->n_operands - first;

                parts[i].own = (struct session){.dir = dir, .json = session->json};
                parts[i].session = i > 0 ? &parts[i].own : session;
                parts[i].names = arguments->operands + first;
                parts[i].n_names = n_left < MAX_NAMES ? n_left : MAX_NAMES;
        }
        code = send_parts(parts, n_parts, &order);
        for (int i = 0; i < n_parts; i++)
                session_deinit(&parts[i].own);
        return code;
}
