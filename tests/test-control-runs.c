/* Runs over the control socket: what they left, being told of them, keys, and pauses that end. */

#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/client.h"
#include "daemon/control-private.h"
#include "daemon/handle-private.h"
#include "daemon/handle.h"
#include "daemon/keyset.h"
#include "daemon/limits.h"
#include "lib/clock.h"
#include "tests/control-fixture.h"
#include "tests/support.h"

static const char yaml[] = "handles:\n"
                           "  bare: {}\n"
                           "  centuries: {quiet: 584y}\n"
                           "  good: {run: [/bin/true]}\n"
                           "  bad: {run: [/bin/sh, -c, 'echo no such table >&2; exit 3']}\n"
                           "  secret: {run: [/bin/true], access: {read: []}}\n"
                           "  lost: {run: [/no/such/program]}\n"
                           "  lost-secret: {run: [/no/such/program], access: {read: []}}\n"
                           "access: {read: [\"*\"], send: [\"*\"], admin: []}\n";

static struct daemon d;

static long long integer(const json_t *object, const char *member) {
        const json_t *value = json_object_get(object, member);

        ck_assert_msg(json_is_integer(value), "%s is no integer", member);
        return json_integer_value(value);
}

static const char *string(const json_t *object, const char *member) {
        const json_t *value = json_object_get(object, member);

        ck_assert_msg(json_is_string(value), "%s is no string", member);
        return json_string_value(value);
}

static void assert_reason(const char *method, const char *params, const char *reason) {
        int fd = fixture_connect(&d);

        fixture_expect_reason(&d, fd, method, params, reason);
        close(fd);
}

/* Sends, and lets the run that covers it end. */
static void let_run(const char *name) {
        struct handle *handle = fixture_handle(&d, name);
        struct handle_receipt receipt;
        struct run_result last;

        ck_assert_int_eq(handle_send(handle, NULL, 0, &receipt), 0);
        while (!handle_last_run(handle, &last) || last.seq < receipt.ticket)
                uv_run(&d.core.loop, UV_RUN_ONCE);
}

/* Begins with a client that is told of the wakes and runs of "good". */
static int watch_good(void) {
        int fd;

        fixture_init(&d, yaml);
        fd = fixture_connect(&d);
        json_decref(fixture_call(&d, fd, "subscribe", "[\"good\",true]"));
        return fd;
}

/* The next notification; its params, to be freed. NULL: none comes. */
static json_t *hear(int fd, char method[32]) {
        const char *line = fixture_hear(&d, fd);
        json_t *json, *params;

        if (!line)
                return NULL;
        json = json_loads(line, 0, NULL);
        ck_assert_ptr_nonnull(json);
        snprintf(method, 32, "%s", string(json, "method"));
        params = json_incref(json_object_get(json, "params"));
        json_decref(json);
        return params;
}

/* The next notification is this one; its params, to be freed. */
static json_t *hear_of(int fd, const char *expected) {
        char method[32] = "nothing";
        json_t *params = hear(fd, method);

        ck_assert_str_eq(method, expected);
        return params;
}

static void expect_silence(int fd) {
        char method[32];

        ck_assert_ptr_null(hear(fd, method));
}

static void runs_are_shown_the_newest_first(void) {
        json_t *runs, *run;

        fixture_init(&d, yaml);
        runs = fixture_ask(&d, "runs", "[\"bad\"]");
        ck_assert_uint_eq(json_array_size(runs), 0);
        json_decref(runs);
        for (unsigned int i = 0; i < LIMIT_RUN_RECORDS + 2; i++)
                let_run("bad");
        runs = fixture_ask(&d, "runs", "[\"bad\"]");
        ck_assert_uint_eq(json_array_size(runs), LIMIT_RUN_RECORDS);
        for (size_t i = 0; i < LIMIT_RUN_RECORDS; i++) {
                run = json_array_get(runs, i);
                ck_assert_int_eq(integer(run, "seq"), (long long)(LIMIT_RUN_RECORDS + 2 - i));
                ck_assert_int_eq(integer(run, "sends"), 1);
                ck_assert_int_eq(integer(run, "status"), 3);
                ck_assert_str_eq(string(run, "outcome"), "exited");
                ck_assert(json_is_false(json_object_get(run, "success")));
                ck_assert_int_gt(integer(run, "started_ms"), 0);
                ck_assert_int_ge(integer(run, "duration_ms"), 0);
                ck_assert_ptr_nonnull(json_object_get(run, "complaint"));
        }
        json_decref(runs);
        runs = fixture_ask(&d, "runs", "{\"name\":\"bad\",\"limit\":2}");
        ck_assert_uint_eq(json_array_size(runs), 2);
        json_decref(runs);
        runs = fixture_ask(&d, "runs", "[\"bad\",0]");
        ck_assert_uint_eq(json_array_size(runs), 0);
        json_decref(runs);
        let_run("good");
        runs = fixture_ask(&d, "runs", "[\"good\",18446744073709551615]");
        ck_assert_uint_eq(json_array_size(runs), 1);
        run = json_array_get(runs, 0);
        ck_assert(json_is_true(json_object_get(run, "success")));
        ck_assert(json_is_null(json_object_get(run, "complaint")));
        json_decref(runs);
        assert_reason("runs", "[\"nobody\"]", "no_such_handle");
        assert_reason("runs", "[\"bad\",-1]", "wrong_type");
        fixture_set_peer(12345);
        assert_reason("runs", "[\"secret\"]", "permission_denied");
        fixture_deinit(&d);
}

/* What came of a run that was waited for, over a connection of its own; to be freed. */
static json_t *await_run(const char *params) {
        int fd = fixture_connect(&d);
        json_t *sent = fixture_call(&d, fd, "send", params);
        json_t *run = json_incref(json_object_get(sent, "run"));

        ck_assert_str_eq(string(run, "outcome"), "not_started");
        json_decref(sent);
        close(fd);
        return run;
}

static void why_a_run_failed_is_told_to_those_who_may_read(void) {
        static const char why[] = "cannot run /no/such/program: exec: No such file or directory\n";
        json_t *run, *status;

        fixture_init(&d, yaml);
        fixture_set_peer(12345);
        run = await_run("[\"lost\",\"run\"]");
        ck_assert_str_eq(string(run, "complaint"), why);
        json_decref(run);
        status = fixture_ask(&d, "status", "[\"lost\"]");
        ck_assert_str_eq(string(json_object_get(status, "last_run"), "complaint"), why);
        json_decref(status);
        run = await_run("[\"lost-secret\",\"run\"]");
        ck_assert(json_is_null(json_object_get(run, "complaint")));
        json_decref(run);
        fixture_deinit(&d);
}

/* The members are those that describe names. */
static void runs_are_as_described(void) {
        json_t *runs, *document, *properties, *value;
        const char *key;

        fixture_init(&d, yaml);
        let_run("bad");
        runs = fixture_ask(&d, "runs", "[\"bad\"]");
        document = fixture_ask(&d, "describe", NULL);
        properties = json_object_get(
                json_object_get(json_object_get(json_object_get(document, "components"), "schemas"),
                                "Run"),
                "properties");
        ck_assert_uint_eq(json_object_size(properties), json_object_size(json_array_get(runs, 0)));
        json_object_foreach(properties, key, value)
                ck_assert_ptr_nonnull(json_object_get(json_array_get(runs, 0), key));
        json_decref(document);
        json_decref(runs);
        fixture_deinit(&d);
}

static void runs_are_told_to_those_who_ask(void) {
        int with = -1, without = -1;
        json_t *params;

        fixture_init(&d, yaml);
        with = fixture_connect(&d);
        without = fixture_connect(&d);
        json_decref(fixture_call(&d, with, "subscribe", "{\"patterns\":\"b*\",\"runs\":true}"));
        json_decref(fixture_call(&d, with, "subscribe", "[\"go*\"]"));
        json_decref(fixture_call(&d, without, "subscribe", "[\"*\"]"));
        let_run("bad");
        params = hear_of(with, "wake");
        json_decref(params);
        params = hear_of(with, "run_started");
        ck_assert_str_eq(string(params, "name"), "bad");
        ck_assert_int_eq(integer(params, "seq"), 1);
        ck_assert_int_eq(integer(params, "sends"), 1);
        json_decref(params);
        params = hear_of(with, "run_ended");
        ck_assert_str_eq(string(params, "name"), "bad");
        ck_assert_int_eq(integer(params, "seq"), 1);
        ck_assert_int_eq(integer(params, "sends"), 1);
        ck_assert_str_eq(string(params, "outcome"), "exited");
        ck_assert_int_eq(integer(params, "status"), 3);
        ck_assert(json_is_false(json_object_get(params, "success")));
        ck_assert_int_ge(integer(params, "duration_ms"), 0);
        ck_assert_int_eq(integer(params, "missed"), 0);
        json_decref(params);
        json_decref(hear_of(without, "wake"));
        expect_silence(without);

        let_run("good");
        json_decref(hear_of(with, "wake"));
        expect_silence(with);
        /* What was subscribed last counts. */
        json_decref(fixture_call(&d, with, "subscribe", "[\"b*\"]"));
        json_decref(fixture_call(&d, with, "subscribe", "[\"go*\",true]"));
        let_run("bad");
        json_decref(hear_of(with, "wake"));
        expect_silence(with);
        let_run("good");
        json_decref(hear_of(with, "wake"));
        json_decref(hear_of(with, "run_started"));
        json_decref(hear_of(with, "run_ended"));
        close(with);
        close(without);
        fixture_deinit(&d);
}

/* It cannot be started at first, for want of descriptors; nobody is told of a start that was none.
 */
static void a_start_that_fails_is_not_told(void) {
        struct run_result last;
        json_t *params;
        int fd;

        fd = watch_good();
        test_leave_fds(0);
        ck_assert_int_eq(handle_send(fixture_handle(&d, "good"), NULL, 0, NULL), 0);
        while (handle_state(fixture_handle(&d, "good")) != HANDLE_BACKING_OFF)
                uv_run(&d.core.loop, UV_RUN_ONCE);
        test_restore_fds();
        while (!handle_last_run(fixture_handle(&d, "good"), &last))
                uv_run(&d.core.loop, UV_RUN_ONCE);
        json_decref(hear_of(fd, "wake"));
        params = hear_of(fd, "run_started");
        ck_assert_int_eq(integer(params, "sends"), 1);
        json_decref(params);
        params = hear_of(fd, "run_ended");
        ck_assert(json_is_true(json_object_get(params, "success")));
        json_decref(params);
        expect_silence(fd);
        close(fd);
        fixture_deinit(&d);
}

/* Many runs without a process each: their events come from the handle as those of real ones. */
static void feed(struct handle *handle, uint64_t from, uint64_t to) {
        for (uint64_t seq = from; seq <= to; seq++) {
                struct run_result result = {
                        .seq = seq, .n_sends = 1, .status = (int)(seq % 256), .ended_ns = NS_PER_S};

                handle_tell_wake(handle, seq, 1);
                handle_tell_run_started(handle, seq, 1);
                handle_tell_run_ended(handle, &result);
                uv_run(&d.core.loop, UV_RUN_NOWAIT);
        }
}

static void a_slow_reader_loses_runs_and_never_the_last(void) {
        uint64_t n_runs = 40000, n_told = 0, n_missed = 0, seq = 0, started = 0;
        struct client *client;
        char method[32];
        json_t *params;
        int fd;

        fd = watch_good();
        client = container_of(list_first(&d.control->set.clients), struct client, link);
        feed(fixture_handle(&d, "good"), 1, n_runs);
        ck_assert_uint_le(client->stream.out.size, 256U << 10);
        ck_assert_uint_eq(client->subscription.n_entries, 1);
        while ((params = hear(fd, method))) {
                if (strcmp(method, "run_started") == 0) {
                        ck_assert_int_gt(integer(params, "seq"), (long long)started);
                        started = (uint64_t)integer(params, "seq");
                } else if (strcmp(method, "run_ended") == 0) {
                        ck_assert_int_gt(integer(params, "seq"), (long long)seq);
                        seq = (uint64_t)integer(params, "seq");
                        ck_assert_uint_eq(seq, started);
                        ck_assert_int_eq(integer(params, "status"), (long long)(seq % 256));
                        n_missed += (uint64_t)integer(params, "missed");
                        n_told++;
                }
                json_decref(params);
        }
        ck_assert_uint_eq(seq, n_runs);
        ck_assert_uint_eq(n_told + n_missed, n_runs);
        ck_assert_uint_gt(n_missed, 0);
        close(fd);
        fixture_deinit(&d);
}

/* A run that began behind another one's end is told of behind it. */
static void what_is_told_late_is_told_in_order(void) {
        struct run_result result = {.seq = 1, .n_sends = 1};
        struct handle *handle;
        json_t *params;
        int fd;

        fd = watch_good();
        handle = fixture_handle(&d, "good");
        handle_tell_run_started(handle, 1, 1);
        handle_tell_run_ended(handle, &result);
        handle_tell_run_started(handle, 2, 1);
        params = hear_of(fd, "run_ended");
        ck_assert_int_eq(integer(params, "seq"), 1);
        json_decref(params);
        params = hear_of(fd, "run_started");
        ck_assert_int_eq(integer(params, "seq"), 2);
        json_decref(params);
        expect_silence(fd);
        close(fd);
        fixture_deinit(&d);
}

static void a_pause_may_have_an_end(void) {
        json_t *status, *why;
        struct handle *handle;

        fixture_init(&d, yaml);
        handle = fixture_handle(&d, "bare");
        json_decref(fixture_ask(&d, "pause", "{\"name\":\"bare\",\"for_ms\":600000}"));
        status = fixture_ask(&d, "status", "[\"bare\"]");
        why = json_object_get(status, "why");
        ck_assert(strncmp(string(why, "sentence"), "Paused by uid 0 since ", 22) == 0);
        ck_assert_ptr_nonnull(strstr(string(why, "sentence"), ", resumes in "));
        ck_assert_int_gt(integer(why, "until_ms"), integer(why, "since_ms"));
        json_decref(status);

        json_decref(fixture_ask(&d, "pause", "[\"bare\",10]"));
        handle_send(handle, NULL, 0, NULL);
        while (handle_seq(handle) == 0)
                uv_run(&d.core.loop, UV_RUN_ONCE);
        ck_assert(!handle_is_paused(handle));

        for (int i = 0; i < 3; i++) {
                static const char *const endless[] = {"[\"bare\"]", "[\"bare\",0]",
                                                      "[\"bare\",18446744073709551615]"};

                json_decref(fixture_ask(&d, "pause", endless[i]));
                status = fixture_ask(&d, "status", "[\"bare\"]");
                ck_assert(
                        json_is_null(json_object_get(json_object_get(status, "why"), "until_ms")));
                ck_assert_str_eq(string(status, "state"), "paused");
                json_decref(status);
        }
        assert_reason("pause", "[\"bare\",-1]", "wrong_type");
        fixture_deinit(&d);
}

static void what_waits_for_centuries_waits_for_the_future(void) {
        json_t *status, *why;

        fixture_init(&d, yaml);
        fixture_wake(&d, "centuries");
        status = fixture_ask(&d, "status", "[\"centuries\"]");
        why = json_object_get(status, "why");
        ck_assert_str_eq(string(status, "state"), "quiet");
        ck_assert_int_gt(integer(why, "until_ms"), (long long)time(NULL) * 1000 + 18000000000000);
        json_decref(status);
        fixture_deinit(&d);
}

static void keys_reach_the_handle(void) {
        struct handle *handle;
        json_t *sent;
        const char *text;
        size_t n;

        fixture_init(&d, yaml);
        handle = fixture_handle(&d, "good");
        ck_assert_int_eq(handle_pause(handle, 0, 0), 0);
        json_decref(fixture_ask(&d, "send", "{\"name\":\"good\",\"key\":\"c\"}"));
        sent = fixture_ask(&d, "send", "{\"name\":\"good\",\"keys\":[\"a\",\"\\u0062 b\",\"c\"]}");
        ck_assert_int_eq(integer(sent, "ticket"), 1);
        json_decref(sent);
        sent = fixture_ask(&d, "send", "{\"names\":[\"bare\",\"good\"],\"keys\":[]}");
        ck_assert_uint_eq(json_array_size(sent), 2);
        json_decref(sent);
        text = keyset_text(handle->life->keys, &n);
        ck_assert_uint_eq(n, 8);
        ck_assert_mem_eq(text, "c\na\nb b\n", 8);
        /* A send for each key, and one where there is none. */
        ck_assert_uint_eq(handle_pending(handle), 5);
        assert_reason("send", "{\"name\":\"good\",\"key\":\"a\",\"keys\":[\"b\"]}", "conflict");
        assert_reason("send", "{\"name\":\"good\",\"keys\":[\"a\",\"\"]}", "bad_key");
        assert_reason("send", "{\"name\":\"good\",\"keys\":[\"a\\nb\"]}", "bad_key");
        assert_reason("send", "{\"name\":\"good\",\"keys\":\"a\"}", "wrong_type");
        ck_assert_uint_eq(handle_pending(handle), 5);
        fixture_deinit(&d);
}

static void keys_of_a_request_are_limited(void) {
        char *params = malloc(LIMIT_SEND_KEYS * 4 + 100), *at;

        fixture_init(&d, yaml);
        for (unsigned int n = LIMIT_SEND_KEYS; n <= LIMIT_SEND_KEYS + 1; n++) {
                at = params + sprintf(params, "{\"name\":\"good\",\"keys\":[\"k\"");
                for (unsigned int i = 1; i < n; i++)
                        at += sprintf(at, ",\"k\"");
                sprintf(at, "]}");
                if (n == LIMIT_SEND_KEYS)
                        json_decref(fixture_ask(&d, "send", params));
                else
                        assert_reason("send", params, "limit_reached");
        }
        free(params);
        while (handle_state(fixture_handle(&d, "good")) != HANDLE_IDLE) /* its run goes on */
                fixture_turn(&d);
        fixture_deinit(&d);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(runs_are_shown_the_newest_first),
                TEST(why_a_run_failed_is_told_to_those_who_may_read),
                TEST(runs_are_as_described),
                TEST(runs_are_told_to_those_who_ask),
                TEST(a_start_that_fails_is_not_told),
                TEST(a_slow_reader_loses_runs_and_never_the_last),
                TEST(what_is_told_late_is_told_in_order),
                TEST(a_pause_may_have_an_end),
                TEST(what_waits_for_centuries_waits_for_the_future),
                TEST(keys_reach_the_handle),
                TEST(keys_of_a_request_are_limited),
                {},
        };

        return test_main("control-runs", tests, argc, argv);
}
