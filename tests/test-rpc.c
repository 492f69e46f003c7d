/*
 * Requests and their answers. The methods are those of the specification's examples; the examples'
 * texts are those of its section 7.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/limits.h"
#include "daemon/rpc-error.h"
#include "daemon/rpc.h"
#include "tests/rpc-methods.h"
#include "tests/rpc-talk.h"
#include "tests/support.h"

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

static void what_is_no_request_is_answered_with_an_error(void) {
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

static void what_is_unusual_and_allowed_is_answered(void) {
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
                {"{\"jsonrpc\":\"2.0\",\"method\":\"subtract\",\"params\":[1000.0,0.00],\"id\":1}",
                 RESULT("1000")},
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
                {"text", "{\"integer\":1.50}",
                 BAD_PARAM("\\\"integer\\\" must be an integer from 0 to 18446744073709551615",
                           "wrong_type", PARAM("integer"))},
                {"text", "{\"choice\":\"walk\"}",
                 BAD_PARAM("\\\"choice\\\" must be \\\"wake\\\" or \\\"run\\\"", "wrong_type",
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

static void ids_are_limited(void) {
        static const struct {
                const char *open, *part, *close; /* of the id */
                unsigned int n;
                bool is_known;
        } rows[] = {
                {"\"", "i", "\"", LIMIT_ID_BYTES - 2, true},
                {"\"", "i", "\"", LIMIT_ID_BYTES - 1, false},
                {"", "1", "", LIMIT_ID_BYTES, true},
                {"", "1", "", LIMIT_ID_BYTES + 1, false},
                {"\"", "\\u0041", "\"", LIMIT_ID_BYTES / 6 + 1, false},
        };
        struct talk talk;

        talk_init(&talk);
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
                char *id = repeated(rows[i].open, rows[i].part, rows[i].close, rows[i].n);
                char text[2000], member[512];

                snprintf(member, sizeof(member),
                         "{\"jsonrpc\":\"2.0\",\"method\":\"get_data\",\"id\":%s}", id);
                snprintf(text, sizeof(text), "[%s,%s]", member, member);
                if (rows[i].is_known) {
                        ck_assert_ptr_nonnull(strstr(ask(&talk, member), id));
                        ck_assert_ptr_nonnull(strstr(ask(&talk, text), id));
                } else {
                        ck_assert_str_eq(ask(&talk, member), INVALID("null") "\n");
                        ck_assert_str_eq(ask(&talk, text),
                                         "[" INVALID("null") "," INVALID("null") "]\n");
                }
                free(id);
        }
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
                TEST(what_is_no_request_is_answered_with_an_error),
                TEST(what_is_unusual_and_allowed_is_answered),
                TEST(wrong_params_are_named),
                TEST(errors_of_the_daemon_have_reason_and_name),
                TEST(notifications_do_their_work_in_silence),
                TEST(nesting_is_limited),
                TEST(ids_are_limited),
                TEST(batches_are_limited),
                TEST(methods_are_found_by_their_whole_name),
                {0},
        };

        return test_main("rpc", tests, argc, argv);
}
