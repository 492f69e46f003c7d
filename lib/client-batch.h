/* Several calls of the daemon's methods in one request, which the daemon takes in their order and
 * answers at once. Not of the library's outside: rouse has need of it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/json-text.h"
#include "lib/rouse-client.h"

struct client_batch_call {
        const char *method;
        const char *params;      /* the text of an object or array, or NULL */
        struct json_text answer; /* out */
};

/* 0, and the answers are valid until the next call with this client; or a negative errno, if they
 * are not all there. What becomes of each of the calls, rouse__client_batch_take() says. */
int rouse__client_batch(rouse_client_t *client, struct client_batch_call *calls, size_t n_calls,
                        int64_t timeout_ms);

/* What one of them was answered: 0 and its result; or a negative errno, which is then the client's
 * last failure. */
int rouse__client_batch_take(rouse_client_t *client, const struct client_batch_call *call,
                             struct json_text *ret_result);
