/*
 * A conversation without a socket: texts go in, the test hears what comes out. The methods are
 * those of the specification's examples; the examples' texts are those of its section 7.
 */

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/limits.h"
#include "daemon/rpc-call.h"
#include "daemon/rpc-error.h"
#include "daemon/rpc.h"
#include "tests/rpc-methods.h"
#include "tests/support.h"

static unsigned int n_answered;
static bool every_turn_is_over;

static bool turn_is_over(struct rpc *rpc) {
        (void)rpc;
        return every_turn_is_over;
}

static void answered(struct rpc *rpc) {
        (void)rpc;
        n_answered++;
}

static const struct rpc_host host = {.turn_is_over = turn_is_over, .answered = answered};

struct talk {
        struct rpc rpc;
        struct rpc_table table;
        struct rpc_counters counters;
        struct buffer out;
        char *heard;
};

static void talk_init(struct talk *talk) {
        *talk = (struct talk){.heard = NULL};
        ck_assert_int_eq(rpc_table_init(&talk->table, example_methods), 0);
        rpc_init(&talk->rpc, &talk->table, &host, &talk->counters, &talk->out);
}

static void talk_deinit(struct talk *talk) {
        rpc_deinit(&talk->rpc);
        rpc_table_deinit(&talk->table);
        rouse__buffer_deinit(&talk->out);
        free(talk->heard);
}

/* What has been answered since the last call. */
static const char *hear(struct talk *talk) {
        ck_assert(!talk->out.failed);
        free(talk->heard);
        talk->heard = strndup(talk->out.data ?: "", talk->out.n);
        ck_assert_ptr_nonnull(talk->heard);
        talk->out.n = 0;
        return talk->heard;
}

/* Says one text, from memory of exactly its size. */
static bool say(struct talk *talk, const char *text) {
        size_t n = strlen(text);
        char *copy = malloc(n ?: 1);
        bool done;

        ck_assert_ptr_nonnull(copy);
        memcpy(copy, text, n);
        done = rpc_take(&talk->rpc, copy, n);
        free(copy);
        return done;
}

static const char *ask(struct talk *talk, const char *text) {
        ck_assert(say(talk, text));
        return hear(talk);
}

/* Compares values; "" is no answer at all. An answer is one line. */
static void assert_answer(const char *text, const char *answer, const char *expected) {
        json_t *is, *should;

        if (!*expected) {
                ck_assert_msg(!*answer, "%s answers %s", text, answer);
                return;
        }
        ck_assert_msg(strchr(answer, '\n') == answer + strlen(answer) - 1, "%s answers no line: %s",
                      text, answer);
        is = json_loads(answer, JSON_REJECT_DUPLICATES, NULL);
        should = json_loads(expected, JSON_REJECT_DUPLICATES, NULL);
        ck_assert_msg(is && should && json_equal(is, should), "%s answers %s instead of %s", text,
                      answer, expected);
        json_decref(is);
        json_decref(should);
}

struct example {
        const char *text, *answer;
};

static void ask_all(const struct example *examples, size_t n) {
        struct talk talk;

        talk_init(&talk);
        for (size_t i = 0; i < n; i++)
                assert_answer(examples[i].text, ask(&talk, examples[i].text), examples[i].answer);
        talk_deinit(&talk);
}

/* Section 7 of https://www.jsonrpc.org/specification, each text on a line. */
static const struct example specification[] = {
        {"{\"jsonrpc\": \"2.0\", \"method\": \"subtract\", \"params\": [42, 23], \"id\": 1}",
         "{\"jsonrpc\": \"2.0\", \"result\": 19, \"id\": 1}"},
        {"{\"jsonrpc\": \"2.0\", \"method\": \"subtract\", \"params\": [23, 42], \"id\": 2}",
         "{\"jsonrpc\": \"2.0\", \"result\": -19, \"id\": 2}"},
        {"{\"jsonrpc\": \"2.0\", \"method\": \"subtract\", "
         "\"params\": {\"subtrahend\": 23, \"minuend\": 42}, \"id\": 3}",
         "{\"jsonrpc\": \"2.0\", \"result\": 19, \"id\": 3}"},
        {"{\"jsonrpc\": \"2.0\", \"method\": \"subtract\", "
         "\"params\": {\"minuend\": 42, \"subtrahend\": 23}, \"id\": 4}",
         "{\"jsonrpc\": \"2.0\", \"result\": 19, \"id\": 4}"},
        {"{\"jsonrpc\": \"2.0\", \"method\": \"update\", \"params\": [1,2,3,4,5]}", ""},
        {"{\"jsonrpc\": \"2.0\", \"method\": \"foobar\"}", ""},
        {"{\"jsonrpc\": \"2.0\", \"method\": \"foobar\", \"id\": \"1\"}",
         "{\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32601, \"message\": \"Method not found\"}, "
         "\"id\": \"1\"}"},
        {"{\"jsonrpc\": \"2.0\", \"method\": \"foobar, \"params\": \"bar\", \"baz]",
         "{\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32700, \"message\": \"Parse error\"}, "
         "\"id\": null}"},
        {"{\"jsonrpc\": \"2.0\", \"method\": 1, \"params\": \"bar\"}",
         "{\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32600, \"message\": \"Invalid Request\"}, "
         "\"id\": null}"},
        {"[ {\"jsonrpc\": \"2.0\", \"method\": \"sum\", \"params\": [1,2,4], \"id\": \"1\"}, "
         "{\"jsonrpc\": \"2.0\", \"method\" ]",
         "{\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32700, \"message\": \"Parse error\"}, "
         "\"id\": null}"},
        {"[]", "{\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32600, \"message\": \"Invalid "
               "Request\"}, \"id\": null}"},
        {"[1]", "[ {\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32600, \"message\": \"Invalid "
                "Request\"}, \"id\": null} ]"},
        {"[1,2,3]",
         "[ {\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32600, \"message\": \"Invalid "
         "Request\"}, \"id\": null}, "
         "{\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32600, \"message\": \"Invalid Request\"}, "
         "\"id\": null}, "
         "{\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32600, \"message\": \"Invalid Request\"}, "
         "\"id\": null} ]"},
        {"[ {\"jsonrpc\": \"2.0\", \"method\": \"sum\", \"params\": [1,2,4], \"id\": \"1\"}, "
         "{\"jsonrpc\": \"2.0\", \"method\": \"notify_hello\", \"params\": [7]}, "
         "{\"jsonrpc\": \"2.0\", \"method\": \"subtract\", \"params\": [42,23], \"id\": \"2\"}, "
         "{\"foo\": \"boo\"}, "
         "{\"jsonrpc\": \"2.0\", \"method\": \"foo.get\", \"params\": {\"name\": \"myself\"}, "
         "\"id\": \"5\"}, "
         "{\"jsonrpc\": \"2.0\", \"method\": \"get_data\", \"id\": \"9\"} ]",
         "[ {\"jsonrpc\": \"2.0\", \"result\": 7, \"id\": \"1\"}, "
         "{\"jsonrpc\": \"2.0\", \"result\": 19, \"id\": \"2\"}, "
         "{\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32600, \"message\": \"Invalid Request\"}, "
         "\"id\": null}, "
         "{\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32601, \"message\": \"Method not found\"}, "
         "\"id\": \"5\"}, "
         "{\"jsonrpc\": \"2.0\", \"result\": [\"hello\", 5], \"id\": \"9\"} ]"},
        {"[ {\"jsonrpc\": \"2.0\", \"method\": \"notify_sum\", \"params\": [1,2,4]}, "
         "{\"jsonrpc\": \"2.0\", \"method\": \"notify_hello\", \"params\": [7]} ]",
         ""},
};

static void examples_of_the_specification_answer_as_printed(void) {
        ask_all(specification, sizeof(specification) / sizeof(*specification));
}

static void members_stand_in_the_printed_order(void) {
        struct talk talk;

        talk_init(&talk);
        ck_assert_str_eq(ask(&talk, "{\"id\":1,\"params\":[5,3],\"method\":\"subtract\","
                                    "\"jsonrpc\":\"2.0\"}"),
                         "{\"jsonrpc\":\"2.0\",\"result\":2,\"id\":1}\n");
        ck_assert_str_eq(ask(&talk, "{"),
                         "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,\"message\":\"Parse "
                         "error\"},\"id\":null}\n");
        ck_assert_str_eq(ask(&talk, "[1,{\"jsonrpc\":\"2.0\",\"method\":\"get_data\",\"id\":2}]"),
                         "[{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\"Invalid "
                         "Request\"},\"id\":null},"
                         "{\"jsonrpc\":\"2.0\",\"result\":[\"hello\",5],\"id\":2}]\n");
        talk_deinit(&talk);
}

static void ids_come_back_as_they_came(void) {
        static const char *const ids[] = {
                "1",
                "0",
                "-1",
                "1.5",
                "1.50",
                "-0",
                "1e3",
                "1e999",
                "9007199254740993",
                "123456789012345678901234567890.000000000000000000001",
                "null",
                "\"\"",
                "\"a\"",
                "\"\\u0000 \\ud83d \\\" \\\\ \xc3\xa4\"",
        };
        struct talk talk;
        char text[256];

        talk_init(&talk);
        for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
                snprintf(
                        text, sizeof(text),
                        "{\"jsonrpc\":\"2.0\",\"id\": %s ,\"method\":\"subtract\",\"params\":[2,1]}",
                        ids[i]);
                ask(&talk, text);
                snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":%s}\n",
                         ids[i]);
                ck_assert_str_eq(talk.heard, text);
        }
        talk_deinit(&talk);
}

#define INVALID(id)                                                                         \
        "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\"Invalid Request\"}," \
        "\"id\":" id "}"

static void invalid_requests(void) {
        static const struct example examples[] = {
                {"1", INVALID("null")},
                {"null", INVALID("null")},
                {"\"subtract\"", INVALID("null")},
                {"{}", INVALID("null")},
                {"{\"method\":\"get_data\",\"id\":1}", INVALID("1")},
                {"{\"jsonrpc\":\"1.0\",\"method\":\"get_data\",\"id\":1}", INVALID("1")},
                {"{\"jsonrpc\":2.0,\"method\":\"get_data\",\"id\":1}", INVALID("1")},
                {"{\"jsonrpc\":\"2.0\",\"id\":1}", INVALID("1")},
                {"{\"jsonrpc\":\"2.0\",\"method\":null,\"id\":\"x\"}", INVALID("\"x\"")},
                {"{\"jsonrpc\":\"2.0\",\"method\":\"get_data\",\"id\":true}", INVALID("null")},
                {"{\"jsonrpc\":\"2.0\",\"method\":\"get_data\",\"id\":[1]}", INVALID("null")},
                {"{\"jsonrpc\":\"2.0\",\"method\":\"get_data\",\"id\":{}}", INVALID("null")},
                {"{\"jsonrpc\":\"2.0\",\"method\":\"get_data\",\"params\":1,\"id\":1}",
                 INVALID("1")},
                {"{\"jsonrpc\":\"2.0\",\"method\":\"get_data\",\"params\":null,\"id\":1}",
                 INVALID("1")},
                {"{\"jsonrpc\":\"2.0\",\"method\":\"get_data\",\"params\":\"x\",\"id\":1}",
                 INVALID("1")},
                {"{\"jsonrpc\":\"2.0\",\"method\":\"get_data\",\"params\":1}", INVALID("null")},
                {"{\"jsonrpc\":\"2.0\",\"jsonrpc\":\"2.0\",\"method\":\"get_data\",\"id\":1}",
                 INVALID("1")},
                {"{\"jsonrpc\":\"2.0\",\"method\":\"sum\",\"method\":\"get_data\",\"id\":1}",
                 INVALID("1")},
                {"{\"jsonrpc\":\"2.0\",\"method\":\"get_data\",\"id\":1,\"id\":2}",
                 INVALID("null")},
                {"{\"jsonrpc\":\"2.0\",\"method\":\"get_data\",\"i\\u0064\":1,\"id\":2}",
                 INVALID("null")},
                {"{\"jsonrpc\":\"2.0\",\"method\":\"get_data\",\"params\":[],\"params\":{},"
                 "\"id\":1}",
                 INVALID("1")},
                {"[[]]", "[" INVALID("null") "]"},
                {"[[{\"jsonrpc\":\"2.0\",\"method\":\"get_data\",\"id\":1}]]",
                 "[" INVALID("null") "]"},
        };

        ask_all(examples, sizeof(examples) / sizeof(*examples));
}

#define RESULT(r) "{\"jsonrpc\":\"2.0\",\"result\":" r ",\"id\":1}"

static void valid_requests(void) {
        static const struct example examples[] = {
                {"", ""},
                {" \t\r", ""},
                {" {\"jsonrpc\":\"2.0\",\"method\":\"get_data\",\"id\":1}\r",
                 RESULT("[\"hello\",5]")},
                {"{\"jsonrpc\":\"2.0\",\"method\":\"get_data\",\"params\":{},\"id\":1}",
                 RESULT("[\"hello\",5]")},
                {"{\"jsonrpc\":\"2.0\",\"method\":\"get_data\",\"params\":[],\"id\":1}",
                 RESULT("[\"hello\",5]")},
                {"{\"jsonrpc\":\"2.0\",\"method\":\"get_data\",\"id\":1,\"more\":{\"id\":2}}",
                 RESULT("[\"hello\",5]")},
                {"{\"\\u006asonrpc\":\"\\u0032.0\",\"\\u006dethod\":\"get\\u005fdata\","
                 "\"\\u0069d\":1}",
                 RESULT("[\"hello\",5]")},
                {"{\"jsonrpc\":\"2.0\",\"method\":\"text\",\"params\":{\"string\":\"a\\u0000\\n\","
                 "\"strings\":[\"\",\"\\u00e4\",\"b\"],\"some\":\"one\",\"boolean\":false,"
                 "\"integer\":18446744073709551615,\"choice\":\"r\\u0075n\"},\"id\":1}",
                 RESULT("{\"string\":\"a\\u0001\\n\",\"strings\":[\"\",\"\\u00e4\",\"b\"],"
                        "\"some\":[\"one\"],\"boolean\":false,\"integer\":0,\"choice\":1}")},
                {"{\"jsonrpc\":\"2.0\",\"method\":\"text\",\"params\":[null,[],[\"x\",\"y\"],true,"
                 "0,\"wake\"],\"id\":1}",
                 RESULT("{\"strings\":[],\"some\":[\"x\",\"y\"],\"boolean\":true,\"integer\":0,"
                        "\"choice\":0}")},
                {"{\"jsonrpc\":\"2.0\",\"method\":\"text\",\"params\":{\"string\":null,"
                 "\"choice\":null},\"id\":1}",
                 RESULT("{}")},
        };
        struct talk talk;

        for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++)
                if (!strstr(examples[i].text, "\\u0000"))
                        ask_all(&examples[i], 1);
        /* What jansson cannot compare is compared as text. */
        talk_init(&talk);
        ck_assert_str_eq(ask(&talk, examples[7].text),
                         "{\"jsonrpc\":\"2.0\",\"result\":{\"string\":\"a\\u0000\\n\","
                         "\"strings\":[\"\",\"\xc3\xa4\",\"b\"],\"some\":[\"one\"],"
                         "\"boolean\":false,\"integer\":18446744073709551615,\"choice\":1},"
                         "\"id\":1}\n");
        talk_deinit(&talk);
}

#define BAD_PARAM(message, reason, param)                                                        \
        "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32602,\"message\":\"Invalid params: " message \
        "\",\"data\":{\"reason\":\"" reason "\"" param "}},\"id\":1}"
#define PARAM(name) ",\"param\":\"" name "\""

static void wrong_params_are_named(void) {
        static const struct {
                const char *method, *params, *answer;
        } calls[] = {
                {"subtract", "{\"minuend\":1,\"subtrahent\":2}",
                 BAD_PARAM("there is no parameter \\\"subtrahent\\\"", "unknown_param",
                           PARAM("subtrahent"))},
                {"subtract", "{\"minuend\":1}",
                 BAD_PARAM("\\\"subtrahend\\\" is missing", "missing_param", PARAM("subtrahend"))},
                {"subtract", "[1]",
                 BAD_PARAM("\\\"subtrahend\\\" is missing", "missing_param", PARAM("subtrahend"))},
                {"subtract", "{\"minuend\":1,\"m\\u0069nuend\":2}",
                 BAD_PARAM("\\\"m\\\\u0069nuend\\\" is given twice", "repeated_param",
                           PARAM("m\\\\u0069nuend"))},
                {"subtract", "[1,2,3]", BAD_PARAM("there are too many", "too_many_params", "")},
                {"get_data", "[1]", BAD_PARAM("there are too many", "too_many_params", "")},
                {"get_data", "{\"x\":1}",
                 BAD_PARAM("there is no parameter \\\"x\\\"", "unknown_param", PARAM("x"))},
                {"subtract", "[1,\"2\"]",
                 BAD_PARAM("\\\"subtrahend\\\" must be an integer from 0 to 18446744073709551615",
                           "wrong_type", PARAM("subtrahend"))},
                {"subtract", "[1,null]",
                 BAD_PARAM("\\\"subtrahend\\\" must be an integer from 0 to 18446744073709551615",
                           "wrong_type", PARAM("subtrahend"))},
                {"text", "{\"string\":1}",
                 BAD_PARAM("\\\"string\\\" must be a string", "wrong_type", PARAM("string"))},
                {"text", "{\"string\":\"\\ud83d\"}",
                 BAD_PARAM("\\\"string\\\" must be a string", "wrong_type", PARAM("string"))},
                {"text", "{\"strings\":\"a\"}",
                 BAD_PARAM("\\\"strings\\\" must be an array of strings", "wrong_type",
                           PARAM("strings"))},
                {"text", "{\"strings\":[\"a\",1]}",
                 BAD_PARAM("\\\"strings\\\" must be an array of strings", "wrong_type",
                           PARAM("strings"))},
                {"text", "{\"some\":{}}",
                 BAD_PARAM("\\\"some\\\" must be a string or an array of strings", "wrong_type",
                           PARAM("some"))},
                {"text", "{\"boolean\":0}",
                 BAD_PARAM("\\\"boolean\\\" must be true or false", "wrong_type",
                           PARAM("boolean"))},
                {"text", "{\"integer\":1.5}",
                 BAD_PARAM("\\\"integer\\\" must be an integer from 0 to 18446744073709551615",
                           "wrong_type", PARAM("integer"))},
                {"text", "{\"choice\":\"walk\"}",
                 BAD_PARAM("\\\"choice\\\" must be one of its choices", "wrong_type",
                           PARAM("choice"))},
        };
        struct talk talk;
        char text[512];

        talk_init(&talk);
        for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
                snprintf(text, sizeof(text),
                         "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":%s,\"id\":1}",
                         calls[i].method, calls[i].params);
                assert_answer(text, ask(&talk, text), calls[i].answer);
        }
        ck_assert_uint_eq(talk.counters.requests, sizeof(calls) / sizeof(*calls));
        ck_assert_uint_eq(talk.counters.errors, talk.counters.requests);
        talk_deinit(&talk);
}

static void errors_of_the_daemon_have_reason_and_name(void) {
        struct talk talk;

        talk_init(&talk);
        ck_assert_str_eq(ask(&talk, "{\"jsonrpc\":\"2.0\",\"method\":\"refuse\",\"id\":1}"),
                         "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32001,\"message\":\"No handle "
                         "is named \\\"x\\\"\",\"data\":{\"reason\":\"no_such_handle\",\"name\":"
                         "\"x\"}},\"id\":1}\n");
        ck_assert_str_eq(ask(&talk, "{\"jsonrpc\":\"2.0\",\"method\":\"refuse\"}"), "");
        talk_deinit(&talk);
}

static void notifications_do_their_work_in_silence(void) {
        struct talk talk;

        talk_init(&talk);
        ck_assert_str_eq(ask(&talk, "{\"jsonrpc\":\"2.0\",\"method\":\"update\",\"params\":[1]}"),
                         "");
        ck_assert_str_eq(ask(&talk,
                             "[{\"jsonrpc\":\"2.0\",\"method\":\"update\"},"
                             "{\"jsonrpc\":\"2.0\",\"method\":\"update\"},"
                             "{\"jsonrpc\":\"2.0\",\"method\":\"update\",\"params\":[\"x\"]},"
                             "{\"jsonrpc\":\"2.0\",\"method\":\"subtract\"},"
                             "{\"jsonrpc\":\"2.0\",\"method\":\"later\"}]"),
                         "");
        ck_assert_uint_eq(example_n_updates, 3);
        ck_assert_uint_eq(example_n_later, 1);
        example_answer(0);
        ck_assert_str_eq(hear(&talk), "");
        talk_deinit(&talk);
}

#define LATER(id) "{\"jsonrpc\":\"2.0\",\"method\":\"later\",\"id\":" id "}"

static void an_answer_may_come_later(void) {
        struct talk talk;

        talk_init(&talk);
        ck_assert_str_eq(ask(&talk, LATER("\"x\"")), "");
        ck_assert_str_eq(ask(&talk, LATER("1.50")), "");
        ck_assert_uint_eq(n_answered, 0);
        example_answer(1);
        ck_assert_uint_eq(n_answered, 1);
        ck_assert_str_eq(hear(&talk), "{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":1.50}\n");
        example_answer(0);
        ck_assert_str_eq(hear(&talk), "{\"jsonrpc\":\"2.0\",\"result\":0,\"id\":\"x\"}\n");
        ck_assert_uint_eq(talk.rpc.n_deferred, 0);
        talk_deinit(&talk);
}

static void a_batch_is_answered_when_its_last_member_is(void) {
        struct talk talk;

        talk_init(&talk);
        ck_assert_str_eq(ask(&talk, "[" LATER("1") ",1," LATER("2") "]"), "");
        ck_assert_str_eq(ask(&talk, "[" LATER("3") "]"), "");
        example_answer(1);
        ck_assert_str_eq(hear(&talk), "");
        example_answer(2);
        ck_assert_str_eq(hear(&talk), "[{\"jsonrpc\":\"2.0\",\"result\":2,\"id\":3}]\n");
        example_answer(0);
        ck_assert_str_eq(
                hear(&talk),
                "[" INVALID("null") ",{\"jsonrpc\":\"2.0\",\"result\":1,"
                                    "\"id\":2},{\"jsonrpc\":\"2.0\",\"result\":0,\"id\":1}]\n");
        ck_assert_uint_eq(talk.rpc.n_batch_bytes, 0);
        talk_deinit(&talk);
}

static void calls_that_wait_are_cancelled_at_the_end(void) {
        struct talk talk;

        talk_init(&talk);
        ask(&talk, LATER("1"));
        ask(&talk, "[" LATER("2") "," LATER("3") ",1]");
        rpc_end(&talk.rpc);
        ck_assert_uint_eq(example_n_cancelled, 3);
        ck_assert_str_eq(hear(&talk), "");
        talk_deinit(&talk);
        ck_assert_uint_eq(example_n_cancelled, 3);
}

static void calls_that_wait_can_be_failed(void) {
        struct talk talk;

        talk_init(&talk);
        ask(&talk, LATER("1"));
        ask(&talk, "[" LATER("2") "]");
        rpc_call_cancel_all(&talk.rpc, &rpc_shutting_down);
        ck_assert_uint_eq(example_n_cancelled, 2);
        ck_assert_str_eq(hear(&talk),
                         "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32008,\"message\":\"The daemon "
                         "is stopping\",\"data\":{\"reason\":\"shutting_down\"}},\"id\":1}\n"
                         "[{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32008,\"message\":\"The "
                         "daemon is stopping\",\"data\":{\"reason\":\"shutting_down\"}},"
                         "\"id\":2}]\n");
        talk_deinit(&talk);
}

#define LIMIT(message, id)                                                       \
        "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32006,\"message\":\"" message \
        "\",\"data\":{\"reason\":\"limit_reached\"}},\"id\":" id "}\n"

static void calls_that_wait_are_limited(void) {
        struct talk talk;
        char text[128];

        talk_init(&talk);
        for (unsigned int i = 0; i < LIMIT_IN_FLIGHT; i++)
                ck_assert_str_eq(ask(&talk, LATER("1")), "");
        ck_assert_str_eq(ask(&talk, LATER("2")),
                         LIMIT("More than 1024 waits at once on one connection", "2"));
        example_answer(5);
        hear(&talk);
        ck_assert_str_eq(ask(&talk, LATER("3")), "");
        rpc_call_cancel_all(&talk.rpc, NULL);
        ck_assert_uint_eq(talk.rpc.n_deferred, 0);
        snprintf(text, sizeof(text),
                 "{\"jsonrpc\":\"2.0\",\"method\":\"later\",\"params\":[%u],\"id\":4}",
                 LIMIT_IN_FLIGHT + 1);
        ck_assert_str_eq(ask(&talk, text),
                         LIMIT("More than 1024 waits at once on one connection", "4"));
        talk_deinit(&talk);
}

static char *repeated(const char *open, const char *s, const char *close, unsigned int n) {
        struct buffer b = BUFFER_NULL;

        buffer_add(&b, open, strlen(open));
        for (unsigned int i = 0; i < n; i++)
                buffer_add(&b, s, strlen(s));
        buffer_add(&b, close, strlen(close));
        buffer_add_byte(&b, 0);
        ck_assert(!b.failed);
        return b.data;
}

static void nesting_is_limited(void) {
        struct talk talk;
        char *text;

        talk_init(&talk);
        text = repeated("", "[", "", 1000000);
        ck_assert_str_eq(ask(&talk, text),
                         LIMIT("The request is nested deeper than 64 levels", "null"));
        free(text);
        text = repeated("{\"jsonrpc\":\"2.0\",\"method\":\"get_data\",\"params\":", "[",
                        "]]]],\"id\":1}", LIMIT_JSON_DEPTH);
        ck_assert_str_eq(ask(&talk, text),
                         LIMIT("The request is nested deeper than 64 levels", "null"));
        free(text);
        rpc_take_too_long(&talk.rpc, 77);
        ck_assert_str_eq(hear(&talk), LIMIT("The request is longer than 77 bytes", "null"));
        talk_deinit(&talk);
}

static void batches_are_limited(void) {
        struct talk talk;
        char *text;

        talk_init(&talk);
        text = repeated("[0", ",0", "]", LIMIT_BATCH - 1);
        ck_assert_uint_eq(strlen(ask(&talk, text)),
                          LIMIT_BATCH * (strlen(INVALID("null")) + 1) + 2);
        free(text);
        text = repeated("[0", ",0", "]", LIMIT_BATCH);
        ck_assert_str_eq(ask(&talk, text), LIMIT("More than 1024 requests in a batch", "null"));
        free(text);
        talk_deinit(&talk);
}

static void answers_that_wait_in_batches_are_limited(void) {
        static const char most[] = "{\"jsonrpc\":\"2.0\",\"method\":\"fill\",\"params\":[300000]}";
        struct talk talk;
        char text[512];

        talk_init(&talk);
        snprintf(text, sizeof(text),
                 "[" LATER("1") ",%.*s,\"id\":2},%.*s,\"id\":3}," LATER("4") "]",
                 (int)sizeof(most) - 2, most, (int)sizeof(most) - 2, most);
        ask(&talk, text);
        ask(&talk, text);
        ck_assert_uint_lt(talk.rpc.n_batch_bytes, LIMIT_REPLY_BYTES + 300000 * 16 + 1000);
        ck_assert_uint_eq(example_n_later, 1); /* the rest of both batches was refused */
        /* What is no batch goes on. */
        ck_assert_str_eq(ask(&talk, "{\"jsonrpc\":\"2.0\",\"method\":\"get_data\",\"id\":1}"),
                         RESULT("[\"hello\",5]") "\n");
        example_answer(0);
        ck_assert_uint_gt(strlen(hear(&talk)), 9000000);
        ck_assert_uint_lt(talk.rpc.n_batch_bytes, 1000);
        talk_deinit(&talk);
}

static void a_batch_can_take_many_turns(void) {
        static const char text[] = " [" LATER("1") ",2 , {\"jsonrpc\":\"2.0\",\"method\":"
                                                   "\"get_data\",\"id\":3}]";
        struct talk talk;

        talk_init(&talk);
        every_turn_is_over = true;
        ck_assert(!say(&talk, text));
        example_answer(0);
        ck_assert(!say(&talk, text));
        ck_assert(!say(&talk, text));
        ck_assert_str_eq(hear(&talk), "");
        ck_assert(say(&talk, text));
        ck_assert_str_eq(
                hear(&talk),
                "[{\"jsonrpc\":\"2.0\",\"result\":0,\"id\":1}," INVALID(
                        "null") ","
                                "{\"jsonrpc\":\"2.0\",\"result\":[\"hello\",5],\"id\":3}]\n");
        ck_assert(!say(&talk, text)); /* and is left in the middle */
        talk_deinit(&talk);
}

static void methods_are_found_by_their_whole_name(void) {
        static const char *const others[] = {"",        "s",         "su",  "summ", "Sum",
                                             "get_dat", "get_dataa", "zzz", "A"};
        struct rpc_table table = RPC_TABLE_NULL;

        ck_assert_int_eq(rpc_table_init(&table, example_methods), 0);
        for (size_t g = 0; example_methods[g]; g++)
                for (const struct rpc_method *m = example_methods[g]; m->name; m++)
                        ck_assert_ptr_eq(rpc_table_find(&table, m->name, strlen(m->name)), m);
        for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
                ck_assert_ptr_null(rpc_table_find(&table, others[i], strlen(others[i])));
        rpc_table_deinit(&table);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(examples_of_the_specification_answer_as_printed),
                TEST(members_stand_in_the_printed_order),
                TEST(ids_come_back_as_they_came),
                TEST(invalid_requests),
                TEST(valid_requests),
                TEST(wrong_params_are_named),
                TEST(errors_of_the_daemon_have_reason_and_name),
                TEST(notifications_do_their_work_in_silence),
                TEST(an_answer_may_come_later),
                TEST(a_batch_is_answered_when_its_last_member_is),
                TEST(calls_that_wait_are_cancelled_at_the_end),
                TEST(calls_that_wait_can_be_failed),
                TEST(calls_that_wait_are_limited),
                TEST(nesting_is_limited),
                TEST(batches_are_limited),
                TEST(answers_that_wait_in_batches_are_limited),
                TEST(a_batch_can_take_many_turns),
                TEST(methods_are_found_by_their_whole_name),
                {},
        };

        return test_main("rpc", tests, argc, argv);
}
