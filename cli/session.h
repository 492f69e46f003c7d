/* What all verbs share: the daemon they talk to, and how its refusals are told. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/json-value.h"
#include "lib/rouse-client.h"

struct arguments;
struct buffer;

/* How long the daemon may take for what it answers at once. */
#define ANSWER_MS 30000

struct session {
        const char *dir; /* --dir, or NULL */
        bool json;
        rouse_client_t *client; /* NULL until it is needed */
        bool broken;            /* the last failure was no refusal of the daemon's */
};

#define SESSION_NULL \
        { 0 }

void session_deinit(struct session *session);

/* Makes the client. 0, or an exit code after a message. */
int session_open(struct session *session);

/* Calls a method; params is an object's text. 0, or an exit code after a message. The result is
 * valid until the next call. */
int session_call(struct session *session, const char *method, struct buffer *params,
                 int64_t timeout_ms, struct json_text *ret_result);
/* The same with {"name": name}. */
int session_call_name(struct session *session, const char *method, const char *name,
                      struct json_text *ret_result);
/* The two halves of a call, for several sessions that are asked before the first one answers. */
int session_ask(struct session *session, const char *method, struct buffer *params,
                uint64_t deadline_ns);
int session_answer(struct session *session, uint64_t deadline_ns, struct json_text *ret_result);

/* The end of a verb that asks: `code`, if it is not 0, else the result is printed, as JSON where
 * that is wanted. Returns the exit code. */
int session_show(const struct session *session, int code, struct json_text result,
                 void (*print)(struct json_text result));

/* What the daemon said beside its last refusal; JSON_TEXT_NULL if that is nothing. Valid until the
 * next failure. */
struct json_text session_refusal(const struct session *session);
/* Tells the client's last failure, and what to do about it. Returns the exit code for it. */
int session_failed(struct session *session);
/* Tells that there is no such handle, and which name was probably meant. Returns the exit code. */
int session_tell_no_handle(struct session *session, const char *name);
/* The same of a method. */
int session_tell_no_method(struct session *session, const char *name);
/* What is to be done about a refusal for want of rights. */
#define ACCESS_HINT "; 'access' in the daemon's configuration says who may"

/* The exit code for an errno of the client library. */
int session_exit_code(int error);
/* Of several exit codes the one that tells most. */
int session_worse(int a, int b);

/* Reads an option that is a length of time: milliseconds, rounded up, -1 if it is not given or
 * "infinity". 0, or an exit code after a message. */
int session_timespan(const struct arguments *arguments, const char *option, int64_t *ret_ms);
/* The same for --timeout. */
int session_timeout(const struct arguments *arguments, int64_t *ret_ms);
