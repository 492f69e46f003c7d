/* A call of the daemon in two halves, so that several clients are asked before the first one has
 * its answer. Inside of rouse; others have rouse_client_call(), which is both. */
#pragma once

#include <stdint.h>

#include "lib/rouse-client.h"

/* Sends the request. Between this and its answer the client makes no other call. */
int rouse__client_ask(rouse_client_t *client, const char *method, const char *params,
                      uint64_t deadline_ns);
/* Takes the answer; *ret_result is valid until the client's next call. */
int rouse__client_answer(rouse_client_t *client, uint64_t deadline_ns, const char **ret_result);
