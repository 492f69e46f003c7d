/* Sending and waiting over the control socket. */

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/handle.h"
#include "daemon/limits.h"
#include "tests/control-talk.h"
#include "tests/support.h"

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

/* A list of so many strings. */
static char *write_list(char *at, const char *key, const char *string, unsigned int n) {
        at += sprintf(at, "\"%s\":[", key);
        for (unsigned int i = 0; i < n; i++)
                at += sprintf(at, "%s\"%s\"", i > 0 ? "," : "", string);
        return stpcpy(at, "]");
}

static void sends_of_a_request_are_limited(void) {
        char *params = malloc(LIMIT_SENDS * 2), *at;
        struct handle_stats stats;

        begin();
        for (unsigned int n_names = 16; n_names <= 17; n_names++) {
                at = write_list(stpcpy(params, "{"), "names", "plain", n_names);
                at = write_list(stpcpy(at, ","), "keys", "k", LIMIT_SENDS / 16);
                strcpy(at, "}");
                if (n_names == 16)
                        json_decref(fixture_ask(&d, "send", params));
                else
                        refuse("send", params, -32006, "{'reason':'limit_reached'}");
        }
        handle_get_stats(fixture_handle(&d, "plain"), &stats);
        ck_assert_uint_eq(stats.sends, LIMIT_SENDS);
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
               "{'reason':'timeout','name':'held','ticket':1,'tickets':[3,1],"
               "'waiting':[{'name':'held','ticket':1}]}");
        finish();
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

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(send_tells_ticket_and_disposition),
                TEST(send_takes_several_names_or_none),
                TEST(names_and_keys_are_limited),
                TEST(sends_of_a_request_are_limited),
                TEST(send_can_wait_for_the_wake),
                TEST(send_can_wait_for_the_run),
                TEST(wait_tells_of_the_next_wake),
                TEST(what_has_happened_is_told_at_once),
                TEST(a_wait_ends_when_its_handle_is_closed),
                {0},
        };

        return test_main("control-send", tests, argc, argv);
}
