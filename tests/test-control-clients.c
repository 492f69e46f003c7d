/*
 * What clients of the control socket do to the daemon and to each other: watching, many at once,
 * slow ones, greedy ones, ones that vanish. The memory that a client costs is looked at from
 * inside.
 */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/client.h"
#include "daemon/control-private.h"
#include "daemon/handle.h"
#include "daemon/limits.h"
#include "daemon/registry.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "tests/control-fixture.h"
#include "tests/support.h"

static const char yaml[] = "handles:\n"
                           "  a1: {}\n"
                           "  a2: {}\n"
                           "  b1: {}\n"
                           "  secret: {access: {read: []}}\n"
                           "access: {read: [\"*\"], send: [\"*\"], admin: []}\n";

static struct daemon d;

static void begin(void) {
        fixture_init(&d, yaml);
}

static void finish(void) {
        fixture_deinit(&d);
}

#define REQUEST(method, params, id) \
        "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":" params ",\"id\":" id "}"
#define PING REQUEST("ping", "[]", "1")
#define PONG "{\"jsonrpc\":\"2.0\",\"result\":\"pong\",\"id\":1}"
#define WAKE(name, seq, sends, missed)                                                            \
        "{\"jsonrpc\":\"2.0\",\"method\":\"wake\",\"params\":{\"name\":\"" name "\",\"seq\":" seq \
        ",\"sends\":" sends ",\"missed\":" missed "}}"

static void assert_hears(int fd, const char *line) {
        const char *heard = fixture_hear(&d, fd);

        ck_assert_str_eq(heard ? heard : "nothing", line);
}

static void assert_hears_nothing(int fd) {
        const char *heard = fixture_hear(&d, fd);

        ck_assert_str_eq(heard ? heard : "nothing", "nothing");
}

static void assert_subscription(int fd, const char *method, const char *params, size_t n_patterns,
                                int n_handles) {
        json_t *result = fixture_call(&d, fd, method, params);

        ck_assert_uint_eq(json_array_size(json_object_get(result, "patterns")), n_patterns);
        ck_assert_int_eq(json_integer_value(json_object_get(result, "handles")), n_handles);
        json_decref(result);
}

static void assert_reason(int fd, const char *method, const char *params, const char *reason) {
        json_t *error = fixture_fail(&d, fd, method, params);

        ck_assert_str_eq(
                json_string_value(json_object_get(json_object_get(error, "data"), "reason")),
                reason);
        json_decref(error);
}

static struct client *the_client(void) {
        ck_assert_uint_eq(d.control->n_clients, 1);
        return container_of(list_first(&d.control->clients), struct client, link);
}

/* Watching. */

static void wakes_are_told(void) {
        int fd, other;

        begin();
        fd = fixture_connect(&d);
        other = fixture_connect(&d);
        assert_subscription(fd, "subscribe", "[\"a*\"]", 1, 2);
        fixture_wake(&d, "a1");
        fixture_wake(&d, "b1");
        assert_hears(fd, WAKE("a1", "1", "1", "0"));
        assert_hears_nothing(fd);
        handle_send(fixture_handle(&d, "a2"), NULL, 0, NULL);
        handle_send(fixture_handle(&d, "a1"), NULL, 0, NULL);
        fixture_wake(&d, "a2");
        assert_hears(fd, WAKE("a2", "1", "2", "0"));
        assert_hears(fd, WAKE("a1", "2", "1", "0"));
        assert_hears_nothing(other);
        close(fd);
        close(other);
        finish();
}

static void a_handle_is_told_of_once_however_many_patterns_fit(void) {
        int fd;

        begin();
        fd = fixture_connect(&d);
        assert_subscription(fd, "subscribe", "[[\"a*\",\"a1\",\"*1\",\"a*\"]]", 3, 3);
        assert_subscription(fd, "subscribe", "{\"patterns\":\"*\"}", 4, 4);
        fixture_wake(&d, "a1");
        assert_hears(fd, WAKE("a1", "1", "1", "0"));
        assert_hears_nothing(fd);
        assert_subscription(fd, "unsubscribe", "[[\"*\",\"never\"]]", 3, 3);
        assert_subscription(fd, "unsubscribe", "[[\"a*\",\"*1\"]]", 1, 1);
        fixture_wake(&d, "a2");
        fixture_wake(&d, "a1");
        assert_hears(fd, WAKE("a1", "2", "1", "0"));
        assert_hears_nothing(fd);
        assert_subscription(fd, "unsubscribe", NULL, 0, 0);
        assert_subscription(fd, "unsubscribe", NULL, 0, 0);
        fixture_wake(&d, "a1");
        assert_hears_nothing(fd);
        close(fd);
        finish();
}

static void handles_that_come_later_are_watched_too(void) {
        int fd;

        begin();
        fd = fixture_connect(&d);
        assert_subscription(fd, "subscribe", "[\"new*\"]", 1, 0);
        json_decref(fixture_ask(&d, "create", "[\"new1\"]"));
        json_decref(fixture_ask(&d, "create", "[\"old\"]"));
        fixture_wake(&d, "new1");
        fixture_wake(&d, "old");
        assert_hears(fd, WAKE("new1", "1", "1", "0"));
        assert_hears_nothing(fd);
        /* The last wake is told although the handle is closed in the same turn. */
        fixture_say(fd, REQUEST("wait", "[\"new1\"]", "5") "\n");
        fixture_turn(&d);
        handle_send(fixture_handle(&d, "new1"), NULL, 0, NULL);
        uv_run(&d.loop, UV_RUN_NOWAIT);
        handle_close(fixture_handle(&d, "new1"));
        assert_hears(fd, "{\"jsonrpc\":\"2.0\",\"result\":{\"seq\":2,\"sends\":1},\"id\":5}");
        assert_hears(fd, WAKE("new1", "2", "1", "0"));
        assert_subscription(fd, "subscribe", "[[]]", 1, 0);
        json_decref(fixture_ask(&d, "create", "[\"new1\"]"));
        fixture_wake(&d, "new1");
        assert_hears(fd, WAKE("new1", "3", "1", "0"));
        close(fd);
        finish();
}

static void what_may_not_be_read_is_not_told(void) {
        int fd;

        begin();
        fixture_set_peer(12345);
        fd = fixture_connect(&d);
        assert_subscription(fd, "subscribe", "[\"*\"]", 1, 3);
        fixture_wake(&d, "secret");
        assert_hears_nothing(fd);
        fixture_wake(&d, "a1");
        assert_hears(fd, WAKE("a1", "1", "1", "0"));
        close(fd);
        finish();
}

static void a_slow_watcher_misses_detail_and_never_the_last(void) {
        uint64_t seqs[3] = {0}, sends[3] = {0}, missed[3] = {0}, n_told[3] = {0};
        static const char *const names[] = {"a1", "a2", "b1"};
        struct control_stats stats;
        struct client *client;
        int fd, n_turns = 20000;
        const char *line;

        begin();
        fd = fixture_connect(&d);
        assert_subscription(fd, "subscribe", "[\"*\"]", 1, 4);
        client = the_client();
        for (int i = 0; i < n_turns; i++) {
                for (int k = 0; k < 3; k++)
                        handle_send(fixture_handle(&d, names[k]), NULL, 0, NULL);
                uv_run(&d.loop, UV_RUN_NOWAIT);
                uv_run(&d.loop, UV_RUN_NOWAIT);
        }
        fixture_turn(&d);
        ck_assert_uint_le(client->stream.out.size, 256U << 10);
        ck_assert_uint_eq(client->subscription.n_entries, 4);
        while ((line = fixture_hear(&d, fd))) {
                json_t *json = json_loads(line, 0, NULL), *params = json_object_get(json, "params");
                const char *name = json_string_value(json_object_get(params, "name"));

                for (int k = 0; k < 3; k++) {
                        if (strcmp(name, names[k]) != 0)
                                continue;
                        n_told[k]++;
                        ck_assert_int_gt(json_integer_value(json_object_get(params, "seq")),
                                         (long long)seqs[k]);
                        seqs[k] = (uint64_t)json_integer_value(json_object_get(params, "seq"));
                        sends[k] += (uint64_t)json_integer_value(json_object_get(params, "sends"));
                        missed[k] +=
                                (uint64_t)json_integer_value(json_object_get(params, "missed"));
                }
                json_decref(json);
        }
        control_get_stats(d.control, &stats);
        for (int k = 0; k < 3; k++) {
                ck_assert_uint_eq(seqs[k], handle_seq(fixture_handle(&d, names[k])));
                ck_assert_uint_eq(sends[k], (uint64_t)n_turns);
                ck_assert_uint_eq(n_told[k] + missed[k], seqs[k]);
                ck_assert_uint_gt(missed[k], 0);
        }
        ck_assert_uint_eq(stats.notifications, n_told[0] + n_told[1] + n_told[2]);
        ck_assert_uint_eq(stats.missed, missed[0] + missed[1] + missed[2]);
        close(fd);
        finish();
}

static void subscriptions_are_limited(void) {
        char params[2 * LIMIT_PATTERN_BYTES];
        int fd;

        begin();
        fd = fixture_connect(&d);
        for (unsigned int i = 0; i < LIMIT_SUBSCRIPTIONS; i++) {
                snprintf(params, sizeof(params), "[\"a*%u\"]", i);
                json_decref(fixture_call(&d, fd, "subscribe", params));
        }
        assert_subscription(fd, "subscribe", "[\"a*1\"]", LIMIT_SUBSCRIPTIONS, 2);
        assert_reason(fd, "subscribe", "[\"b*\"]", "limit_reached");
        assert_subscription(fd, "unsubscribe", "[[\"a*7\",\"a*8\"]]", LIMIT_SUBSCRIPTIONS - 2, 2);
        assert_reason(fd, "subscribe", "[[\"b*\",\"c*\",\"d*\"]]", "limit_reached");
        assert_subscription(fd, "subscribe", "[[\"b*\",\"c*\"]]", LIMIT_SUBSCRIPTIONS, 3);
        memset(params, 'x', sizeof(params));
        strcpy(params + LIMIT_PATTERN_BYTES + 3, "\"]");
        memcpy(params, "[\"", 2);
        assert_reason(fd, "subscribe", params, "too_long");
        assert_reason(fd, "subscribe", "[\"\"]", "bad_name");
        assert_reason(fd, "subscribe", "[\"a\\u0000\"]", "bad_name");
        close(fd);
        finish();
}

/* As many handles as a subscription may cover, and some more. */
static void begin_big(void) {
        const unsigned int n = LIMIT_WATCHED_HANDLES + 1;
        char *text = malloc(n * 48 + 100), *at = text;

        at += sprintf(at, "handles:\n");
        for (unsigned int i = 0; i < n; i++)
                at += sprintf(at, "  handle-with-a-rather-long-name-%u: {}\n", i);
        sprintf(at, "access: {read: [\"*\"], admin: [\"*\"]}\n");
        fixture_init(&d, text);
        free(text);
}

static void watched_handles_are_limited(void) {
        int fd;

        begin_big();
        fd = fixture_connect(&d);
        assert_reason(fd, "subscribe", "[\"*\"]", "limit_reached");
        assert_subscription(fd, "subscribe", "[\"never\"]", 1, 0);
        assert_subscription(fd, "subscribe", "[\"*[!0]\"]", 2, 58983);
        assert_reason(fd, "subscribe", "[\"*\"]", "limit_reached");
        json_decref(fixture_call(&d, fd, "close", "[\"handle-with-a-rather-long-name-1\"]"));
        json_decref(fixture_call(&d, fd, "unsubscribe", NULL));
        assert_subscription(fd, "subscribe", "[\"*\"]", 1, LIMIT_WATCHED_HANDLES);
        /* A handle that comes now cannot be watched, and the client learns of that. */
        fixture_say(fd, REQUEST("create", "[\"more\"]", "2") "\n");
        ck_assert_ptr_nonnull(strstr(fixture_hear(&d, fd), "\"name\":\"more\""));
        assert_hears(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"limit_reached\",\"params\":{"
                         "\"handles\":65536}}");
        close(fd);
        finish();
}

/* Long answers. */

static void a_long_answer_holds_up_only_who_asked(void) {
        struct client *client;
        const char *line;
        json_t *list;
        int fd, other;

        begin_big();
        fd = fixture_connect(&d);
        client = the_client();
        fixture_say(fd, REQUEST("list", "[]", "1") "\n" PING "\n" PING "\n");
        fixture_turn(&d);
        ck_assert_uint_gt(stream_n_unsent(&client->stream), LIMIT_REPLY_BYTES);
        other = fixture_connect(&d);
        fixture_say(other, PING "\n");
        assert_hears(other, PONG);
        ck_assert_uint_eq(d.control->counters.requests, 2);
        line = fixture_hear(&d, fd);
        ck_assert_ptr_nonnull(line);
        list = json_loads(line, 0, NULL);
        ck_assert_uint_eq(json_array_size(json_object_get(list, "result")),
                          LIMIT_WATCHED_HANDLES + 1);
        json_decref(list);
        assert_hears(fd, PONG);
        assert_hears(fd, PONG);
        ck_assert_uint_le(client->stream.out.size, 4096);
        close(fd);
        close(other);
        finish();
}

static void lists_that_a_user_does_not_read_are_limited(void) {
        int fds[12], other, n_refused = 0;
        size_t unsent;

        begin_big();
        fixture_set_peer(1111);
        for (int i = 0; i < 12; i++) {
                fds[i] = fixture_connect(&d);
                fixture_say(fds[i], REQUEST("list", "[]", "1") "\n");
                fixture_turn(&d);
        }
        unsent = d.control->streams.n_unsent;
        ck_assert_uint_gt(unsent, LIMIT_USER_REPLY_BYTES);
        ck_assert_uint_lt(unsent, LIMIT_USER_REPLY_BYTES + 2 * LIMIT_REPLY_BYTES);
        for (int i = 0; i < 12; i++) {
                const char *line = fixture_hear(&d, fds[i]);

                n_refused += strstr(line, "\"limit_reached\"") != NULL;
                close(fds[i]);
        }
        ck_assert_int_gt(n_refused, 0);
        ck_assert_int_lt(n_refused, 8);
        fixture_set_peer(2222);
        other = fixture_connect(&d);
        fixture_say(other, REQUEST("list", "[]", "1") "\n");
        ck_assert_ptr_null(strstr(fixture_hear(&d, other), "\"limit_reached\""));
        close(other);
        ck_assert(d.control->streams.n_unsent == 0 || !fixture_is_gone(&d, other));
        finish();
}

static void who_never_reads_is_not_read(void) {
        char *many = malloc(1 << 20), *at = many;
        ssize_t n;
        struct client *client;
        int fd, other, n_turns = 0;

        begin();
        fd = fixture_connect(&d);
        client = the_client();
        other = fixture_connect(&d);
        while (at + 100 < many + (1 << 20))
                at += sprintf(at, "%s\n", REQUEST("describe", "[]", "1"));
        /* Until nothing more is taken from it. */
        do {
                n = send(fd, many, (size_t)(at - many), MSG_DONTWAIT | MSG_NOSIGNAL);
                uv_run(&d.loop, UV_RUN_NOWAIT);
                ck_assert_int_lt(n_turns++, 100000);
        } while (n > 0 || client->stream.has_lines != client->stream.is_blocked ||
                 !client->stream.is_blocked);
        ck_assert_uint_lt(client->stream.out.size, 3 * LIMIT_REPLY_BYTES);
        ck_assert_uint_lt(stream_n_unsent(&client->stream), LIMIT_REPLY_BYTES + (64U << 10));
        ck_assert_uint_le(client->stream.in.size, 2U << 20);
        fixture_say(other, PING "\n");
        assert_hears(other, PONG);
        close(fd);
        for (n_turns = 0; d.control->n_clients > 1 && n_turns < 100000; n_turns++)
                fixture_turn(&d);
        ck_assert_uint_eq(d.control->n_clients, 1);
        ck_assert_uint_eq(d.control->streams.n_unsent, 0);
        close(other);
        free(many);
        finish();
}

/* Rude ones. */

static void half_a_line_harms_nobody(void) {
        static const char half[] =
                "{\"jsonrpc\":\"2.0\",\"method\":\"send\",\"params\":[\"a1\"],\"i";
        int fds[20], other;

        begin();
        other = fixture_connect(&d);
        for (int i = 0; i < 20; i++) {
                fds[i] = fixture_connect(&d);
                fixture_say(fds[i], half);
        }
        fixture_say(other, PING "\n");
        assert_hears(other, PONG);
        for (int i = 0; i < 20; i++)
                close(fds[i]);
        fixture_turn(&d);
        ck_assert_uint_eq(d.control->n_clients, 1);
        ck_assert_uint_eq(handle_seq(fixture_handle(&d, "a1")), 0);
        close(other);
        finish();
}

static void who_vanishes_waits_no_more(void) {
        int fd;

        begin();
        for (int i = 0; i < 10; i++) {
                fd = fixture_connect(&d);
                fixture_say(fd, REQUEST("wait", "[\"a1\"]", "1") "\n[" REQUEST(
                                        "wait", "[\"a1\"]",
                                        "2") "," PING
                                             "]\n" REQUEST("send", "[\"a2\",\"wake\"]",
                                                           "3") "\n" REQUEST("subscribe", "[\"*\"]",
                                                                             "4") "\n");
                if (i % 2)
                        fixture_turn(&d);
                close(fd);
        }
        fixture_turn(&d);
        ck_assert_uint_eq(d.control->n_clients, 0);
        ck_assert_uint_ge(handle_seq(fixture_handle(&d, "a2")), 1);
        fixture_wake(&d, "a1");
        finish();
}

static void what_was_sent_before_vanishing_counts(void) {
        int fd;

        begin();
        fd = fixture_connect(&d);
        for (int i = 0; i < 3000; i++) {
                fixture_say(fd, REQUEST("send", "[\"a1\"]", "1") "\n");
                if (i % 100 == 0)
                        fixture_turn(&d);
        }
        fixture_say(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"send\",\"params\":[\"b1\"]}\n");
        close(fd);
        fixture_turn(&d);
        ck_assert_uint_eq(handle_seq(fixture_handle(&d, "b1")), 1);
        ck_assert_uint_eq(d.control->n_clients, 0);
        finish();
}

static void garbage_is_answered_in_turn(void) {
        char garbage[16384];
        ssize_t n;
        int fd, other;

        begin();
        fd = fixture_connect(&d);
        other = fixture_connect(&d);
        for (size_t i = 0; i < sizeof(garbage); i++)
                garbage[i] = (char)(i % 7 ? i * 31 : '\n');
        for (int i = 0; i < 100; i++) {
                do
                        n = send(fd, garbage, sizeof(garbage), MSG_DONTWAIT | MSG_NOSIGNAL);
                while (n > 0);
                fixture_say(other, PING "\n");
                uv_run(&d.loop, UV_RUN_NOWAIT);
                uv_run(&d.loop, UV_RUN_NOWAIT);
                ck_assert_int_eq(recv(other, garbage, sizeof(PONG), MSG_DONTWAIT), sizeof(PONG));
                garbage[0] = '\n';
        }
        ck_assert_ptr_nonnull(strstr(fixture_hear(&d, fd), "-32700"));
        close(fd);
        close(other);
        finish();
}

static void long_lines_are_refused_and_the_next_is_taken(void) {
        char *line = malloc(LIMIT_REQUEST_BYTES + 100);
        int fd;

        begin();
        fd = fixture_connect(&d);
        memset(line, ' ', LIMIT_REQUEST_BYTES + 100);
        memcpy(line, PING, strlen(PING));
        strcpy(line + LIMIT_REQUEST_BYTES, "\n");
        for (size_t at = 0; at < LIMIT_REQUEST_BYTES + 1; at += 65536) {
                char piece[65537];

                snprintf(piece, sizeof(piece), "%s", line + at);
                fixture_say(fd, piece);
                fixture_turn(&d);
        }
        assert_hears(fd, PONG);
        strcpy(line + LIMIT_REQUEST_BYTES, " \n" PING "\n");
        for (size_t at = 0; at < LIMIT_REQUEST_BYTES + 3; at += 65536) {
                char piece[65537];

                snprintf(piece, sizeof(piece), "%s", line + at);
                fixture_say(fd, piece);
                fixture_turn(&d);
        }
        assert_hears(fd,
                     "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32006,\"message\":\"The request "
                     "is longer than 1048576 bytes\",\"data\":{\"reason\":\"limit_reached\"}},"
                     "\"id\":null}");
        assert_hears(fd, PONG);
        close(fd);
        free(line);
        finish();
}

/* The shell's way: say something, then the end. */
static void answers_are_delivered_after_the_end(void) {
        int fd;

        begin();
        fd = fixture_connect(&d);
        fixture_say(fd, PING);
        shutdown(fd, SHUT_WR);
        assert_hears(fd, PONG);
        ck_assert(fixture_is_gone(&d, fd));
        close(fd);

        fd = fixture_connect(&d);
        fixture_say(fd,
                    REQUEST("wait", "[\"a1\"]", "1") "\n" REQUEST("wait", "[\"a1\",1]", "2") "\n");
        shutdown(fd, SHUT_WR);
        assert_hears_nothing(fd);
        ck_assert(!fixture_is_gone(&d, fd));
        fixture_wake(&d, "a1");
        assert_hears(fd, "{\"jsonrpc\":\"2.0\",\"result\":{\"seq\":1,\"sends\":1},\"id\":1}");
        ck_assert(!fixture_is_gone(&d, fd));
        fixture_wake(&d, "a1");
        assert_hears(fd, "{\"jsonrpc\":\"2.0\",\"result\":{\"seq\":2,\"sends\":1},\"id\":2}");
        ck_assert(fixture_is_gone(&d, fd));
        close(fd);

        /* Who watches is told until he hangs up. */
        fd = fixture_connect(&d);
        fixture_say(fd, REQUEST("subscribe", "[\"b1\"]", "1") "\n");
        shutdown(fd, SHUT_WR);
        ck_assert_ptr_nonnull(fixture_hear(&d, fd));
        fixture_wake(&d, "b1");
        assert_hears(fd, WAKE("b1", "1", "1", "0"));
        close(fd);
        fixture_turn(&d);
        ck_assert_uint_eq(d.control->n_clients, 0);
        finish();
}

static void a_batch_waits_for_its_waits(void) {
        int fd;

        begin();
        fd = fixture_connect(&d);
        fixture_say(fd,
                    "[" PING "," REQUEST("wait", "[\"a1\"]", "2") "," REQUEST(
                            "send", "{\"name\":\"b1\",\"wait\":\"wake\"}", "3") "]\n" PING "\n");
        assert_hears(fd, PONG);
        assert_hears_nothing(fd);
        fixture_wake(&d, "a1");
        assert_hears(fd, "[" PONG ",{\"jsonrpc\":\"2.0\",\"result\":{\"ticket\":1,\"disposition\":"
                         "\"scheduled\",\"seq\":1,\"sends\":1},\"id\":3},{\"jsonrpc\":\"2.0\","
                         "\"result\":{\"seq\":1,\"sends\":1},\"id\":2}]");
        close(fd);
        finish();
}

static void waits_are_limited(void) {
        int fd;

        begin();
        fd = fixture_connect(&d);
        for (unsigned int i = 0; i < LIMIT_IN_FLIGHT; i++) {
                fixture_say(fd, REQUEST("wait", "[\"a1\"]", "1") "\n");
                if (i % 100 == 0)
                        fixture_turn(&d);
        }
        fixture_say(fd, REQUEST("wait", "[\"a1\"]", "2") "\n");
        ck_assert_ptr_nonnull(strstr(fixture_hear(&d, fd), "\"limit_reached\"}},\"id\":2}"));
        /* A notification waits for nothing. */
        fixture_say(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"wait\",\"params\":[\"a1\"]}\n");
        fixture_say(fd, REQUEST("send", "[\"b1\",\"wake\"]", "3") "\n");
        ck_assert_ptr_nonnull(strstr(fixture_hear(&d, fd), "\"limit_reached\"}},\"id\":3}"));
        ck_assert_uint_eq(handle_seq(fixture_handle(&d, "b1")), 0);
        fixture_wake(&d, "a1");
        for (unsigned int i = 0; i < LIMIT_IN_FLIGHT; i++)
                ck_assert_ptr_nonnull(fixture_hear(&d, fd));
        assert_hears_nothing(fd);
        close(fd);
        finish();
}

/* Many. */

static void two_hundred_clients_are_served(void) {
        int fds[200];

        begin();
        for (int i = 0; i < 200; i++) {
                fds[i] = fixture_connect(&d);
                fixture_say(fds[i], PING "\n" REQUEST("subscribe", "[\"a*\"]", "2") "\n" REQUEST(
                                            "wait", "[\"a1\"]", "3") "\n");
        }
        for (int i = 0; i < 200; i++) {
                assert_hears(fds[i], PONG);
                ck_assert_ptr_nonnull(fixture_hear(&d, fds[i]));
        }
        fixture_wake(&d, "a1");
        for (int i = 0; i < 200; i++) {
                assert_hears(fds[i],
                             "{\"jsonrpc\":\"2.0\",\"result\":{\"seq\":1,\"sends\":1},\"id\":3}");
                assert_hears(fds[i], WAKE("a1", "1", "1", "0"));
                close(fds[i]);
        }
        fixture_turn(&d);
        ck_assert_uint_eq(d.control->n_clients, 0);
        ck_assert_uint_eq(d.control->stats.clients_total, 200);
        finish();
}

static void assert_refused(const char *why) {
        int fd = fixture_connect(&d);
        const char *line = fixture_hear(&d, fd);

        ck_assert_ptr_nonnull(line);
        ck_assert_msg(strstr(line, why) && strstr(line, "\"limit_reached\"") &&
                              strstr(line, "\"id\":null"),
                      "%s", line);
        ck_assert(fixture_is_gone(&d, fd));
        close(fd);
}

static void clients_are_limited(void) {
        static int fds[LIMIT_CLIENTS];
        struct rlimit limit;
        unsigned int n = 0;

        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
        limit.rlim_cur = limit.rlim_max;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        ck_assert_uint_ge(limit.rlim_cur, 2 * LIMIT_CLIENTS + 100);
        begin();
        for (uid_t uid = 1001; n < LIMIT_CLIENTS - LIMIT_CLIENTS_RESERVED; uid++) {
                fixture_set_peer(uid);
                for (unsigned int i = 0;
                     i < LIMIT_CLIENTS_PER_UID && n < LIMIT_CLIENTS - LIMIT_CLIENTS_RESERVED; i++)
                        fds[n++] = fixture_connect(&d);
                if (uid == 1001)
                        assert_refused("of this user");
        }
        assert_refused("Too many clients");
        fixture_set_peer(0);
        while (n < LIMIT_CLIENTS)
                fds[n++] = fixture_connect(&d);
        assert_refused("Too many clients");
        ck_assert_uint_eq(d.control->n_clients, LIMIT_CLIENTS);
        ck_assert_uint_eq(d.control->stats.clients_refused, 3);
        fixture_say(fds[n - 1], PING "\n");
        assert_hears(fds[n - 1], PONG);
        while (n > 0)
                close(fds[--n]);
        fixture_turn(&d);
        ck_assert_uint_eq(d.control->n_clients, 0);
        finish();
}

static void clients_wait_while_descriptors_are_short(void) {
        struct rlimit limit, low;
        int fd, first, second;

        begin();
        first = fixture_connect(&d);
        fd = fixture_connect(&d);
        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
        second = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        close(second);
        /* Room for the client's own end and no more. */
        low = (struct rlimit){.rlim_cur = (rlim_t)second + 1, .rlim_max = limit.rlim_max};
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
        second = fixture_connect(&d);
        ck_assert(d.control->was_short);
        ck_assert(!d.control->is_accepting);
        fixture_say(second, PING "\n");
        fixture_say(first, PING "\n");
        assert_hears(first, PONG);
        assert_hears_nothing(second);
        /* A client that goes makes room. */
        close(fd);
        assert_hears(second, PONG);
        ck_assert(d.control->is_accepting);
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        close(first);
        close(second);
        finish();
}

/* The end. */

static void the_daemon_does_not_wait_long_for_who_does_not_read(void) {
        uint64_t start_ns;
        int fd;

        begin_big();
        fd = fixture_connect(&d);
        fixture_say(fd, REQUEST("list", "[]", "1") "\n");
        fixture_turn(&d);
        ck_assert_uint_eq(d.control->n_clients, 1);
        start_ns = clock_now_ns();
        control_shut_down(d.control);
        while (d.control->n_clients > 0)
                uv_run(&d.loop, UV_RUN_ONCE);
        ck_assert_uint_ge(clock_now_ns() - start_ns, 900 * NS_PER_MS);
        ck_assert_uint_lt(clock_now_ns() - start_ns, test_slow_ms(10000) * NS_PER_MS);
        close(fd);
        finish();
}

static void closing_leaves_nothing(void) {
        int fds[3];

        begin();
        for (int i = 0; i < 3; i++) {
                fds[i] = fixture_connect(&d);
                fixture_say(fds[i],
                            REQUEST("wait", "[\"a1\",0,100000]", "1") "\n[" REQUEST(
                                    "wait", "[\"a1\"]",
                                    "2") "," PING "]\n" REQUEST("subscribe", "[\"*\"]", "4") "\n{");
        }
        fixture_turn(&d);
        finish();
        for (int i = 0; i < 3; i++)
                close(fds[i]);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(wakes_are_told),
                TEST(a_handle_is_told_of_once_however_many_patterns_fit),
                TEST(handles_that_come_later_are_watched_too),
                TEST(what_may_not_be_read_is_not_told),
                TEST(a_slow_watcher_misses_detail_and_never_the_last),
                TEST(subscriptions_are_limited),
                TEST(watched_handles_are_limited),
                TEST(a_long_answer_holds_up_only_who_asked),
                TEST(lists_that_a_user_does_not_read_are_limited),
                TEST(who_never_reads_is_not_read),
                TEST(half_a_line_harms_nobody),
                TEST(who_vanishes_waits_no_more),
                TEST(what_was_sent_before_vanishing_counts),
                TEST(garbage_is_answered_in_turn),
                TEST(long_lines_are_refused_and_the_next_is_taken),
                TEST(answers_are_delivered_after_the_end),
                TEST(a_batch_waits_for_its_waits),
                TEST(waits_are_limited),
                TEST(two_hundred_clients_are_served),
                TEST(clients_are_limited),
                TEST(clients_wait_while_descriptors_are_short),
                TEST(the_daemon_does_not_wait_long_for_who_does_not_read),
                TEST(closing_leaves_nothing),
                {},
        };

        return test_main("control-clients", tests, argc, argv);
}
