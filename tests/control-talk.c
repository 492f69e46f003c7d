#include "tests/control-talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/handle.h"
#include "lib/cleanup.h"
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

struct daemon d;

void begin(void) {
        fixture_init(&d, yaml);
        ck_assert_int_eq(handle_pause(fixture_handle(&d, "held"), 0, 0), 0);
}

void finish(void) {
        fixture_deinit(&d);
}

void assert_json(json_t *is, const char *should) {
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

void ask(const char *method, const char *params, const char *result) {
        assert_json(fixture_ask(&d, method, params), result);
}

void refuse(const char *method, const char *params, int code, const char *data) {
        _cleanup_close_ int fd = fixture_connect(&d);
        json_t *error = fixture_fail(&d, fd, method, params);

        ck_assert_msg(json_integer_value(json_object_get(error, "code")) == code,
                      "%s %s: code %lld", method, params,
                      (long long)json_integer_value(json_object_get(error, "code")));
        ck_assert_uint_gt(json_string_length(json_object_get(error, "message")), 0);
        assert_json(json_incref(json_object_get(error, "data")), data);
        json_decref(error);
}

json_t *ask_patiently(const char *method, const char *params) {
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
                uv_run(&d.core.loop, UV_RUN_ONCE);
        }
        ck_abort_msg("no answer to %s", request);
}

static const char wait_request[] =
        "{\"jsonrpc\":\"2.0\",\"method\":\"wait\",\"params\":%s,\"id\":%d}\n";

void say_wait(int fd, const char *params, int id) {
        char request[200];

        snprintf(request, sizeof(request), wait_request, params, id);
        fixture_say(fd, request);
        ck_assert_ptr_null(fixture_hear(&d, fd));
}
