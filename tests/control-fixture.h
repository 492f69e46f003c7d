/* A control socket over real handles, in a loop that the test runs, and clients that the test
 * plays. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "tests/stand-in.h"

#define REQUEST(method, params, id) \
        "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":" params ",\"id\":" id "}"
#define WAKE(name, seq, sends, missed)                                                            \
        "{\"jsonrpc\":\"2.0\",\"method\":\"wake\",\"params\":{\"name\":\"" name "\",\"seq\":" seq \
        ",\"sends\":" sends ",\"missed\":" missed "}}"

struct handle;

/* Handles and access rules as the YAML text says; the socket stands in the test's directory. */
void fixture_init(struct daemon *daemon, const char *yaml);
/* As many handles as a subscription may cover, and one more. */
void fixture_init_many(struct daemon *daemon);
void fixture_deinit(struct daemon *daemon);

/* Runs the loop until nothing is due now. */
void fixture_turn(struct daemon *daemon);
struct handle *fixture_handle(struct daemon *daemon, const char *name);
/* Sends to a handle and lets it wake. */
void fixture_wake(struct daemon *daemon, const char *name);

/* From now on the daemon takes connecting clients for this user. */
void fixture_set_peer(uid_t uid);

/* A client: a blocking socket. */
int fixture_connect(struct daemon *daemon);
void fixture_say(int fd, const char *text);
/* The next line that is there after some turns, without its newline; NULL: none comes, or the
 * connection is closed. Valid until the next call. */
const char *fixture_hear(struct daemon *daemon, int fd);
/* Whether the daemon has closed the connection. */
bool fixture_is_gone(struct daemon *daemon, int fd);
/* Says a request with this method and params (JSON, or NULL) and reads its answer: the result, or
 * the error object. The caller frees it. */
json_t *fixture_call(struct daemon *daemon, int fd, const char *method, const char *params);
json_t *fixture_fail(struct daemon *daemon, int fd, const char *method, const char *params);
/* Hears just this line; NULL: nothing. */
void fixture_expect(struct daemon *daemon, int fd, const char *line);
/* The call fails for this reason. */
void fixture_expect_reason(struct daemon *daemon, int fd, const char *method, const char *params,
                           const char *reason);
/* A client for this one call. */
json_t *fixture_ask(struct daemon *daemon, const char *method, const char *params);
