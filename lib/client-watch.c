/*
 * Being told of wakes: one awaited by its number, or all of some handles.
 *
 * A time-out is given to the daemon, which answers when it is over; the client's own deadline lies
 * a little later and is only for a daemon that says nothing.
 *
 * A watcher's connection carries, after the answer to `subscribe`, nothing but notifications.
 */

#include "lib/client-private.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lib/deadline.h"

#define GRACE_MS 1000

/* Reads {name, seq, sends, missed}, of which name and missed may be absent and sends may be null:
 * of wakes that are over the daemon does not remember it. */
static int read_wake(rouse_client_t *client, struct json_text object, rouse_client_wake_t *ret) {
        rouse_client_wake_t wake = {.name = client->wake_name};
        struct json_text member;

        if (rouse__json_find(object, "name", &member) &&
            rouse__json_string(member, client->wake_name, sizeof(client->wake_name), NULL) < 0)
                goto strange;
        if (!rouse__json_find(object, "seq", &member) || rouse__json_whole(member, &wake.seq) < 0)
                goto strange;
        if (!rouse__json_find(object, "sends", &member) ||
            (rouse__json_kind(member) != JSON_TYPE_NULL &&
             rouse__json_whole(member, &wake.n_sends) < 0))
                goto strange;
        if (rouse__json_find(object, "missed", &member) &&
            rouse__json_whole(member, &wake.n_missed) < 0)
                goto strange;
        *ret = wake;
        return 0;
strange:
        return rouse__client_fail(client, -EPROTO,
                                  "roused tells of a wake in a way that is not understood");
}

static int wait_for(rouse_client_t *client, const char *name, const char *which, uint64_t number,
                    int64_t timeout_ms, rouse_client_wake_t *ret_wake) {
        struct buffer params = BUFFER_NULL;
        rouse_client_wake_t wake;
        struct json_text result;
        int r;

        if (client->watching)
                return rouse__client_fail(client, -EBUSY, "this client watches");
        buffer_add_str(&params, "{\"name\":");
        buffer_add_json_string(&params, name);
        if (which) {
                buffer_add_str(&params, ",\"");
                buffer_add_str(&params, which);
                buffer_add_str(&params, "\":");
                rouse__buffer_add_u64(&params, number);
        }
        if (timeout_ms >= 0) {
                buffer_add_str(&params, ",\"timeout_ms\":");
                rouse__buffer_add_u64(&params, (uint64_t)timeout_ms);
                timeout_ms = timeout_ms > INT64_MAX - GRACE_MS ? INT64_MAX : timeout_ms + GRACE_MS;
        }
        buffer_add_str(&params, "}");
        r = params.failed ? rouse__client_fail(client, -ENOMEM, "out of memory")
                          : rouse__client_request(client, "wait", params.data, params.n,
                                                  deadline_in_ms(timeout_ms), &result);
        rouse__buffer_deinit(&params);
        if (r < 0)
                return r;
        strncpy(client->wake_name, name, sizeof(client->wake_name) - 1);
        client->wake_name[sizeof(client->wake_name) - 1] = '\0';
        r = read_wake(client, result, &wake);
        if (r < 0)
                return r;
        if (ret_wake)
                *ret_wake = wake;
        return 0;
}

int rouse_client_wait(rouse_client_t *client, const char *name, int64_t timeout_ms,
                      rouse_client_wake_t *ret_wake) {
        return wait_for(client, name, NULL, 0, timeout_ms, ret_wake);
}

int rouse_client_wait_after(rouse_client_t *client, const char *name, uint64_t seq,
                            int64_t timeout_ms, rouse_client_wake_t *ret_wake) {
        return wait_for(client, name, "after", seq, timeout_ms, ret_wake);
}

int rouse_client_wait_ticket(rouse_client_t *client, const char *name, uint64_t ticket,
                             int64_t timeout_ms, rouse_client_wake_t *ret_wake) {
        return wait_for(client, name, "ticket", ticket, timeout_ms, ret_wake);
}

static int watch(rouse_client_t *client, const char *const *patterns, size_t n_patterns, bool runs,
                 int64_t timeout_ms) {
        struct buffer params = BUFFER_NULL;
        struct json_text result;
        int r;

        if (client->watching)
                return rouse__client_fail(client, -EBUSY, "this client watches");
        if (n_patterns == 0)
                return rouse__client_fail(client, -EINVAL, "no pattern to watch");
        buffer_add_str(&params, "{\"patterns\":");
        for (size_t i = 0; i < n_patterns; i++) {
                buffer_add_str(&params, i == 0 ? "[" : ",");
                buffer_add_json_string(&params, patterns[i]);
        }
        buffer_add_str(&params, runs ? "],\"runs\":true}" : "]}");
        r = params.failed ? rouse__client_fail(client, -ENOMEM, "out of memory")
                          : rouse__client_request(client, "subscribe", params.data, params.n,
                                                  deadline_in_ms(timeout_ms), &result);
        rouse__buffer_deinit(&params);
        if (r < 0)
                return r;
        client->watching = true;
        return 0;
}

int rouse_client_watch(rouse_client_t *client, const char *const *patterns, size_t n_patterns,
                       int64_t timeout_ms) {
        return watch(client, patterns, n_patterns, false, timeout_ms);
}

int rouse_client_watch_runs(rouse_client_t *client, const char *const *patterns, size_t n_patterns,
                            int64_t timeout_ms) {
        return watch(client, patterns, n_patterns, true, timeout_ms);
}

/* Reads what a run that ended has more than a wake. */
static int read_ended(rouse_client_t *client, struct json_text params,
                      rouse_client_event_t *event) {
        struct json_text member;

        if (!rouse__json_find(params, "outcome", &member) ||
            rouse__json_string(member, client->outcome, sizeof(client->outcome), NULL) < 0 ||
            !rouse__json_find(params, "status", &member) ||
            rouse__json_int(member, &event->status) < 0 ||
            !rouse__json_find(params, "success", &member))
                return rouse__client_fail(client, -EPROTO,
                                          "roused tells of a run in a way that is not understood");
        event->success = rouse__json_kind(member) == JSON_TYPE_TRUE;
        event->outcome = client->outcome;
        if (rouse__json_find(params, "duration_ms", &member))
                (void)rouse__json_whole(member, &event->duration_ms);
        return 0;
}

static int read_event(rouse_client_t *client, rouse_client_event_kind_t kind,
                      struct json_text params, rouse_client_event_t *ret) {
        rouse_client_event_t event = {.kind = kind};
        rouse_client_wake_t wake;
        int r;

        r = read_wake(client, params, &wake);
        if (r < 0)
                return r;
        event.name = wake.name;
        event.seq = wake.seq;
        event.n_sends = wake.n_sends;
        event.n_missed = wake.n_missed;
        if (kind == ROUSE_CLIENT_RUN_ENDED) {
                r = read_ended(client, params, &event);
                if (r < 0)
                        return r;
        }
        *ret = event;
        return 0;
}

/* Which event a notification is. */
static bool find_kind(struct json_text method, rouse_client_event_kind_t *ret) {
        static const char *const names[] = {
                [ROUSE_CLIENT_WAKE] = "wake",
                [ROUSE_CLIENT_RUN_STARTED] = "run_started",
                [ROUSE_CLIENT_RUN_ENDED] = "run_ended",
        };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (rouse__json_string_is(method, names[i])) {
                        *ret = (rouse_client_event_kind_t)i;
                        return true;
                }
        return false; /* of a kind that this version does not know */
}

static int next_event(rouse_client_t *client, uint64_t deadline_ns, rouse_client_event_t *ret) {
        if (!client->watching)
                return rouse__client_fail(client, -EINVAL, "this client does not watch");
        for (;;) {
                rouse_client_event_kind_t kind;
                struct json_text whole, member;
                char *line;
                size_t n;
                int r;

                r = rouse__stream_read_line(&client->control, deadline_ns, &line, &n);
                if (r == -ETIMEDOUT) /* nothing is wrong: it watches on */
                        return rouse__client_fail(client, r, "no wake in this time");
                if (r < 0)
                        return rouse__client_broken(client, r);
                if (rouse__json_parse(line, n, &whole, NULL) < 0)
                        return rouse__client_broken(client, -EPROTO);
                if (!rouse__json_find(whole, "method", &member) || !find_kind(member, &kind))
                        continue;
                if (!rouse__json_find(whole, "params", &member))
                        return rouse__client_broken(client, -EPROTO);
                return read_event(client, kind, member, ret);
        }
}

int rouse_client_next_event(rouse_client_t *client, int64_t timeout_ms,
                            rouse_client_event_t *ret_event) {
        return next_event(client, deadline_in_ms(timeout_ms), ret_event);
}

int rouse_client_next(rouse_client_t *client, int64_t timeout_ms, rouse_client_wake_t *ret_wake) {
        uint64_t deadline_ns = deadline_in_ms(timeout_ms);
        rouse_client_event_t event;
        int r;

        do {
                r = next_event(client, deadline_ns, &event);
                if (r < 0)
                        return r;
        } while (event.kind != ROUSE_CLIENT_WAKE);
        *ret_wake = (rouse_client_wake_t){
                .name = event.name,
                .seq = event.seq,
                .n_sends = event.n_sends,
                .n_missed = event.n_missed,
        };
        return 0;
}

int rouse_client_fd(const rouse_client_t *client) {
        return client->watching ? client->control.fd : -1;
}
