/*
 * send: wakes handles.
 *
 * The plain send is one datagram to poke.sock and one back, and so cheap that the program's start
 * is most of its cost; nothing else is done on that way. What a line of poke.sock cannot carry, and
 * waiting, go through control.sock (send-control.c).
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/exit-code.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/send-control.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "cli/verbs.h"
#include "lib/cleanup.h"
#include "lib/utf8.h"

#define MAX_KEY_BYTES 4096 /* that the daemon takes */

static const struct option options[] = {
        {"wait", OPTION_OPTIONAL, "wake|run",
         "wait for the wake (the default), or for a run to end"},
        {"timeout", OPTION_VALUE, "T", "give up after this time, and exit with 124"},
        {"key", OPTION_LIST, "K", "a line that says to the run what it is about; repeatable"},
        {"no-ack", OPTION_FLAG, NULL, "do not wait for the acknowledgement; print nothing"},
        {},
};

static bool is_utf8(const char *text) {
        size_t n_left = strlen(text);

        while (n_left > 0) {
                size_t n = rouse__utf8_sequence(text, n_left);

                if (n == 0)
                        return false;
                text += n;
                n_left -= n;
        }
        return true;
}

/* Looks at all keys. poke.sock takes a carriage return for a part of the line's end, so a key with
 * one goes through control.sock; that takes UTF-8 only. 0, or an exit code after a message. */
static int check_keys(const struct arguments *arguments, bool *use_control, size_t *ret_n_keys) {
        bool all_utf8 = true;
        size_t n = 0;

        for (int i = 0; i < arguments->n_options; i++) {
                const char *key = send_key(arguments, i);

                if (!key)
                        continue;
                n++;
                if (!*key || strchr(key, '\n')) {
                        message("a key is a line of text, and not empty");
                        return EXIT_USAGE;
                }
                if (strlen(key) > MAX_KEY_BYTES) {
                        message("a key of %zu bytes is too long; it may have %d", strlen(key),
                                MAX_KEY_BYTES);
                        return EXIT_USAGE;
                }
                *use_control = *use_control || strchr(key, '\r');
                all_utf8 = all_utf8 && is_utf8(key);
        }
        if (*use_control && !all_utf8) {
                message("a key that is not UTF-8 goes with neither --wait nor a carriage return");
                return EXIT_USAGE;
        }
        *ret_n_keys = n;
        return 0;
}

static int tell_refusal(struct session *session, const rouse_client_send_t *send) {
        if (send->result == -ENXIO)
                return session_tell_no_handle(session, send->name);
        /* Keys were looked at before, so it is the name that is wrong, or too long. */
        if (send->result == -EINVAL || send->result == -EMSGSIZE) {
                message("\"%.64s\" is not a name: 1 to 255 of A-Z a-z 0-9 . _ - : @ /, and no - "
                        "first",
                        send->name);
                return EXIT_FAILED;
        }
        message("%s: %s%s", rouse_client_strerror(send->result), send->name,
                send->result == -EACCES ? ACCESS_HINT : "");
        return session_exit_code(send->result);
}

/* Prints what became of the sends, those of a name together: the last one's ticket covers them all.
 * `failure` is the error that the client noted, 0 if there was none. */
static int report(struct session *session, const rouse_client_send_t *sends, size_t n_names,
                  size_t n_each, bool ack, int failure) {
        /* Not a refusal of one send, but of the connection: it is told once. */
        bool broken = failure < 0 && failure != -EINVAL && failure != -EMSGSIZE &&
                      !*rouse_client_get_error(session->client)->reason;
        int code = broken ? session_failed(session) : EXIT_DONE;

        for (size_t i = 0; i < n_names; i++) {
                const rouse_client_send_t *of_name = sends + i * n_each, *failed = NULL;

                for (size_t k = 0; k < n_each; k++)
                        if (of_name[k].result < 0)
                                failed = of_name + k;
                if (!failed && ack)
                        send_print_ticket(session, of_name->name, of_name[n_each - 1].ticket);
                /* Who reads the lines knows by their order which name they are for. */
                if (failed && ack && n_names > 1 && !session->json)
                        out("-\n");
                if (failed && !(broken && failed->result == failure))
                        code = session_worse(code, tell_refusal(session, failed));
        }
        return code;
}

/* The sends of one name: one for each key, or one. Returns where the next name's are. */
static rouse_client_send_t *add_sends(rouse_client_send_t *to, const char *name,
                                      const struct arguments *arguments, size_t n_keys) {
        if (n_keys == 0)
                *to++ = (rouse_client_send_t){.name = name};
        for (int i = 0; n_keys > 0 && i < arguments->n_options; i++) {
                const char *key = send_key(arguments, i);

                if (key)
                        *to++ = (rouse_client_send_t){.name = name, .key = key};
        }
        return to;
}

static int poke(struct session *session, const struct arguments *arguments, size_t n_keys,
                int64_t timeout_ms, bool ack) {
        size_t n_names = (size_t)arguments->n_operands, n_each = n_keys ?: 1, n;
        _cleanup_free_ rouse_client_send_t *allocated = NULL;
        rouse_client_send_t one, *sends = &one, *end;
        int r;

        if (__builtin_mul_overflow(n_names, n_each, &n))
                n = SIZE_MAX;
        if (n > 1)
                sends = allocated = calloc(n, sizeof(*sends));
        if (!sends) {
                message("out of memory");
                return EXIT_FAILED;
        }
        end = sends;
        for (size_t i = 0; i < n_names; i++)
                end = add_sends(end, arguments->operands[i], arguments, n_keys);
        r = rouse_client_send_many(session->client, sends, n, ack ? 0 : ROUSE_CLIENT_NO_ACK,
                                   timeout_ms < 0 ? ANSWER_MS : timeout_ms);
        return report(session, sends, n_names, n_each, ack, r);
}

static int run(struct session *session, const struct arguments *arguments) {
        bool wait, use_control, no_ack = arguments_has(arguments, "no-ack", NULL);
        const char *until = NULL;
        int64_t timeout_ms;
        size_t n_keys;
        int code;

        wait = use_control = arguments_has(arguments, "wait", &until);
        if (wait && !until)
                until = "wake";
        if (wait && strcmp(until, "wake") != 0 && strcmp(until, "run") != 0) {
                message("--wait=%s: wait for 'wake' or 'run'", until);
                return EXIT_USAGE;
        }
        if (wait && no_ack) {
                message("--wait and --no-ack exclude each other");
                return EXIT_USAGE;
        }
        code = check_keys(arguments, &use_control, &n_keys)
                       ?: session_timeout(arguments, &timeout_ms) ?: session_open(session);
        if (code)
                return code;
        if (use_control)
                return send_control(session, arguments, until, timeout_ms);
        return poke(session, arguments, n_keys, timeout_ms, !no_ack);
}

const struct verb verb_send = {
        .name = "send",
        .operands = "NAME…",
        .least = 1,
        .most = -1,
        .summary = "wake handles; print the number of the wake that covers it",
        .help = "\nSends before the wake are one wake, told how many they were. A wake after the send is\n"
                "certain once a number was printed, a line for each name. Of several names, one that\n"
                "failed has a '-' in its line.\n",
        .options = options,
        .json = true,
        .run = run,
};
