/* librouse-client: calls, waiting and watching, against a daemon that answers as it is told. */

#include "lib/rouse-client.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client-batch.h"
#include "tests/client-fixture.h"
#include "tests/support.h"

static void a_call_gives_the_result_as_it_came(void) {
        static const struct fake_answer calls[] = {
                {"\"method\":\"echo \\\"é\\\"\",\"params\":{ \"a\":  [1,\"\\n\"] }}",
                 "{\"jsonrpc\":\"2.0\",\"result\":{\"x\": [true]} ,\"id\":$ID}\n"},
                {"\"method\":\"ping\"}", "{\"id\":$ID,\"result\":\"pong\"}\n"},
                {}};
        struct fake *fake = fake_start(test_dir(), NULL, calls);
        rouse_client_t *client = new_client(test_dir());
        const char *result = NULL;

        ck_assert_int_eq(rouse_client_call(client, "echo \"é\"", " { \"a\":\n [1,\"\\n\"]\n}\n",
                                           PATIENCE_MS, &result),
                         0);
        ck_assert_str_eq(result, "{\"x\": [true]}");
        ck_assert_int_eq(rouse_client_call(client, "ping", NULL, -1, &result), 0);
        ck_assert_str_eq(result, "\"pong\"");
        rouse_client_free(client);
        check_received(fake, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo \\\"é\\\"\","
                             "\"params\":{ \"a\":  [1,\"\\n\"] }}\n"
                             "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}\n");
}

static void params_that_are_not_json_go_nowhere(void) {
        static const struct {
                const char *params, *message;
        } rows[] = {
                {"", "the parameters are not JSON from character 1 on"},
                {"{\"a\":}", "the parameters are not JSON from character 6 on"},
                {"{}\n{}", "the parameters are not JSON from character 4 on"},
                {"7", "the parameters must be a JSON object or array"},
        };
        rouse_client_t *client = new_client(test_dir());

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                ck_assert_int_eq(rouse_client_call(client, "x", rows[i].params, PATIENCE_MS, NULL),
                                 -EINVAL);
                check_error(client, -EINVAL, rows[i].message);
        }
        rouse_client_free(client);
}

static void a_refused_call_has_the_daemons_words(void) {
        static const struct {
                const char *error, *reason, *message, *data;
                int code, rpc_code;
        } rows[] = {
                {"{\"code\":-32001,\"message\":\"no such handle: x\","
                 "\"data\":{\"reason\":\"no_such_handle\",\"name\":\"x\"}}",
                 "no_such_handle", "no such handle: x",
                 "{\"reason\":\"no_such_handle\",\"name\":\"x\"}", -ENXIO, -32001},
                {"{\"code\":-32004,\"message\":\"\"}", "timeout", "timed out", NULL, -ETIMEDOUT,
                 -32004},
                {"{\"code\":-32601,\"message\":\"Method not found\",\"data\":null}",
                 "method_not_found", "Method not found", "null", -ENOSYS, -32601},
                {"{\"code\":-32008}", "shutting_down", "roused is shutting down", NULL, -ESHUTDOWN,
                 -32008},
                {"{\"code\":-32603,\"message\":\"Internal error\"}", "", "Internal error", NULL,
                 -EREMOTEIO, -32603},
                {"{\"code\":5}", "", "roused refuses without a reason", NULL, -EREMOTEIO, 5},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char answer[400];
                const struct fake_answer calls[] = {{"", answer}, {}};
                const rouse_client_error_t *error;
                const char *result = "untouched";
                rouse_client_t *client;
                struct fake *fake;

                snprintf(answer, sizeof(answer), "{\"jsonrpc\":\"2.0\",\"id\":$ID,\"error\":%s}\n",
                         rows[i].error);
                fake = fake_start(test_dir(), NULL, calls);
                client = new_client(test_dir());
                ck_assert_int_eq(rouse_client_call(client, "x", "[]", PATIENCE_MS, &result),
                                 rows[i].code);
                ck_assert_str_eq(result, "untouched");
                check_error(client, rows[i].code, rows[i].message);
                error = rouse_client_get_error(client);
                ck_assert_int_eq(error->rpc_code, rows[i].rpc_code);
                ck_assert_str_eq(error->reason, rows[i].reason);
                ck_assert_pstr_eq(error->data, rows[i].data);
                rouse_client_free(client);
                free(fake_stop(fake));
        }
}

static void a_failure_is_told_until_the_next_one(void) {
        static const struct fake_answer calls[] = {
                {"first",
                 "{\"id\":$ID,\"error\":{\"code\":-32001,\"message\":\"\",\"data\":[1]}}\n"},
                {"second",
                 "{\"id\":$ID,\"result\":\"something much longer than what was there\"}\n"},
                {"third",
                 "{\"id\":$ID,\"error\":{\"code\":-32001,\"message\":\"\",\"data\":[2]}}\n"},
                {}};
        struct fake *fake = fake_start(test_dir(), NULL, calls);
        rouse_client_t *client = new_client(test_dir());
        const char *result;

        ck_assert_int_eq(rouse_client_call(client, "first", NULL, PATIENCE_MS, &result), -ENXIO);
        ck_assert_int_eq(rouse_client_call(client, "second", NULL, PATIENCE_MS, &result), 0);
        ck_assert_str_eq(rouse_client_get_error(client)->data, "[1]");
        ck_assert_int_eq(rouse_client_call(client, "third", NULL, PATIENCE_MS, &result), -ENXIO);
        ck_assert_str_eq(rouse_client_get_error(client)->data, "[2]");
        rouse_client_free(client);
        free(fake_stop(fake));
}

static void answers_of_others_and_notifications_are_skipped(void) {
        static const struct fake_answer calls[] = {
                {"", "{\"jsonrpc\":\"2.0\",\"method\":\"wake\",\"params\":{\"id\":1}}\n"
                     "{\"jsonrpc\":\"2.0\",\"id\":77,\"result\":\"wrong\"}\n"
                     "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":\"wrong\"}\n"
                     "{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":\"right\"}\n"},
                {}};
        struct fake *fake = fake_start(test_dir(), NULL, calls);
        rouse_client_t *client = new_client(test_dir());
        const char *result;

        ck_assert_int_eq(rouse_client_call(client, "x", NULL, PATIENCE_MS, &result), 0);
        ck_assert_str_eq(result, "\"right\"");
        rouse_client_free(client);
        free(fake_stop(fake));
}

static void a_strange_answer_ends_the_connection_and_not_the_client(void) {
        static const char *const answers[] = {
                "\n",
                "{}\n",
                "nonsense\n",
                "{\"id\":$ID}\n",
                "{\"id\":$ID,\"error\":7}\n",
                "{\"id\":$ID,\"error\":{\"message\":\"no code\"}}\n",
                "{\"id\":$ID,\"result\":tru}\n",
        };

        for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
                const struct fake_answer calls[] = {
                        {"strange", answers[i]}, {"", "{\"id\":$ID,\"result\":[]}\n"}, {}};
                struct fake *fake = fake_start(test_dir(), NULL, calls);
                rouse_client_t *client = new_client(test_dir());
                const char *result;
                int r = rouse_client_call(client, "strange", NULL, PATIENCE_MS, &result);

                ck_assert_msg(r == -EPROTO, "taken: %s", answers[i]);
                ck_assert_int_eq(rouse_client_call(client, "x", NULL, PATIENCE_MS, &result), 0);
                ck_assert_str_eq(result, "[]");
                rouse_client_free(client);
                free(fake_stop(fake));
        }
}

static void calls_end_with_the_time_or_the_connection(void) {
        static const struct fake_answer calls[] = {{"silent", ""},
                                                   {"half", "{\"id\":$ID,\"resu"},
                                                   {"hang up", NULL},
                                                   {"", "{\"id\":$ID,\"result\":0}\n"},
                                                   {}};
        struct fake *fake = fake_start(test_dir(), NULL, calls);
        rouse_client_t *client = new_client(test_dir());
        const char *result;

        ck_assert_int_eq(rouse_client_call(client, "silent", NULL, 20, &result), -ETIMEDOUT);
        ck_assert_int_eq(rouse_client_call(client, "x", NULL, PATIENCE_MS, &result), 0);
        ck_assert_int_eq(rouse_client_call(client, "half", NULL, 20, &result), -ETIMEDOUT);
        ck_assert_int_eq(rouse_client_call(client, "hang up", NULL, -1, &result), -ECONNRESET);
        check_error(client, -ECONNRESET, "roused closed the connection");
        ck_assert_int_eq(rouse_client_call(client, "x", NULL, PATIENCE_MS, &result), 0);
        free(fake_stop(fake));
        /* An idle connection broke: the call is made on a new one. */
        fake = fake_start(test_dir(), NULL, calls);
        ck_assert_int_eq(rouse_client_call(client, "x", NULL, PATIENCE_MS, &result), 0);
        free(fake_stop(fake));
        rouse_client_free(client);
}

/* The request is longer than the socket takes: it cannot be written before the daemon hangs up. */
static void why_a_connection_is_refused_is_told(void) {
        enum { N = 4 << 20 };
        static const struct {
                const char *notice, *message;
                int code;
        } rows[] = {
                {"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32006,\"message\":\"Too many\"},"
                 "\"id\":null}\n",
                 "Too many", -EDQUOT},
                {"", "roused closed the connection", -ECONNRESET},
                {"{\"jsonrpc\":\"2.0\",\"err", "roused closed the connection", -ECONNRESET},
                {"nonsense\n", "roused answers in a way that is not understood", -EPROTO},
        };
        char *params = malloc(N + 8);

        sprintf(params, "[\"");
        memset(params + 2, 'x', N);
        strcpy(params + 2 + N, "\"]");
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct fake *fake = fake_start_refusing(test_dir(), rows[i].notice);
                rouse_client_t *client = new_client(test_dir());
                const char *result;

                for (int k = 0; k < 4; k++) { /* also where the one before was left open */
                        ck_assert_int_eq(rouse_client_call(client, "x", k % 2 ? NULL : params,
                                                           PATIENCE_MS, &result),
                                         rows[i].code);
                        check_error(client, rows[i].code, rows[i].message);
                }
                rouse_client_free(client);
                free(fake_stop(fake));
        }
        free(params);
}

static void an_answer_may_be_long(void) {
        enum { N = 3 << 20 };
        char *answer = malloc(N + 64);
        struct fake_answer calls[] = {{"", answer}, {}};
        rouse_client_t *client;
        const char *result;
        struct fake *fake;
        int n;

        n = sprintf(answer, "{\"id\":$ID,\"result\":\"");
        memset(answer + n, 'x', N);
        strcpy(answer + n + N, "\"}\n");
        fake = fake_start(test_dir(), NULL, calls);
        client = new_client(test_dir());
        for (int i = 0; i < 2; i++) {
                ck_assert_int_eq(rouse_client_call(client, "x", NULL, PATIENCE_MS, &result), 0);
                ck_assert_uint_eq(strlen(result), N + 2);
        }
        rouse_client_free(client);
        free(fake_stop(fake));
        free(answer);
}

static void a_batch_is_one_request_and_each_call_has_its_answer(void) {
        static const struct fake_answer answers[] = {
                {"\"a\"", "{\"method\":\"wake\"}\n[{\"id\":$ID,\"result\":[1]},{\"id\":$ID,"
                          "\"error\":{\"code\":-32003,\"message\":\"No\"}}]\n"},
                {"\"c\"", "[{\"id\":4,\"result\":\"d\"},{\"id\":3,\"result\":\"c\"}]\n"},
                {}};
        struct client_batch_call calls[] = {{.method = "a", .params = "{\"x\":\n1}"},
                                            {.method = "b"}};
        struct client_batch_call turned[] = {{.method = "c"}, {.method = "d"}};
        struct fake *fake = fake_start(test_dir(), NULL, answers);
        rouse_client_t *client = new_client(test_dir());
        struct json_text result;

        ck_assert_int_eq(rouse__client_batch(client, calls, 2, PATIENCE_MS), 0);
        ck_assert_int_eq(rouse__client_batch_take(client, &calls[0], &result), 0);
        ck_assert(result.n == 3 && memcmp(result.at, "[1]", 3) == 0);
        ck_assert_int_eq(rouse__client_batch_take(client, &calls[1], &result), -EACCES);
        check_error(client, -EACCES, "No");
        ck_assert_int_eq(rouse__client_batch(client, turned, 2, PATIENCE_MS), 0);
        for (size_t i = 0; i < 2; i++) {
                ck_assert_int_eq(rouse__client_batch_take(client, &turned[i], &result), 0);
                ck_assert(result.n == 3 && result.at[1] == *turned[i].method);
        }
        rouse_client_free(client);
        check_received(fake, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"params\":"
                             "{\"x\": 1}},{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"b\"}]\n"
                             "[{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"c\"},"
                             "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"d\"}]\n");
}

static int batch_error(const char *answer) {
        const struct fake_answer answers[] = {{"", answer}, {}};
        struct client_batch_call calls[] = {{.method = "a"}, {.method = "b"}};
        struct fake *fake = fake_start(test_dir(), NULL, answers);
        rouse_client_t *client = new_client(test_dir());
        int r = rouse__client_batch(client, calls, 2, PATIENCE_MS);

        ck_assert_int_eq(rouse_client_get_error(client)->code, r);
        rouse_client_free(client);
        free(fake_stop(fake));
        return r;
}

static void a_batch_is_answered_whole_or_not_at_all(void) {
#define RESULT(id) "{\"id\":" #id ",\"result\":1}"
        static const char *const answers[] = {"[]\n",
                                              "[" RESULT(1) "]\n",
                                              "[1," RESULT(1) "]\n",
                                              "[" RESULT(1) "," RESULT(2) "," RESULT(3) "]\n",
                                              "[" RESULT(1) "," RESULT(1) "]\n",
                                              "[" RESULT(0) "," RESULT(1) "]\n",
                                              RESULT(2) "\n"};

        for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
                ck_assert_msg(batch_error(answers[i]) == -EPROTO, "taken: %s", answers[i]);
        ck_assert_int_eq(batch_error("{\"id\":null,\"error\":{\"code\":-32006}}\n"), -EDQUOT);
}

static void waiting_asks_for_the_right_wake(void) {
        static const struct fake_answer calls[] = {
                {"\"timeout_ms\":20}",
                 "{\"id\":$ID,\"error\":{\"code\":-32004,\"message\":\"timed out\"}}\n"},
                {"\"gone\"", "{\"id\":$ID,\"error\":{\"code\":-32005,\"message\":\"closed\"}}\n"},
                {"\"strange\"", "{\"id\":$ID,\"result\":{\"seq\":\"7\"}}\n"},
                {"", "{\"id\":$ID,\"result\":{\"seq\":7,\"sends\":3}}\n"},
                {}};
        struct fake *fake = fake_start(test_dir(), NULL, calls);
        rouse_client_t *client = new_client(test_dir());
        rouse_client_wake_t wake = {0};

        ck_assert_int_eq(rouse_client_wait(client, "a", -1, &wake), 0);
        ck_assert_str_eq(wake.name, "a");
        ck_assert_uint_eq(wake.seq, 7);
        ck_assert_uint_eq(wake.n_sends, 3);
        ck_assert_uint_eq(wake.n_missed, 0);
        ck_assert_int_eq(rouse_client_wait_after(client, "a", 6, 5000, NULL), 0);
        ck_assert_int_eq(rouse_client_wait_ticket(client, "a", 7, INT64_MAX, NULL), 0);
        ck_assert_int_eq(rouse_client_wait(client, "a", 20, &wake), -ETIMEDOUT);
        check_error(client, -ETIMEDOUT, "timed out");
        ck_assert_int_eq(rouse_client_wait(client, "gone", -1, &wake), -EBADF);
        ck_assert_int_eq(rouse_client_wait(client, "strange", -1, &wake), -EPROTO);
        rouse_client_free(client);
        check_received(
                fake,
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"wait\",\"params\":{\"name\":\"a\"}}\n"
                "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"wait\",\"params\":{\"name\":\"a\","
                "\"after\":6,\"timeout_ms\":5000}}\n"
                "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"wait\",\"params\":{\"name\":\"a\","
                "\"ticket\":7,\"timeout_ms\":9223372036854775807}}\n"
                "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"wait\",\"params\":{\"name\":\"a\","
                "\"timeout_ms\":20}}\n"
                "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"wait\",\"params\":{\"name\":\"gone\"}}"
                "\n"
                "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"wait\",\"params\":{\"name\":"
                "\"strange\"}}\n");
}

#define WAKE(name, seq)                                                                            \
        "{\"jsonrpc\":\"2.0\",\"method\":\"wake\",\"params\":{\"name\":\"" name "\",\"seq\":" #seq \
        ",\"sends\":2,\"missed\":1}}\n"

static void a_watcher_takes_every_wake_in_order(void) {
        static const struct fake_answer calls[] = {
                {"[\"a*\",\"b\\\"\"]",
                 "{\"id\":$ID,\"result\":true}\n" WAKE("a1", 4) "{\"method\":\"news\"}\n" WAKE(
                         "a2", 5) WAKE("a1", 6)},
                {"", "{\"id\":$ID,\"result\":true}\n"},
                {}};
        static const char *const patterns[] = {"a*", "b\""};
        static const char *const names[] = {"a1", "a2", "a1"};
        struct fake *fake = fake_start(test_dir(), NULL, calls);
        rouse_client_t *client = new_client(test_dir());
        rouse_client_wake_t wake;
        struct pollfd pollfd;
        const char *result;

        ck_assert_int_eq(rouse_client_fd(client), -1);
        ck_assert_int_eq(rouse_client_next(client, -1, &wake), -EINVAL);
        ck_assert_int_eq(rouse_client_watch(client, patterns, 0, PATIENCE_MS), -EINVAL);
        ck_assert_int_eq(rouse_client_watch(client, patterns, 2, PATIENCE_MS), 0);
        for (unsigned int i = 0; i < 3; i++) {
                ck_assert_int_eq(rouse_client_next(client, PATIENCE_MS, &wake), 0);
                ck_assert_str_eq(wake.name, names[i]);
                ck_assert_uint_eq(wake.seq, 4 + i);
                ck_assert_uint_eq(wake.n_sends, 2);
                ck_assert_uint_eq(wake.n_missed, 1);
        }
        ck_assert_int_eq(rouse_client_next(client, 0, &wake), -ETIMEDOUT);
        pollfd = (struct pollfd){.fd = rouse_client_fd(client), .events = POLLIN};
        ck_assert_int_eq(poll(&pollfd, 1, 0), 0);

        ck_assert_int_eq(rouse_client_call(client, "x", NULL, -1, &result), -EBUSY);
        ck_assert_int_eq(rouse_client_wait(client, "x", -1, &wake), -EBUSY);
        ck_assert_int_eq(rouse_client_watch(client, patterns, 1, -1), -EBUSY);
        ck_assert_int_eq(rouse_client_send(client, "x", PATIENCE_MS, NULL), 0);

        free(fake_stop(fake));
        ck_assert_int_eq(rouse_client_next(client, PATIENCE_MS, &wake), -ECONNRESET);
        check_error(client, -ECONNRESET, "roused closed the connection");
        ck_assert_int_eq(rouse_client_fd(client), -1);
        /* It is an ordinary client again. */
        fake = fake_start(test_dir(), NULL, calls);
        ck_assert_int_eq(rouse_client_call(client, "x", NULL, PATIENCE_MS, &result), 0);
        rouse_client_free(client);
        free(fake_stop(fake));
}

#define RUN_ENDED(rest) \
        "{\"method\":\"run_ended\",\"params\":{\"name\":\"a\",\"seq\":4,\"sends\":2," rest "}}\n"

static void a_watcher_of_runs_takes_them_too(void) {
        static const struct fake_answer calls[] = {
                {"\"runs\":true",
                 "{\"id\":$ID,\"result\":true}\n" WAKE("a", 4) "{\"method\":\"run_started\",\"params\":{\"name\":\"a\",\"seq\":4,\"sends\":2}}\n" RUN_ENDED(
                         "\"outcome\":\"not_started\",\"status\":-2,\"success\":false,"
                         "\"duration_ms\":12,\"missed\":3") WAKE("a", 5)
                         RUN_ENDED("\"outcome\":7,\"status\":1,\"success\":true")},
                {}};
        static const char *const patterns[] = {"a"};
        struct fake *fake = fake_start(test_dir(), NULL, calls);
        rouse_client_t *client = new_client(test_dir());
        rouse_client_event_t event;
        rouse_client_wake_t wake;

        ck_assert_int_eq(rouse_client_next_event(client, 0, &event), -EINVAL);
        ck_assert_int_eq(rouse_client_watch_runs(client, patterns, 1, PATIENCE_MS), 0);
        ck_assert_int_eq(rouse_client_next_event(client, PATIENCE_MS, &event), 0);
        ck_assert_int_eq(event.kind, ROUSE_CLIENT_WAKE);
        ck_assert_uint_eq(event.n_missed, 1);
        ck_assert_ptr_null(event.outcome);
        ck_assert_int_eq(rouse_client_next_event(client, PATIENCE_MS, &event), 0);
        ck_assert_int_eq(event.kind, ROUSE_CLIENT_RUN_STARTED);
        ck_assert_str_eq(event.name, "a");
        ck_assert_uint_eq(event.seq, 4);
        ck_assert_uint_eq(event.n_sends, 2);
        ck_assert_uint_eq(event.n_missed, 0);
        ck_assert_int_eq(rouse_client_next_event(client, PATIENCE_MS, &event), 0);
        ck_assert_int_eq(event.kind, ROUSE_CLIENT_RUN_ENDED);
        ck_assert_str_eq(event.outcome, "not_started");
        ck_assert_int_eq(event.status, -2);
        ck_assert_int_eq(event.success, 0);
        ck_assert_uint_eq(event.duration_ms, 12);
        ck_assert_uint_eq(event.n_missed, 3);
        ck_assert_int_eq(rouse_client_next(client, PATIENCE_MS, &wake), 0);
        ck_assert_uint_eq(wake.seq, 5);
        ck_assert_int_eq(rouse_client_next_event(client, PATIENCE_MS, &event), -EPROTO);
        rouse_client_free(client);
        free(fake_stop(fake));
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(a_call_gives_the_result_as_it_came),
                TEST(params_that_are_not_json_go_nowhere),
                TEST(a_refused_call_has_the_daemons_words),
                TEST(a_failure_is_told_until_the_next_one),
                TEST(answers_of_others_and_notifications_are_skipped),
                TEST(a_strange_answer_ends_the_connection_and_not_the_client),
                TEST(calls_end_with_the_time_or_the_connection),
                TEST(why_a_connection_is_refused_is_told),
                TEST(an_answer_may_be_long),
                TEST(a_batch_is_one_request_and_each_call_has_its_answer),
                TEST(a_batch_is_answered_whole_or_not_at_all),
                TEST(waiting_asks_for_the_right_wake),
                TEST(a_watcher_takes_every_wake_in_order),
                TEST(a_watcher_of_runs_takes_them_too),
                {},
        };

        return test_main("client-call", tests, argc, argv);
}
