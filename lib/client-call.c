/*
 * Calls of the daemon's methods, through control.sock: a request is a line of JSON, and so is its
 * answer.
 *
 * A client has one request under way at most. After a failure in the middle of one the connection
 * is closed, so an answer that comes late is never taken for another's; answers are told apart by
 * their id all the same. Notifications are left aside: a client that gets any does not call.
 *
 * A call on a connection that broke while nobody looked is made once more on a new one, but only
 * if the daemon cannot have read it. A new connection that breaks is one that the daemon refuses:
 * it says why, hangs up, and has not read the request, which may not even have been written. So the
 * answer is looked for all the same.
 */

#include "lib/client-private.h"

#include <errno.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/client-ask.h"
#include "lib/deadline.h"

int rouse__client_broken(rouse_client_t *client, int error) {
        rouse__stream_close(&client->control);
        client->watching = false;
        switch (error) {
        case -ETIMEDOUT:
                return rouse__client_fail(client, error, "roused does not answer");
        case -ECONNRESET:
                return rouse__client_fail(client, error, "roused closed the connection");
        case -EPROTO:
                return rouse__client_fail(client, error,
                                          "roused answers in a way that is not understood");
        default:
                return rouse__client_fail(client, error, "no answer from roused: %s",
                                          strerror(-error));
        }
}

static int connect_control(rouse_client_t *client, uint64_t deadline_ns) {
        _cleanup_close_ int dir_fd = -1;
        struct sockaddr_un address;
        int r;

        r = rouse__client_address(client, CONTROL_SOCKET, &dir_fd, &address);
        if (r == 0)
                r = rouse__stream_open(&client->control, &address, deadline_ns);
        return r < 0 ? rouse__client_unreachable(client, r, CONTROL_SOCKET) : 0;
}

void rouse__client_compose(rouse_client_t *client, struct buffer *line, const char *method,
                           const char *params, size_t n_params) {
        buffer_add_str(line, "{\"jsonrpc\":\"2.0\",\"id\":");
        rouse__buffer_add_u64(line, ++client->last_id);
        buffer_add_str(line, ",\"method\":");
        buffer_add_json_string(line, method);
        if (params) {
                size_t at;

                buffer_add_str(line, ",\"params\":");
                at = line->n;
                buffer_add(line, params, n_params);
                /* Outside of strings a newline is white space, and within them there is none. */
                for (size_t i = at; i < line->n; i++)
                        if (line->data[i] == '\n')
                                line->data[i] = ' ';
        }
        buffer_add_str(line, "}");
}

/* Writes the request; a connection that was idle may turn out to be dead. */
static int write_request(rouse_client_t *client, const struct buffer *line, uint64_t deadline_ns) {
        bool was_open = rouse__stream_is_open(&client->control);
        int r;

        if (!was_open) {
                r = connect_control(client, deadline_ns);
                if (r < 0)
                        return r;
        }
        r = rouse__stream_write(&client->control, line->data, line->n, deadline_ns);
        if (r == -ECONNRESET && was_open) {
                rouse__stream_close(&client->control);
                return write_request(client, line, deadline_ns);
        }
        if (r == -ECONNRESET)
                return 0; /* what it said before it hung up is still there to be read */
        return r < 0 ? rouse__client_broken(client, r) : 0;
}

/* Notes the error object of an answer. */
static int refuse(rouse_client_t *client, struct json_text error) {
        char message[sizeof(client->message)] = "", reason[sizeof(client->reason)] = "";
        struct json_text member, data = JSON_TEXT_NULL;
        int code = 0, r;

        if (rouse__json_find(error, "code", &member))
                (void)rouse__json_int(member, &code);
        if (rouse__json_find(error, "message", &member))
                (void)rouse__json_string(member, message, sizeof(message), NULL);
        if (rouse__json_find(error, "data", &data) && rouse__json_find(data, "reason", &member))
                (void)rouse__json_string(member, reason, sizeof(reason), NULL);
        if (code == 0)
                return rouse__client_broken(client, -EPROTO);
        r = rouse__client_refused(client, code, reason, message, NULL);
        /* The stream's buffer is the next answer's. */
        buffer_clear(&client->error_data);
        buffer_add(&client->error_data, data.at, data.n);
        buffer_add_byte(&client->error_data, '\0');
        if (data.n > 0 && !client->error_data.failed)
                client->error.data = client->error_data.data;
        return r;
}

/* Whether an object answers the last request: 1 or 0; -EPROTO: it answers nothing. */
static int is_answer(const rouse_client_t *client, struct json_text object) {
        struct json_text id;
        uint64_t number;

        if (rouse__json_find(object, "method", &id))
                return 0;
        if (!rouse__json_find(object, "id", &id))
                return -EPROTO;
        /* null: the daemon could not even read the id. */
        return rouse__json_kind(id) == JSON_TYPE_NULL ||
               (rouse__json_whole(id, &number) == 0 && number == client->last_id);
}

/* Several calls that are refused as one are answered by an object. */
int rouse__client_hear(rouse_client_t *client, uint64_t deadline_ns, enum json_type kind,
                       struct json_text *ret_answer) {
        struct json_text whole, error;
        char *line;
        size_t n;
        int r;

        do {
                r = rouse__stream_read_line(&client->control, deadline_ns, &line, &n);
                if (r < 0)
                        return rouse__client_broken(client, r);
                if (rouse__json_parse(line, n, &whole, NULL) < 0)
                        return rouse__client_broken(client, -EPROTO);
                r = rouse__json_kind(whole) == JSON_TYPE_OBJECT ? is_answer(client, whole) : 1;
        } while (r == 0);
        if (r > 0 && rouse__json_kind(whole) == kind) {
                *ret_answer = whole;
                return 0;
        }
        if (r > 0 && rouse__json_find(whole, "error", &error))
                return refuse(client, error);
        return rouse__client_broken(client, -EPROTO);
}

int rouse__client_say(rouse_client_t *client, struct buffer *line, uint64_t deadline_ns) {
        buffer_add_byte(line, '\n');
        if (line->failed)
                return rouse__client_fail(client, -ENOMEM, "out of memory");
        return write_request(client, line, deadline_ns);
}

int rouse__client_take(rouse_client_t *client, struct json_text answer,
                       struct json_text *ret_result) {
        struct json_text member;

        if (rouse__json_find(answer, "error", &member))
                return refuse(client, member);
        if (!rouse__json_find(answer, "result", &member))
                return rouse__client_broken(client, -EPROTO);
        *ret_result = member;
        return 0;
}

static int ask(rouse_client_t *client, const char *method, const char *params, size_t n_params,
               uint64_t deadline_ns) {
        struct buffer line = BUFFER_NULL;
        int r;

        rouse__client_compose(client, &line, method, params, n_params);
        r = rouse__client_say(client, &line, deadline_ns);
        rouse__buffer_deinit(&line);
        return r;
}

static int take_one(rouse_client_t *client, uint64_t deadline_ns, struct json_text *ret_result) {
        struct json_text answer;
        int r;

        r = rouse__client_hear(client, deadline_ns, JSON_TYPE_OBJECT, &answer);
        return r < 0 ? r : rouse__client_take(client, answer, ret_result);
}

int rouse__client_request(rouse_client_t *client, const char *method, const char *params,
                          size_t n_params, uint64_t deadline_ns, struct json_text *ret_result) {
        int r;

        r = ask(client, method, params, n_params, deadline_ns);
        return r < 0 ? r : take_one(client, deadline_ns, ret_result);
}

int rouse__client_ask(rouse_client_t *client, const char *method, const char *params,
                      uint64_t deadline_ns) {
        struct json_text json = JSON_TEXT_NULL;
        size_t at = 0;
        int r;

        if (client->watching)
                return rouse__client_fail(client, -EBUSY, "this client watches");
        if (params) {
                r = rouse__json_parse(params, strlen(params), &json, &at);
                if (r == -E2BIG)
                        return rouse__client_fail(client, -EINVAL,
                                                  "the parameters are nested too deep");
                if (r < 0)
                        return rouse__client_fail(client, -EINVAL,
                                                  "the parameters are not JSON from character "
                                                  "%zu on",
                                                  at + 1);
                if (rouse__json_kind(json) != JSON_TYPE_OBJECT &&
                    rouse__json_kind(json) != JSON_TYPE_ARRAY)
                        return rouse__client_fail(client, -EINVAL,
                                                  "the parameters must be a JSON object or array");
        }
        return ask(client, method, json.at, json.n, deadline_ns);
}

int rouse__client_answer(rouse_client_t *client, uint64_t deadline_ns, const char **ret_result) {
        struct json_text result;
        int r;

        r = take_one(client, deadline_ns, &result);
        if (r < 0)
                return r;
        ((char *)result.at)[result.n] = '\0'; /* a bracket or comma, in the stream's buffer */
        *ret_result = result.at;
        return 0;
}

int rouse_client_call(rouse_client_t *client, const char *method, const char *params,
                      int64_t timeout_ms, const char **ret_result) {
        uint64_t deadline_ns = deadline_in_ms(timeout_ms);
        int r;

        r = rouse__client_ask(client, method, params, deadline_ns);
        return r < 0 ? r : rouse__client_answer(client, deadline_ns, ret_result);
}
