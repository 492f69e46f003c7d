/* Calls that are answered later, and batches that wait for them. */

#include <stdio.h>
#include <string.h>

#include "daemon/limits.h"
#include "daemon/rpc-call.h"
#include "daemon/rpc-error.h"
#include "daemon/rpc.h"
#include "tests/rpc-methods.h"
#include "tests/rpc-talk.h"
#include "tests/support.h"

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

#define STOPPING(id)                                                                              \
        "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32008,\"message\":\"The daemon is stopping\"," \
        "\"data\":{\"reason\":\"shutting_down\"}},\"id\":" id "}"

static void a_batch_that_is_cut_is_answered(void) {
        static const char text[] = "[" LATER("1") ",2,{\"jsonrpc\":\"2.0\",\"method\":\"get_data\","
                                                  "\"id\":3},{\"jsonrpc\":\"2.0\",\"method\":"
                                                  "\"get_data\"}]";
        struct talk talk;

        talk_init(&talk);
        every_turn_is_over = true;
        ck_assert(!say(&talk, text));
        rpc_refuse(&talk.rpc, &rpc_shutting_down);
        ck_assert_str_eq(hear(&talk), "");
        ck_assert(say(&talk, text));
        ck_assert_str_eq(hear(&talk),
                         "[" STOPPING("1") "," INVALID("null") "," STOPPING("3") "]\n");
        ck_assert_str_eq(ask(&talk, LATER("4")), STOPPING("4") "\n");
        talk_deinit(&talk);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(an_answer_may_come_later),
                TEST(a_batch_is_answered_when_its_last_member_is),
                TEST(calls_that_wait_are_cancelled_at_the_end),
                TEST(calls_that_wait_can_be_failed),
                TEST(calls_that_wait_are_limited),
                TEST(answers_that_wait_in_batches_are_limited),
                TEST(a_batch_can_take_many_turns),
                TEST(a_batch_that_is_cut_is_answered),
                {0},
        };

        return test_main("rpc-waits", tests, argc, argv);
}
