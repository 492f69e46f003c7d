/*
 * Watching over the control socket: who is told of what, and what is too much. The memory that a
 * client costs is looked at from inside.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/client.h"
#include "daemon/control-private.h"
#include "daemon/handle.h"
#include "daemon/limits.h"
#include "tests/control-clients.h"
#include "tests/support.h"

static void assert_subscription(int fd, const char *method, const char *params, size_t n_patterns,
                                int n_handles) {
        json_t *result = fixture_call(&d, fd, method, params);

        ck_assert_uint_eq(json_array_size(json_object_get(result, "patterns")), n_patterns);
        ck_assert_int_eq(json_integer_value(json_object_get(result, "handles")), n_handles);
        json_decref(result);
}

static void wakes_are_told(void) {
        int fd, other;

        begin();
        fd = fixture_connect(&d);
        other = fixture_connect(&d);
        assert_subscription(fd, "subscribe", "[\"a*\"]", 1, 2);
        fixture_wake(&d, "a1");
        fixture_wake(&d, "b1");
        fixture_expect(&d, fd, WAKE("a1", "1", "1", "0"));
        fixture_expect(&d, fd, NULL);
        handle_send(fixture_handle(&d, "a2"), NULL, 0, NULL);
        handle_send(fixture_handle(&d, "a1"), NULL, 0, NULL);
        fixture_wake(&d, "a2");
        fixture_expect(&d, fd, WAKE("a2", "1", "2", "0"));
        fixture_expect(&d, fd, WAKE("a1", "2", "1", "0"));
        fixture_expect(&d, other, NULL);
        close(fd);
        close(other);
        finish();
}

static void names_stand_beside_patterns(void) {
        int fd;

        begin();
        fd = fixture_connect(&d);
        assert_subscription(fd, "subscribe", "[[\"a1\",\"later\",\"a1\"]]", 2, 1);
        assert_subscription(fd, "subscribe", "[\"a*\"]", 3, 2);
        assert_subscription(fd, "subscribe", "[[\"a2\",\"b1\"]]", 5, 3);
        fixture_wake(&d, "a1");
        fixture_expect(&d, fd, WAKE("a1", "1", "1", "0"));
        fixture_wake(&d, "b1");
        fixture_expect(&d, fd, WAKE("b1", "1", "1", "0"));
        json_decref(fixture_call(&d, fd, "create", "[\"later\"]"));
        fixture_wake(&d, "later");
        fixture_expect(&d, fd, WAKE("later", "1", "1", "0"));
        assert_subscription(fd, "unsubscribe", "[[\"a*\",\"a1\",\"later\"]]", 2, 2);
        json_decref(fixture_call(&d, fd, "close", "[\"a1\"]"));
        assert_subscription(fd, "subscribe", "[\"a1\"]", 3, 2);
        fixture_expect(&d, fd, NULL);
        close(fd);
        finish();
}

static void a_handle_is_told_of_once_however_many_patterns_fit(void) {
        int fd;

        begin();
        fd = fixture_connect(&d);
        assert_subscription(fd, "subscribe", "[[\"a*\",\"a1\",\"*1\",\"a*\"]]", 3, 3);
        assert_subscription(fd, "subscribe", "{\"patterns\":\"*\"}", 4, 4);
        fixture_wake(&d, "a1");
        fixture_expect(&d, fd, WAKE("a1", "1", "1", "0"));
        fixture_expect(&d, fd, NULL);
        assert_subscription(fd, "unsubscribe", "[[\"*\",\"never\"]]", 3, 3);
        assert_subscription(fd, "unsubscribe", "[[\"a*\",\"*1\"]]", 1, 1);
        fixture_wake(&d, "a2");
        fixture_wake(&d, "a1");
        fixture_expect(&d, fd, WAKE("a1", "2", "1", "0"));
        fixture_expect(&d, fd, NULL);
        assert_subscription(fd, "unsubscribe", NULL, 0, 0);
        assert_subscription(fd, "unsubscribe", NULL, 0, 0);
        fixture_wake(&d, "a1");
        fixture_expect(&d, fd, NULL);
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
        fixture_expect(&d, fd, WAKE("new1", "1", "1", "0"));
        fixture_expect(&d, fd, NULL);
        /* The last wake is told although the handle is closed in the same turn. */
        fixture_say(fd, REQUEST("wait", "[\"new1\"]", "5") "\n");
        fixture_turn(&d);
        handle_send(fixture_handle(&d, "new1"), NULL, 0, NULL);
        uv_run(&d.core.loop, UV_RUN_NOWAIT);
        handle_close(fixture_handle(&d, "new1"));
        fixture_expect(&d, fd, "{\"jsonrpc\":\"2.0\",\"result\":{\"seq\":2,\"sends\":1},\"id\":5}");
        fixture_expect(&d, fd, WAKE("new1", "2", "1", "0"));
        assert_subscription(fd, "subscribe", "[[]]", 1, 0);
        json_decref(fixture_ask(&d, "create", "[\"new1\"]"));
        fixture_wake(&d, "new1");
        fixture_expect(&d, fd, WAKE("new1", "3", "1", "0"));
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
        fixture_expect(&d, fd, NULL);
        fixture_wake(&d, "a1");
        fixture_expect(&d, fd, WAKE("a1", "1", "1", "0"));
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
                uv_run(&d.core.loop, UV_RUN_NOWAIT);
                uv_run(&d.core.loop, UV_RUN_NOWAIT);
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
        ck_assert_uint_eq(stats.watched, 4);
        close(fd);
        fixture_turn(&d);
        control_get_stats(d.control, &stats);
        ck_assert_uint_eq(stats.watched, 0);
        finish();
}

static void subscriptions_are_limited(void) {
        char params[2 * LIMIT_PATTERN_BYTES], *at;
        int fd;

        begin();
        fd = fixture_connect(&d);
        for (unsigned int i = 0; i < LIMIT_SUBSCRIPTIONS; i++) {
                snprintf(params, sizeof(params), "[\"a*%u\"]", i);
                json_decref(fixture_call(&d, fd, "subscribe", params));
        }
        assert_subscription(fd, "subscribe", "[\"a*1\"]", LIMIT_SUBSCRIPTIONS, 2);
        fixture_expect_reason(&d, fd, "subscribe", "[\"b*\"]", "limit_reached");
        assert_subscription(fd, "unsubscribe", "[[\"a*7\",\"a*8\"]]", LIMIT_SUBSCRIPTIONS - 2, 2);
        fixture_expect_reason(&d, fd, "subscribe", "[[\"b*\",\"c*\",\"d*\"]]", "limit_reached");
        assert_subscription(fd, "subscribe", "[[\"b*\",\"c*\"]]", LIMIT_SUBSCRIPTIONS, 3);
        memset(params, 'x', sizeof(params));
        strcpy(params + LIMIT_PATTERN_BYTES + 3, "\"]");
        memcpy(params, "[\"", 2);
        fixture_expect_reason(&d, fd, "subscribe", params, "too_long");
        fixture_expect_reason(&d, fd, "list", params, "too_long");
        fixture_expect_reason(&d, fd, "subscribe", "[\"\"]", "bad_name");
        fixture_expect_reason(&d, fd, "subscribe", "[\"a\\u0000\"]", "bad_name");
        /* Those that are there already, and those that are not: each would be looked for. */
        at = stpcpy(params, "[[\"a*1\"");
        for (unsigned int i = 1; i < LIMIT_SUBSCRIPTIONS + 1; i++)
                at = stpcpy(at, ",\"a*1\"");
        strcpy(at, "]]");
        fixture_expect_reason(&d, fd, "subscribe", params, "limit_reached");
        fixture_expect_reason(&d, fd, "unsubscribe", params, "limit_reached");
        close(fd);
        finish();
}

static void watched_handles_are_limited(void) {
        int fd;

        fixture_init_many(&d);
        fd = fixture_connect(&d);
        fixture_expect_reason(&d, fd, "subscribe", "[\"*\"]", "limit_reached");
        assert_subscription(fd, "subscribe", "[\"never\"]", 1, 0);
        assert_subscription(fd, "subscribe", "[\"*[!0]\"]", 2, 58983);
        fixture_expect_reason(&d, fd, "subscribe", "[\"*\"]", "limit_reached");
        json_decref(fixture_call(&d, fd, "close", "[\"handle-with-a-rather-long-name-1\"]"));
        json_decref(fixture_call(&d, fd, "unsubscribe", NULL));
        assert_subscription(fd, "subscribe", "[\"*\"]", 1, LIMIT_WATCHED_HANDLES);
        /* A handle that comes now cannot be watched, and the client learns of that. */
        fixture_say(fd, REQUEST("create", "[\"more\"]", "2") "\n");
        ck_assert_ptr_nonnull(strstr(fixture_hear(&d, fd), "\"name\":\"more\""));
        fixture_expect(&d, fd,
                       "{\"jsonrpc\":\"2.0\",\"method\":\"limit_reached\",\"params\":{"
                       "\"handles\":65536}}");
        close(fd);
        finish();
}

/* As if others watched nearly all that may be watched. */
static void all_connections_together_watch_a_number_of_handles(void) {
        const size_t n_others = LIMIT_WATCHED_BY_ALL - 1500;
        size_t *n_entries;
        int fd, other;

        fixture_init_many(&d);
        n_entries = &d.control->set.subscriptions.n_entries;
        *n_entries += n_others;
        fd = fixture_connect(&d);
        other = fixture_connect(&d);
        assert_subscription(fd, "subscribe", "[\"*-1???\"]", 1, 1000);
        assert_subscription(other, "subscribe", "[\"*-1???\"]", 1, 1000);
        ck_assert_uint_eq(*n_entries, LIMIT_WATCHED_BY_ALL + 500);
        fixture_expect_reason(&d, other, "subscribe", "[\"*-2??\"]", "limit_reached");
        assert_subscription(other, "subscribe", "[\"*-2?\"]", 2, 1010);
        assert_subscription(fd, "unsubscribe", NULL, 0, 0);
        fixture_expect_reason(&d, other, "subscribe", "[\"*\"]", "limit_reached");
        assert_subscription(other, "subscribe", "[\"*-2??\"]", 3, 1110);
        close(fd);
        close(other);
        fixture_turn(&d);
        ck_assert_uint_eq(*n_entries, n_others);
        finish();
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(wakes_are_told),
                TEST(names_stand_beside_patterns),
                TEST(a_handle_is_told_of_once_however_many_patterns_fit),
                TEST(handles_that_come_later_are_watched_too),
                TEST(what_may_not_be_read_is_not_told),
                TEST(a_slow_watcher_misses_detail_and_never_the_last),
                TEST(subscriptions_are_limited),
                TEST(watched_handles_are_limited),
                TEST(all_connections_together_watch_a_number_of_handles),
                {0},
        };

        return test_main("control-watch", tests, argc, argv);
}
