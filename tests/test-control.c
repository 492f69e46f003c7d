/*
 * The control socket as its clients see it, over handles that are real: methods on handles and
 * on the daemon, errors, rights. What clients do to each other and to the daemon stands in
 * test-control-clients.c.
 */

#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/control-private.h"
#include "daemon/control.h"
#include "daemon/handle.h"
#include "daemon/limits.h"
#include "lib/cleanup.h"
#include "tests/control-talk.h"
#include "tests/support.h"

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

static void reload_tells_changes_or_errors(void) {
        int fd;

        begin();
        ask("reload", NULL, "{'added':['new'],'changed':[],'removed':[]}");
        d.reload_result = -EINVAL;
        refuse("reload", NULL, -32007,
               "{'reason':'invalid_config','errors':[{'file':null,'line':null,'column':null,"
               "'message':'there is \\\"no\\\" such thing'}],'left_out':0}");
        d.reload_result = -ESHUTDOWN;
        refuse("reload", NULL, -32008, "{'reason':'shutting_down'}");
        d.reload_result = 0;
        d.reload_error = -ENOMEM;
        fd = fixture_connect(&d);
        fixture_say(fd, REQUEST("reload", "[]", "1") "\n");
        fixture_expect(&d, fd,
                       "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32603,\"message\":\"The "
                       "configuration is in force, but something is missing\"},\"id\":1}");
        close(fd);
        ck_assert_uint_eq(d.n_reloads, 4);
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

/* The first members of the batch, and all after them. */
static void shutdown_ends_a_batch(void) {
        enum { N_MEMBERS = 200 };
        char batch[N_MEMBERS * 60], *p = batch;
        unsigned int n_answered = 0;
        json_t *answers;
        int fd;

        begin();
        fd = fixture_connect(&d);
        for (int i = 0; i < N_MEMBERS; i++)
                p += sprintf(p, "%c{\"jsonrpc\":\"2.0\",\"method\":\"describe\",\"id\":%d}",
                             i ? ',' : '[', i);
        strcpy(p, "]\n");
        fixture_say(fd, batch);
        d.control->set.streams.turn_ns = 0; /* too short a turn for it */
        uv_run(&d.core.loop, UV_RUN_NOWAIT);
        control_shut_down(d.control);
        answers = json_loads(fixture_hear(&d, fd), 0, NULL);
        ck_assert_uint_eq(json_array_size(answers), N_MEMBERS);
        for (size_t i = 0; i < N_MEMBERS; i++) {
                const json_t *answer = json_array_get(answers, i);
                const json_t *code = json_object_get(json_object_get(answer, "error"), "code");

                ck_assert_int_eq(json_integer_value(json_object_get(answer, "id")), (int)i);
                n_answered += !code;
                ck_assert_int_eq(json_integer_value(code), i < n_answered ? 0 : -32008);
        }
        ck_assert_uint_gt(n_answered, 0);
        ck_assert_uint_lt(n_answered, N_MEMBERS);
        json_decref(answers);
        ck_assert(fixture_is_gone(&d, fd));
        close(fd);
        finish();
}

/* Its own one, too. */
static void nothing_follows_a_shutdown_in_its_batch(void) {
        int fd;

        begin();
        fd = fixture_connect(&d);
        fixture_say(fd, "[" REQUEST("shutdown", "[]", "1") "," REQUEST("send", "[\"plain\"]",
                                                                       "2") "]\n");
        ck_assert_str_eq(fixture_hear(&d, fd),
                         "[{\"jsonrpc\":\"2.0\",\"result\":true,\"id\":1},"
                         "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32008,\"message\":\"The daemon "
                         "is stopping\",\"data\":{\"reason\":\"shutting_down\"}},\"id\":2}]");
        ck_assert_uint_eq(handle_seq(fixture_handle(&d, "plain")), 0);
        close(fd);
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
                TEST(list_shows_what_may_be_read),
                TEST(reload_tells_changes_or_errors),
                TEST(rights_decide),
                TEST(shutdown_answers_and_ends_the_rest),
                TEST(shutdown_ends_a_batch),
                TEST(nothing_follows_a_shutdown_in_its_batch),
                {0},
        };

        return test_main("control", tests, argc, argv);
}
