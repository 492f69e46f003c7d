/* What status and stats tell, and that everything is described as it is. */

#include <signal.h>
#include <string.h>

#include "daemon/handle.h"
#include "tests/control-talk.h"
#include "tests/support.h"

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

static void status_says_why_it_waits(void) {
        struct run_result last;
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
        while (!handle_last_run(fixture_handle(&d, "sleeps"), &last))
                uv_run(&d.core.loop, UV_RUN_ONCE);

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

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(described_words_are_those_that_are_used),
                TEST(describe_describes_every_method),
                TEST(status_says_why_it_waits),
                TEST(stats_count),
                {0},
        };

        return test_main("control-describe", tests, argc, argv);
}
