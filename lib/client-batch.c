/* A batch is an array of requests, and so is its answer, in whatever order: the ids, which follow
 * each other, tell whose an answer is. */

#include "lib/client-batch.h"

#include <errno.h>
#include <string.h>

#include "lib/client-private.h"
#include "lib/deadline.h"

/* Gives each call its answer. False if one has none. */
static bool hand_out(struct json_text answers, uint64_t first_id, struct client_batch_call *calls,
                     size_t n_calls) {
        struct json_iterator it = {.whole = answers};
        struct json_text member;
        size_t n_left = n_calls;
        uint64_t id;

        for (size_t i = 0; i < n_calls; i++)
                calls[i].answer = (struct json_text)JSON_TEXT_NULL;
        while (rouse__json_next(&it)) {
                if (!rouse__json_find(it.value, "id", &member) ||
                    rouse__json_whole(member, &id) < 0 || id < first_id ||
                    id - first_id >= n_calls || calls[id - first_id].answer.at)
                        return false;
                calls[id - first_id].answer = it.value;
                n_left--;
        }
        return n_left == 0;
}

int rouse__client_batch(rouse_client_t *client, struct client_batch_call *calls, size_t n_calls,
                        int64_t timeout_ms) {
        uint64_t first_id = client->last_id + 1, deadline_ns = deadline_in_ms(timeout_ms);
        struct buffer line = BUFFER_NULL;
        struct json_text answers;
        int r;

        if (client->watching)
                return rouse__client_fail(client, -EBUSY, "this client watches");
        for (size_t i = 0; i < n_calls; i++) {
                const char *params = calls[i].params;

                buffer_add_str(&line, i > 0 ? "," : "[");
                rouse__client_compose(client, &line, calls[i].method, params,
                                      params ? strlen(params) : 0);
        }
        buffer_add_str(&line, "]");
        r = rouse__client_say(client, &line, deadline_ns);
        rouse__buffer_deinit(&line);
        if (r == 0)
                r = rouse__client_hear(client, deadline_ns, JSON_TYPE_ARRAY, &answers);
        if (r == 0 && !hand_out(answers, first_id, calls, n_calls))
                r = rouse__client_broken(client, -EPROTO);
        return r;
}

int rouse__client_batch_take(rouse_client_t *client, const struct client_batch_call *call,
                             struct json_text *ret_result) {
        return rouse__client_take(client, call->answer, ret_result);
}
