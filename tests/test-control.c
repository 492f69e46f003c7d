/*
 * The control socket as its clients see it, over handles that are real: each method, each error,
 * rights. What clients do to each other and to the daemon stands in test-control-clients.c.
 */

#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/handle.h"
#include "daemon/limits.h"
#include "daemon/registry.h"
#include "lib/cleanup.h"
#include "tests/control-fixture.h"
#include "tests/support.h"

static const char yaml[] = "handles:\n"
                           "  plain: {description: Wakes only}\n"
                           "  held: {}\n"
                           "  runs: {run: [/bin/true]}\n"
                           "  fails: {run: [/bin/false]}\n"
                           "  sleeps: {run: [/bin/sleep, '100']}\n"
                           "  open:\n"
                           "    access: {send: [\"*\"]}\n"
                           "  secret:\n"
                           "    access: {read: []}\n"
                           "access: {read: [\"*\"], send: [], admin: []}\n";

static struct daemon d;

static void begin(void) {
        fixture_init(&d, yaml);
        ck_assert_int_eq(handle_pause(fixture_handle(&d, "held"), 0, 0), 0);
}

static void finish(void) {
        fixture_deinit(&d);
}

/* Compares a value with what it should be, in short: "'" for quotes. Consumes the value. */
static void assert_json(json_t *is, const char *should) {
        char *text = strdup(should), *dump = json_dumps(is, JSON_ENCODE_ANY);
        json_t *expected;

        for (char *c = text; *c; c++)
                if (*c == '\'')
                        *c = '"';
        expected = json_loads(text, JSON_DECODE_ANY, NULL);
        ck_assert_msg(expected != NULL, "%s is not JSON", text);
        ck_assert_msg(json_equal(is, expected), "%s instead of %s", dump, text);
        json_decref(expected);
        json_decref(is);
        free(dump);
        free(text);
}

static void ask(const char *method, const char *params, const char *result) {
        assert_json(fixture_ask(&d, method, params), result);
}

/* The code and the data; the message is for people, and is there. */
static void refuse(const char *method, const char *params, int code, const char *data) {
        _cleanup_close_ int fd = fixture_connect(&d);
        json_t *error = fixture_fail(&d, fd, method, params);

        ck_assert_msg(json_integer_value(json_object_get(error, "code")) == code,
                      "%s %s: code %lld", method, params,
                      (long long)json_integer_value(json_object_get(error, "code")));
        ck_assert_uint_gt(json_string_length(json_object_get(error, "message")), 0);
        assert_json(json_incref(json_object_get(error, "data")), data);
        json_decref(error);
}

#define STATE(name, active, ref, pending, paused, state, seq)                            \
        "{'name':'" name "','is_active':" active ",'has_ref':" ref ",'pending':" pending \
        ",'paused':" paused ",'state':'" state "','seq':" seq ",'description':null}"

static void ping_and_version_answer_everybody(void) {
        json_t *version;

        begin();
        fixture_set_peer(12345);
        ask("ping", NULL, "'pong'");
        ask("ping", "[]", "'pong'");
        version = fixture_ask(&d, "version", NULL);
        ck_assert_str_eq(json_string_value(json_object_get(version, "name")), "roused");
        ck_assert_str_eq(json_string_value(json_object_get(version, "version")), PACKAGE_VERSION);
        ck_assert_int_eq(json_integer_value(json_object_get(version, "pid")), getpid());
        json_decref(version);
        finish();
}

static void a_handle_can_be_asked_and_changed(void) {
        begin();
        ask("is_active", "{\"name\":\"plain\"}", "true");
        ask("is_active", "[\"plain\"]", "true");
        ask("has_ref", "[\"plain\"]", "false");
        ask("create", "[\"x\"]", STATE("x", "true", "false", "0", "false", "idle", "0"));
        ask("start", "[\"x\"]", STATE("x", "true", "true", "0", "false", "idle", "0"));
        ask("start", "[\"x\"]", STATE("x", "true", "true", "0", "false", "idle", "0"));
        ask("has_ref", "[\"x\"]", "true");
        ask("stop", "[\"x\"]", STATE("x", "true", "false", "0", "false", "idle", "0"));
        ask("ref", "[\"x\"]", STATE("x", "true", "true", "0", "false", "idle", "0"));
        ask("unref", "[\"x\"]", STATE("x", "true", "false", "0", "false", "idle", "0"));
        ask("pause", "[\"x\"]", STATE("x", "true", "false", "0", "true", "paused", "0"));
        ask("send", "[\"x\"]", "{'ticket':1,'disposition':'paused'}");
        ask("pause", "[\"x\"]", STATE("x", "true", "false", "1", "true", "paused", "0"));
        ask("resume", "[\"x\"]", STATE("x", "true", "false", "0", "false", "idle", "1"));
        ask("close", "[\"x\"]", STATE("x", "false", "false", "0", "false", "closed", "1"));
        refuse("is_active", "[\"x\"]", -32001, "{'reason':'no_such_handle','name':'x'}");
        ask("create", "[\"x\",true]", STATE("x", "true", "true", "0", "false", "idle", "1"));
        finish();
}

static void a_closed_handle_says_so(void) {
        static const char *const methods[] = {"start", "stop",   "ref",   "unref",
                                              "pause", "resume", "close", "send"};

        begin();
        fixture_wake(&d, "held");
        ask("close", "[\"held\"]", STATE("held", "false", "false", "0", "true", "closed", "0"));
        ask("is_active", "[\"held\"]", "false");
        ask("has_ref", "[\"held\"]", "false");
        for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
                refuse(methods[i], "[\"held\"]", -32005, "{'reason':'closed','name':'held'}");
        refuse("wait", "[\"held\"]", -32005, "{'reason':'closed','name':'held'}");
        finish();
}

static void refuse_name(const char *method, const char *params) {
        _cleanup_close_ int fd = fixture_connect(&d);
        json_t *error = fixture_fail(&d, fd, method, params);
        const json_t *reason = json_object_get(json_object_get(error, "data"), "reason");

        ck_assert_str_eq(json_string_value(reason), "bad_name");
        ck_assert_int_eq(json_integer_value(json_object_get(error, "code")), -32602);
        json_decref(error);
}

static void names_are_checked(void) {
        char params[400], name[300];
        static const char *const bad[] = {"", "-x", "a b", "a\\u0000b", "\\u00e4", "a\\nb", "*"};

        begin();
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                static const char *const methods[] = {"send", "status", "create", "close", "wait"};

                snprintf(params, sizeof(params), "{\"name\":\"%s\"}", bad[i]);
                for (size_t k = 0; k < sizeof(methods) / sizeof(*methods); k++)
                        refuse_name(methods[k], params);
        }
        memset(name, 'a', sizeof(name));
        snprintf(params, sizeof(params), "[\"%.255s\"]", name);
        json_decref(fixture_ask(&d, "create", params));
        snprintf(params, sizeof(params), "[\"%.256s\"]", name);
        refuse_name("create", params);
        finish();
}

static void what_is_there_cannot_be_created(void) {
        begin();
        refuse("create", "[\"plain\"]", -32002, "{'reason':'handle_exists','name':'plain'}");
        ask("create", "{\"name\":\"n\",\"started\":null}",
            STATE("n", "true", "false", "0", "false", "idle", "0"));
        refuse("create", "[\"n\"]", -32002, "{'reason':'handle_exists','name':'n'}");
        finish();
}

static void created_handles_are_limited(void) {
        int fd;

        begin();
        fd = fixture_connect(&d);
        for (unsigned int i = 0; i < LIMIT_CREATED_HANDLES; i++) {
                char params[32];

                snprintf(params, sizeof(params), "[\"n%u\"]", i);
                json_decref(fixture_call(&d, fd, "create", params));
        }
        refuse("create", "[\"more\"]", -32006, "{'reason':'limit_reached','name':'more'}");
        json_decref(fixture_call(&d, fd, "close", "[\"n5\"]"));
        json_decref(fixture_call(&d, fd, "create", "[\"more\"]"));
        close(fd);
        finish();
}

static void send_tells_ticket_and_disposition(void) {
        int fd;

        begin();
        fd = fixture_connect(&d);
        ask("send", "{\"name\":\"plain\"}", "{'ticket':1,'disposition':'scheduled'}");
        ask("send", "[\"plain\"]", "{'ticket':2,'disposition':'scheduled'}");
        ask("send", "[\"held\"]", "{'ticket':1,'disposition':'paused'}");
        ask("send", "[\"held\"]", "{'ticket':1,'disposition':'paused'}");
        /* In one turn they share a wake. */
        fixture_say(fd,
                    "[{\"jsonrpc\":\"2.0\",\"method\":\"send\",\"params\":[\"plain\"],\"id\":1},"
                    "{\"jsonrpc\":\"2.0\",\"method\":\"send\",\"params\":[\"plain\"],\"id\":2}]\n");
        ck_assert_str_eq(fixture_hear(&d, fd),
                         "[{\"jsonrpc\":\"2.0\",\"result\":{\"ticket\":3,\"disposition\":"
                         "\"scheduled\"},\"id\":1},{\"jsonrpc\":\"2.0\",\"result\":{\"ticket\":3,"
                         "\"disposition\":\"coalesced\"},\"id\":2}]");
        ck_assert_uint_eq(handle_seq(fixture_handle(&d, "plain")), 3);
        close(fd);
        finish();
}

static void send_takes_several_names_or_none(void) {
        begin();
        ask("send", "{\"names\":[\"plain\",\"open\"]}",
            "[{'ticket':1,'disposition':'scheduled'},{'ticket':1,'disposition':'scheduled'}]");
        ask("send", "[[\"plain\",\"plain\"]]",
            "[{'ticket':2,'disposition':'scheduled'},{'ticket':2,'disposition':'coalesced'}]");
        ask("send", "{\"names\":[]}", "[]");
        ask("send", "{\"names\":[\"plain\"],\"wait\":\"wake\"}",
            "[{'ticket':3,'disposition':'scheduled','seq':3,'sends':1}]");
        ask("send", "{\"names\":[],\"wait\":\"wake\"}", "[]");
        refuse("send", "{\"names\":[\"plain\",\"nobody\"]}", -32001,
               "{'reason':'no_such_handle','name':'nobody'}");
        refuse("send", "{}", -32602, "{'reason':'missing_param'}");
        refuse("send", "{\"name\":\"plain\",\"names\":[\"plain\"]}", -32602,
               "{'reason':'conflict'}");
        ck_assert_uint_eq(handle_seq(fixture_handle(&d, "plain")), 3);
        finish();
}

static void names_and_keys_are_limited(void) {
        char *params = malloc(LIMIT_SEND_NAMES * 8 + 100), *at = params;

        begin();
        at += sprintf(at, "{\"names\":[\"plain\"");
        for (unsigned int i = 0; i < LIMIT_SEND_NAMES; i++)
                at += sprintf(at, ",\"plain\"");
        strcpy(at, "]}");
        refuse("send", params, -32006, "{'reason':'limit_reached'}");
        memset(params, 'k', LIMIT_KEY_BYTES + 100);
        at = params + sprintf(params, "{\"name\":\"plain\",\"key\":\"");
        *at = 'k';
        strcpy(at + LIMIT_KEY_BYTES, "\"}");
        ask("send", params, "{'ticket':1,'disposition':'scheduled'}");
        strcpy(at + LIMIT_KEY_BYTES, "k\"}");
        refuse("send", params, -32602, "{'reason':'too_long'}");
        refuse("send", "{\"name\":\"plain\",\"key\":\"\"}", -32602, "{'reason':'bad_key'}");
        refuse("send", "{\"name\":\"plain\",\"key\":\"a\\nb\"}", -32602, "{'reason':'bad_key'}");
        refuse("send", "{\"name\":\"plain\",\"key\":\"a\\u0000b\"}", -32602,
               "{'reason':'bad_key'}");
        free(params);
        finish();
}

static void send_can_wait_for_the_wake(void) {
        begin();
        ask("send", "{\"name\":\"plain\",\"wait\":\"wake\"}",
            "{'ticket':1,'disposition':'scheduled','seq':1,'sends':1}");
        ask("send", "[\"plain\",\"wake\",1000]",
            "{'ticket':2,'disposition':'scheduled','seq':2,'sends':1}");
        refuse("send", "[\"held\",\"wake\",0]", -32004,
               "{'reason':'timeout','name':'held','ticket':1}");
        refuse("send", "{\"names\":[\"plain\",\"held\"],\"wait\":\"wake\",\"timeout_ms\":1}",
               -32004,
               "{'reason':'timeout','name':'held','ticket':1,"
               "'waiting':[{'name':'held','ticket':1}]}");
        finish();
}

/* A run needs more than a few turns: its end comes as a signal. */
static json_t *ask_patiently(const char *method, const char *params) {
        _cleanup_close_ int fd = fixture_connect(&d);
        char request[200];
        json_t *answer;

        snprintf(request, sizeof(request),
                 "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":%s,\"id\":1}\n", method,
                 params);
        fixture_say(fd, request);
        for (int i = 0; i < 1000; i++) {
                const char *line = fixture_hear(&d, fd);

                if (line) {
                        answer = json_loads(line, 0, NULL);
                        ck_assert_ptr_nonnull(answer);
                        return answer;
                }
                uv_run(&d.loop, UV_RUN_ONCE);
        }
        ck_abort_msg("no answer to %s", request);
}

static void send_can_wait_for_the_run(void) {
        json_t *answer, *result, *run;

        begin();
        answer = ask_patiently("send", "{\"name\":\"runs\",\"wait\":\"run\"}");
        result = json_object_get(answer, "result");
        ck_assert_int_eq(json_integer_value(json_object_get(result, "ticket")), 1);
        ck_assert_int_eq(json_integer_value(json_object_get(result, "seq")), 1);
        run = json_object_get(result, "run");
        ck_assert_int_eq(json_integer_value(json_object_get(run, "seq")), 1);
        ck_assert_int_eq(json_integer_value(json_object_get(run, "sends")), 1);
        ck_assert_str_eq(json_string_value(json_object_get(run, "outcome")), "exited");
        ck_assert_int_eq(json_integer_value(json_object_get(run, "status")), 0);
        ck_assert(json_is_true(json_object_get(run, "success")));
        ck_assert(json_is_integer(json_object_get(run, "duration_ms")));
        json_decref(answer);

        answer = ask_patiently("send", "{\"name\":\"fails\",\"wait\":\"run\"}");
        run = json_object_get(json_object_get(answer, "result"), "run");
        ck_assert_int_eq(json_integer_value(json_object_get(run, "status")), 1);
        ck_assert(json_is_false(json_object_get(run, "success")));
        json_decref(answer);

        refuse("send", "{\"name\":\"plain\",\"wait\":\"run\"}", -32602,
               "{'reason':'no_action','name':'plain'}");
        ck_assert_uint_eq(handle_seq(fixture_handle(&d, "plain")), 0);
        refuse("send", "{\"name\":\"runs\",\"wait\":\"walk\"}", -32602,
               "{'reason':'wrong_type','param':'wait'}");
        finish();
}

static const char wait_request[] =
        "{\"jsonrpc\":\"2.0\",\"method\":\"wait\",\"params\":%s,\"id\":%d}\n";

static void say_wait(int fd, const char *params, int id) {
        char request[200];

        snprintf(request, sizeof(request), wait_request, params, id);
        fixture_say(fd, request);
        ck_assert_ptr_null(fixture_hear(&d, fd));
}

static void wait_tells_of_the_next_wake(void) {
        int fd;

        begin();
        fd = fixture_connect(&d);
        say_wait(fd, "[\"plain\"]", 1);
        fixture_wake(&d, "plain");
        ck_assert_str_eq(fixture_hear(&d, fd),
                         "{\"jsonrpc\":\"2.0\",\"result\":{\"seq\":1,\"sends\":1},\"id\":1}");
        say_wait(fd, "{\"name\":\"plain\",\"after\":2}", 2);
        say_wait(fd, "{\"name\":\"plain\",\"ticket\":2}", 3);
        handle_send(fixture_handle(&d, "plain"), NULL, 0, NULL);
        fixture_wake(&d, "plain");
        ck_assert_str_eq(fixture_hear(&d, fd),
                         "{\"jsonrpc\":\"2.0\",\"result\":{\"seq\":2,\"sends\":2},\"id\":3}");
        ck_assert_ptr_null(fixture_hear(&d, fd));
        fixture_wake(&d, "plain");
        ck_assert_str_eq(fixture_hear(&d, fd),
                         "{\"jsonrpc\":\"2.0\",\"result\":{\"seq\":3,\"sends\":1},\"id\":2}");
        close(fd);
        finish();
}

static void what_has_happened_is_told_at_once(void) {
        begin();
        for (int i = 0; i < 3; i++)
                fixture_wake(&d, "plain");
        ask("wait", "{\"name\":\"plain\",\"after\":0}", "{'seq':3,'sends':null}");
        ask("wait", "{\"name\":\"plain\",\"ticket\":3}", "{'seq':3,'sends':null}");
        ask("wait", "[\"plain\",2]", "{'seq':3,'sends':null}");
        refuse("wait", "[\"plain\",3,0]", -32004, "{'reason':'timeout','name':'plain','ticket':4}");
        refuse("wait", "{\"name\":\"plain\",\"ticket\":4,\"timeout_ms\":1}", -32004,
               "{'reason':'timeout','name':'plain','ticket':4}");
        refuse("wait", "{\"name\":\"plain\",\"after\":9223372036854775806,\"timeout_ms\":0}",
               -32004, "{'reason':'timeout','name':'plain','ticket':9223372036854775807}");
        refuse("wait", "{\"name\":\"plain\",\"ticket\":4,\"after\":1}", -32602,
               "{'reason':'conflict'}");
        finish();
}

static void a_wait_ends_when_its_handle_is_closed(void) {
        int fd, other;

        begin();
        fd = fixture_connect(&d);
        other = fixture_connect(&d);
        say_wait(fd, "{\"name\":\"plain\",\"after\":6}", 1);
        json_decref(fixture_call(&d, other, "close", "[\"plain\"]"));
        ck_assert_str_eq(
                fixture_hear(&d, fd),
                "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32005,\"message\":\"\\\"plain\\\" "
                "was closed\",\"data\":{\"reason\":\"closed\",\"name\":\"plain\","
                "\"ticket\":7}},\"id\":1}");
        /* Also by the one who waits. */
        say_wait(fd, "[\"open\"]", 2);
        fixture_say(fd,
                    "{\"jsonrpc\":\"2.0\",\"method\":\"close\",\"params\":[\"open\"],\"id\":3}\n");
        ck_assert_ptr_nonnull(strstr(fixture_hear(&d, fd), "\"id\":2}"));
        ck_assert_ptr_nonnull(strstr(fixture_hear(&d, fd), "\"id\":3}"));
        close(fd);
        close(other);
        finish();
}

static void list_shows_what_may_be_read(void) {
        json_t *list;

        begin();
        ask("list", "[\"pl*\"]",
            "[{'name':'plain','is_active':true,'has_ref':false,'pending':0,'paused':false,"
            "'state':'idle','seq':0,'description':'Wakes only'}]");
        ask("list", "[\"nobody\"]", "[]");
        list = fixture_ask(&d, "list", NULL);
        ck_assert_uint_eq(json_array_size(list), 7);
        json_decref(list);
        fixture_set_peer(12345);
        list = fixture_ask(&d, "list", "{\"pattern\":\"*\"}");
        ck_assert_uint_eq(json_array_size(list), 6);
        json_decref(list);
        ask("list", "[\"secret\"]", "[]");
        finish();
}

/* Compares the members of an object with a schema's. */
static void assert_described(const json_t *is, const json_t *schema) {
        const json_t *properties = json_object_get(schema, "properties");
        const char *key;
        json_t *value;

        json_object_foreach((json_t *)is, key, value)
                ck_assert_msg(json_object_get(properties, key), "%s is not described", key);
        if (json_object_get(schema, "required"))
                return;
        json_object_foreach((json_t *)properties, key, value)
                ck_assert_msg(json_object_get(is, key), "%s is described and not there", key);
}

static void assert_enum(const json_t *schema, const char *(*to_string)(int i), int n) {
        const json_t *words = json_object_get(schema, "enum");

        ck_assert_uint_eq(json_array_size(words), (size_t)n);
        for (int i = 0; i < n; i++)
                ck_assert_str_eq(json_string_value(json_array_get(words, (size_t)i)), to_string(i));
}

static const char *state_word(int i) {
        return handle_state_to_string((enum handle_state)i);
}

static const char *disposition_word(int i) {
        return handle_disposition_to_string((enum handle_disposition)i);
}

static const char *outcome_word(int i) {
        return run_outcome_to_string((enum run_outcome)i);
}

static const json_t *property(const json_t *schemas, const char *schema, const char *name) {
        return json_object_get(json_object_get(json_object_get(schemas, schema), "properties"),
                               name);
}

static void described_words_are_those_that_are_used(void) {
        json_t *document, *schemas;

        begin();
        document = fixture_ask(&d, "describe", NULL);
        schemas = json_object_get(json_object_get(document, "components"), "schemas");
        assert_enum(property(schemas, "Handle", "state"), state_word, N_HANDLE_STATES);
        assert_enum(property(schemas, "Sent", "disposition"), disposition_word,
                    N_SEND_DISPOSITIONS);
        assert_enum(property(schemas, "Run", "outcome"), outcome_word, N_RUN_OUTCOMES);
        json_decref(document);
        finish();
}

static void status_says_why_it_waits(void) {
        json_t *status, *why, *run, *document, *schemas;

        begin();
        document = fixture_ask(&d, "describe", NULL);
        schemas = json_object_get(json_object_get(document, "components"), "schemas");
        fixture_wake(&d, "held");
        status = fixture_ask(&d, "status", "[\"held\"]");
        assert_described(status, json_object_get(schemas, "Status"));
        ck_assert_str_eq(json_string_value(json_object_get(status, "state")), "paused");
        ck_assert_int_eq(json_integer_value(json_object_get(status, "pending")), 1);
        ck_assert(json_is_null(json_object_get(status, "run")));
        ck_assert(json_is_null(json_object_get(status, "last_run")));
        why = json_object_get(status, "why");
        ck_assert(strncmp(json_string_value(json_object_get(why, "sentence")),
                          "Paused by uid 0 since ", 22) == 0);
        ck_assert_int_eq(json_integer_value(json_object_get(why, "by_uid")), 0);
        ck_assert(json_is_null(json_object_get(why, "until_ms")));
        ck_assert_int_le(llabs(json_integer_value(json_object_get(why, "since_ms")) -
                               (long long)time(NULL) * 1000),
                         test_slow_ms(5000));
        json_decref(status);

        fixture_wake(&d, "sleeps");
        status = fixture_ask(&d, "status", "[\"sleeps\"]");
        ck_assert_str_eq(json_string_value(json_object_get(status, "state")), "running");
        why = json_object_get(status, "why");
        ck_assert(strncmp(json_string_value(json_object_get(why, "sentence")),
                          "Run 1 goes on since ", 20) == 0);
        run = json_object_get(status, "run");
        assert_described(run, property(schemas, "Status", "run"));
        ck_assert_int_eq(json_integer_value(json_object_get(run, "seq")), 1);
        ck_assert_int_eq(kill((pid_t)json_integer_value(json_object_get(run, "pid")), SIGTERM), 0);
        json_decref(status);
        while (handle_run_seq(fixture_handle(&d, "sleeps")) == 0)
                uv_run(&d.loop, UV_RUN_ONCE);

        json_decref(ask_patiently("send", "{\"name\":\"fails\",\"wait\":\"run\"}"));
        status = fixture_ask(&d, "status", "[\"fails\"]");
        assert_described(json_object_get(status, "last_run"), json_object_get(schemas, "Run"));
        json_decref(status);
        json_decref(document);
        finish();
}

static void stats_count(void) {
        json_t *stats, *document, *schemas, *histogram;

        begin();
        document = fixture_ask(&d, "describe", NULL);
        schemas = json_object_get(json_object_get(document, "components"), "schemas");
        for (int i = 0; i < 3; i++) {
                handle_send(fixture_handle(&d, "plain"), NULL, 0, NULL);
                fixture_wake(&d, "plain");
        }
        stats = fixture_ask(&d, "stats", "[\"plain\"]");
        assert_described(stats, json_object_get(schemas, "Stats"));
        ck_assert_int_eq(json_integer_value(json_object_get(stats, "sends")), 6);
        ck_assert_int_eq(json_integer_value(json_object_get(stats, "wakes")), 3);
        ck_assert_int_eq(json_integer_value(json_object_get(stats, "coalesced")), 3);
        histogram = json_object_get(stats, "wake_latency_ns");
        assert_described(histogram, json_object_get(schemas, "Histogram"));
        ck_assert_int_eq(json_integer_value(json_object_get(histogram, "count")), 3);
        json_decref(stats);

        stats = fixture_ask(&d, "stats", NULL);
        assert_described(stats, json_object_get(schemas, "Stats"));
        ck_assert_int_ge(json_integer_value(json_object_get(stats, "uptime_ms")), 4900);
        ck_assert_int_eq(json_integer_value(json_object_get(stats, "handles")), 7);
        ck_assert_int_eq(json_integer_value(json_object_get(stats, "sends")), 6);
        assert_described(
                json_object_get(stats, "control"),
                json_object_get(json_object_get(json_object_get(schemas, "Stats"), "properties"),
                                "control"));
        ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(stats, "control"),
                                                            "clients_total")),
                         3);
        json_decref(stats);
        json_decref(document);
        finish();
}

static void reload_tells_changes_or_errors(void) {
        begin();
        ask("reload", NULL, "{'added':['new'],'changed':[],'removed':[]}");
        d.reload_result = -EINVAL;
        refuse("reload", NULL, -32007,
               "{'reason':'invalid_config','errors':[{'file':null,'line':null,'column':null,"
               "'message':'there is \\\"no\\\" such thing'}],'left_out':0}");
        d.reload_result = -ESHUTDOWN;
        refuse("reload", NULL, -32008, "{'reason':'shutting_down'}");
        ck_assert_uint_eq(d.n_reloads, 3);
        finish();
}

/* What each method needs, called by a stranger. */
static void rights_decide(void) {
        static const struct {
                const char *method, *params, *denied_for; /* NULL: not denied */
        } calls[] = {
                {"is_active", "[\"plain\"]", NULL},
                {"is_active", "[\"secret\"]", ",'name':'secret'"},
                {"has_ref", "[\"secret\"]", ",'name':'secret'"},
                {"status", "[\"plain\"]", NULL},
                {"status", "[\"secret\"]", ",'name':'secret'"},
                {"runs", "[\"secret\"]", ",'name':'secret'"},
                {"stats", NULL, NULL},
                {"stats", "[\"secret\"]", ",'name':'secret'"},
                {"wait", "[\"secret\"]", ",'name':'secret'"},
                {"send", "[\"plain\"]", ",'name':'plain'"},
                {"send", "[\"open\"]", NULL},
                {"send", "[[\"open\",\"plain\"]]", ",'name':'plain'"},
                {"start", "[\"open\"]", ",'name':'open'"},
                {"stop", "[\"open\"]", ",'name':'open'"},
                {"ref", "[\"open\"]", ",'name':'open'"},
                {"unref", "[\"open\"]", ",'name':'open'"},
                {"pause", "[\"open\"]", ",'name':'open'"},
                {"resume", "[\"open\"]", ",'name':'open'"},
                {"close", "[\"open\"]", ",'name':'open'"},
                {"create", "[\"mine\"]", ""},
                {"reload", NULL, ""},
                {"shutdown", NULL, ""},
                {"list", NULL, NULL},
                {"subscribe", "[\"*\"]", NULL},
                {"unsubscribe", NULL, NULL},
                {"describe", NULL, NULL},
                {"rpc.discover", NULL, NULL},
        };
        char data[100];

        begin();
        fixture_set_peer(12345);
        for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
                if (!calls[i].denied_for) {
                        json_decref(fixture_ask(&d, calls[i].method, calls[i].params));
                        continue;
                }
                snprintf(data, sizeof(data), "{'reason':'permission_denied'%s}",
                         calls[i].denied_for);
                refuse(calls[i].method, calls[i].params, -32003, data);
        }
        ck_assert_uint_eq(handle_seq(fixture_handle(&d, "open")), 1);
        ck_assert_uint_eq(d.n_reloads, 0);
        ck_assert(!d.is_stopping);
        finish();
}

static void describe_describes_every_method(void) {
        static const char *const names[] = {
                "attach",    "close",  "create",       "describe", "has_ref",
                "is_active", "list",   "pause",        "ping",     "ref",
                "reload",    "resume", "rpc.discover", "runs",     "send",
                "shutdown",  "start",  "stats",        "status",   "stop",
                "subscribe", "unref",  "unsubscribe",  "version",  "wait",
        };
        json_t *document, *other, *methods, *components, *errors, *schemas, *error;
        size_t i, k;
        json_t *method, *param, *reference;

        begin();
        document = fixture_ask(&d, "describe", NULL);
        other = fixture_ask(&d, "rpc.discover", NULL);
        ck_assert(json_equal(document, other));
        ck_assert_str_eq(json_string_value(json_object_get(document, "openrpc")), "1.3.2");
        ck_assert(json_is_string(json_object_get(json_object_get(document, "info"), "title")));
        ck_assert(json_is_string(json_object_get(json_object_get(document, "info"), "version")));
        components = json_object_get(document, "components");
        schemas = json_object_get(components, "schemas");
        errors = json_object_get(components, "errors");
        methods = json_object_get(document, "methods");
        ck_assert_uint_eq(json_array_size(methods), sizeof(names) / sizeof(*names));
        json_array_foreach(methods, i, method) {
                const char *schema;

                ck_assert_str_eq(json_string_value(json_object_get(method, "name")), names[i]);
                ck_assert(json_is_string(json_object_get(method, "summary")));
                ck_assert(json_is_array(json_object_get(method, "params")));
                json_array_foreach(json_object_get(method, "params"), k, param) {
                        ck_assert(json_is_string(json_object_get(param, "name")));
                        ck_assert(json_is_string(json_object_get(param, "description")));
                        ck_assert(json_is_boolean(json_object_get(param, "required")));
                        ck_assert(json_is_object(json_object_get(param, "schema")));
                }
                json_array_foreach(json_object_get(method, "errors"), k, error) {
                        reference = json_object_get(error, "$ref");
                        ck_assert(json_is_object(json_object_get(
                                errors, strrchr(json_string_value(reference), '/') + 1)));
                }
                reference = json_object_get(json_object_get(method, "result"), "schema");
                ck_assert(json_is_object(reference));
                schema = json_string_value(json_object_get(reference, "$ref"));
                if (schema)
                        ck_assert(
                                json_is_object(json_object_get(schemas, strrchr(schema, '/') + 1)));
        }
        json_decref(other);
        json_decref(document);
        finish();
}

static void shutdown_answers_and_ends_the_rest(void) {
        int fd, waiting, watching;

        begin();
        waiting = fixture_connect(&d);
        say_wait(waiting, "[\"plain\"]", 1);
        watching = fixture_connect(&d);
        json_decref(fixture_call(&d, watching, "subscribe", "[\"*\"]"));
        fd = fixture_connect(&d);
        assert_json(fixture_call(&d, fd, "shutdown", NULL), "true");
        ck_assert(d.is_stopping);
        ck_assert_str_eq(fixture_hear(&d, waiting),
                         "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32008,\"message\":\"The daemon "
                         "is stopping\",\"data\":{\"reason\":\"shutting_down\"}},\"id\":1}");
        ck_assert(fixture_is_gone(&d, fd));
        ck_assert(fixture_is_gone(&d, waiting));
        ck_assert(fixture_is_gone(&d, watching));
        close(fd);
        close(waiting);
        close(watching);
        finish();
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(ping_and_version_answer_everybody),
                TEST(a_handle_can_be_asked_and_changed),
                TEST(a_closed_handle_says_so),
                TEST(names_are_checked),
                TEST(what_is_there_cannot_be_created),
                TEST(created_handles_are_limited),
                TEST(send_tells_ticket_and_disposition),
                TEST(send_takes_several_names_or_none),
                TEST(names_and_keys_are_limited),
                TEST(send_can_wait_for_the_wake),
                TEST(send_can_wait_for_the_run),
                TEST(wait_tells_of_the_next_wake),
                TEST(what_has_happened_is_told_at_once),
                TEST(a_wait_ends_when_its_handle_is_closed),
                TEST(list_shows_what_may_be_read),
                TEST(described_words_are_those_that_are_used),
                TEST(status_says_why_it_waits),
                TEST(stats_count),
                TEST(reload_tells_changes_or_errors),
                TEST(rights_decide),
                TEST(describe_describes_every_method),
                TEST(shutdown_answers_and_ends_the_rest),
                {},
        };

        return test_main("control", tests, argc, argv);
}
