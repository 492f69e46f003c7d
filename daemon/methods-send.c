/*
 * send. Everything that can go wrong is looked at before the first handle is sent to: either all of
 * the names are sent to, or none. A wait begins in the same step as the send, so that no wake can
 * come between the two.
 */

#include <errno.h>
#include <string.h>

#include "lib/buffer.h"
#include "daemon/handle.h"
#include "daemon/json-view.h"
#include "daemon/json-write.h"
#include "daemon/limits.h"
#include "daemon/methods.h"
#include "daemon/rpc-call.h"
#include "daemon/rpc-error.h"
#include "daemon/wait.h"

enum { NAME, WAIT, TIMEOUT_MS, KEY, NAMES, KEYS };
enum { WAIT_WAKE, WAIT_RUN };

/* A request, read and found possible. */
struct sending {
        const struct rpc_arg *names;
        bool is_list;
        bool is_waiting, for_run;
        const uint64_t *timeout_ms;
        const struct json_text *keys; /* one send each; without any, one send */
        size_t n_keys;
};

static void write_receipt(struct buffer *out, const struct handle_receipt *receipt) {
        json_write_key(out, "ticket");
        json_write_u64(out, receipt->ticket);
        json_write_key(out, "disposition");
        json_write_string(out, handle_disposition_to_string(receipt->disposition));
}

static void write_waited(struct buffer *out, const struct wait *wait) {
        if (wait->is_list)
                json_write_open(out, '[');
        for (size_t i = 0; i < wait->n_items; i++) {
                const struct wait_item *item = &wait->items[i];

                json_write_open(out, '{');
                write_receipt(out, &item->receipt);
                json_write_key(out, "seq");
                json_write_u64(out, item->seq);
                json_write_key(out, "sends");
                json_write_u64(out, item->n_sends);
                if (wait->for_run) {
                        json_write_key(out, "run");
                        view_run(out, &item->run, item->complaint);
                }
                json_write_close(out, '}');
        }
        if (wait->is_list)
                json_write_close(out, ']');
}

static bool key_is_legal(struct rpc_call *call, const struct json_text *key) {
        if (key->n > LIMIT_KEY_BYTES) {
                rpc_fail(call, &rpc_too_long, NULL, "The key is longer than %u bytes",
                         LIMIT_KEY_BYTES);
                return false;
        }
        if (key->n == 0 || memchr(key->at, '\n', key->n) || memchr(key->at, 0, key->n)) {
                rpc_fail(call, &rpc_bad_key, NULL, "A key is a line of text and not empty");
                return false;
        }
        return true;
}

static bool read_keys(struct rpc_call *call, const struct rpc_arg *args, struct sending *sending) {
        bool has_key = rpc_arg_is_given(&args[KEY]), has_keys = rpc_arg_is_given(&args[KEYS]);

        if (has_key && has_keys) {
                rpc_fail(call, &rpc_conflict, NULL,
                         "Invalid params: \"key\" and \"keys\" exclude each other");
                return false;
        }
        if (has_key) {
                sending->keys = &args[KEY].string;
                sending->n_keys = 1;
        } else if (has_keys) {
                sending->keys = args[KEYS].strings.items;
                sending->n_keys = args[KEYS].strings.n;
        }
        if (sending->n_keys > LIMIT_SEND_KEYS) {
                rpc_fail(call, &rpc_limit_reached, NULL, "More than %u keys in one request",
                         LIMIT_SEND_KEYS);
                return false;
        }
        for (size_t i = 0; i < sending->n_keys; i++)
                if (!key_is_legal(call, &sending->keys[i]))
                        return false;
        return true;
}

static bool read_names(struct rpc_call *call, const struct rpc_arg *args, struct sending *sending) {
        bool has_name = rpc_arg_is_given(&args[NAME]), has_names = rpc_arg_is_given(&args[NAMES]);

        if (has_name && has_names) {
                rpc_fail(call, &rpc_conflict, NULL,
                         "Invalid params: \"name\" and \"names\" exclude each other");
                return false;
        }
        if (!has_name && !has_names) {
                rpc_fail(call, &rpc_missing_param, NULL,
                         "Invalid params: either \"name\" or \"names\" is needed");
                return false;
        }
        sending->names = has_name ? &args[NAME] : &args[NAMES];
        sending->is_list = rouse__json_type(sending->names->text) == JSON_TYPE_ARRAY;
        if (sending->names->strings.n <= LIMIT_SEND_NAMES)
                return true;
        rpc_fail(call, &rpc_limit_reached, NULL, "More than %u names in one request",
                 LIMIT_SEND_NAMES);
        return false;
}

/* They are all made in one step, in which nobody else has a turn. */
static bool sends_are_few(struct rpc_call *call, const struct sending *sending) {
        size_t n_names = sending->names->strings.n, n_keys = sending->n_keys;

        if (n_names * n_keys <= LIMIT_SENDS)
                return true;
        rpc_fail(call, &rpc_limit_reached, NULL,
                 "More than %u sends in one request: %zu keys to each of %zu names", LIMIT_SENDS,
                 n_keys, n_names);
        return false;
}

/* Whether every handle is there and may be sent to. */
static bool find_handles(struct rpc_call *call, const struct sending *sending,
                         struct handle **ret_handles) {
        for (size_t i = 0; i < sending->names->strings.n; i++) {
                struct handle *handle =
                        method_handle(call, sending->names->strings.items[i], ACCESS_SEND);

                if (!handle)
                        return false;
                if (!handle_is_active(handle)) {
                        method_fail_closed(call, handle);
                        return false;
                }
                if (sending->for_run && !handle_has_action(handle)) {
                        rpc_fail(call, &rpc_no_action, handle_name(handle),
                                 "\"%s\" has no action, so no run of it can be waited for",
                                 handle_name(handle));
                        return false;
                }
                ret_handles[i] = handle;
        }
        return true;
}

/* The handles were found active in this step, so sending cannot fail. The first send says what
 * became of them all: the others join it, within this step. */
static void send_one(struct handle *handle, const struct sending *sending,
                     struct handle_receipt *ret) {
        const struct json_text *keys = sending->keys;

        *ret = (struct handle_receipt){.ticket = 0};
        (void)handle_send(handle, sending->n_keys ? keys[0].at : NULL,
                          sending->n_keys ? keys[0].n : 0, ret);
        for (size_t i = 1; i < sending->n_keys; i++)
                (void)handle_send(handle, keys[i].at, keys[i].n, NULL);
}

static void send_and_answer(struct rpc_call *call, const struct sending *sending,
                            struct handle *const *handles) {
        struct handle_receipt receipts[LIMIT_SEND_NAMES];
        size_t n = sending->names->strings.n;
        struct buffer *out;

        for (size_t i = 0; i < n; i++)
                send_one(handles[i], sending, &receipts[i]);
        out = rpc_result_begin(call);
        if (sending->is_list)
                json_write_open(out, '[');
        for (size_t i = 0; i < n; i++) {
                json_write_open(out, '{');
                write_receipt(out, &receipts[i]);
                json_write_close(out, '}');
        }
        if (sending->is_list)
                json_write_close(out, ']');
        rpc_result_end(call);
}

static void send_and_wait(struct rpc_call *call, const struct sending *sending,
                          struct handle *const *handles) {
        size_t n = sending->names->strings.n;
        struct wait *wait = wait_new(n);

        if (!wait) {
                rpc_fail_errno(call, -ENOMEM);
                return;
        }
        wait->write = write_waited;
        wait->for_run = sending->for_run;
        wait->is_list = sending->is_list;
        if (!wait_begin(wait, call))
                return;
        for (size_t i = 0; i < n; i++) {
                send_one(handles[i], sending, &wait->items[i].receipt);
                wait_for(wait, i, handles[i]);
        }
        wait_until(wait, sending->timeout_ms);
}

static void send_names(struct rpc_call *call, const struct rpc_arg *args) {
        struct sending sending = {
                .is_waiting = rpc_arg_is_given(&args[WAIT]),
                .timeout_ms =
                        rpc_arg_is_given(&args[TIMEOUT_MS]) ? &args[TIMEOUT_MS].integer : NULL,
        };
        struct handle *handles[LIMIT_SEND_NAMES];

        sending.for_run = sending.is_waiting && args[WAIT].integer == WAIT_RUN;
        if (!read_keys(call, args, &sending) || !read_names(call, args, &sending) ||
            !sends_are_few(call, &sending) || !find_handles(call, &sending, handles))
                return;
        /* Nobody waits for the answer to a notification, and for nothing there is none to wait for.
         */
        if (sending.is_waiting && rpc_call_wants_answer(call) && sending.names->strings.n > 0)
                send_and_wait(call, &sending, handles);
        else
                send_and_answer(call, &sending, handles);
}

static const char *const wait_choices[] = {
        [WAIT_WAKE] = "wake",
        [WAIT_RUN] = "run",
        NULL,
};

static const struct rpc_param send_params[] = {
        [NAME] = {"name", RPC_STRING_OR_ARRAY, false, NULL,
                  "The handle's name, or an array of names"},
        [WAIT] = {"wait", RPC_CHOICE, false, wait_choices,
                  "Answer when the wake, or a run that began after the send, has come"},
        [TIMEOUT_MS] = {"timeout_ms", RPC_INTEGER, false, NULL, "How long to wait at most"},
        [KEY] = {"key", RPC_STRING, false, NULL, "What the send is about: one line"},
        [NAMES] = {"names", RPC_STRINGS, false, NULL, "Several names, instead of name"},
        [KEYS] = {"keys", RPC_STRINGS, false, NULL, "Several keys, instead of key: a send each"},
        {},
};

static const struct rpc_error *const send_errors[] = {
        METHOD_HANDLE_ERRORS, &rpc_closed,  &rpc_missing_param,
        &rpc_conflict,        &rpc_bad_key, &rpc_too_long,
        &rpc_no_action,       &rpc_timeout, &rpc_limit_reached,
        &rpc_shutting_down,   NULL};

const struct rpc_method methods_send[] = {
        {
                .name = "send",
                .description = "Asks for a wake of one handle or of several: of all or of none",
                .params = send_params,
                .result =
                        "{\"oneOf\":[{\"$ref\":\"#/components/schemas/Sent\"},{\"type\":\"array\","
                        "\"items\":{\"$ref\":\"#/components/schemas/Sent\"}}]}",
                .errors = send_errors,
                .scope = RPC_PER_HANDLE,
                .right = ACCESS_SEND,
                .fn = send_names,
        },
        {},
};
