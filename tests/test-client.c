/* librouse-client: its directory, and sends, against a daemon that answers as it is told. */

#include "lib/rouse-client.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"
#include "tests/client-fixture.h"
#include "tests/support.h"

#define SUN_PATH sizeof(((struct sockaddr_un *)0)->sun_path)

static void the_directory_is_chosen_in_order(void) {
        const char *runtime = test_path("runtime"), *users = test_path("runtime/roused");
        rouse_client_t *client;
        struct fake *fake;
        char longest[PATH_MAX + 1];

        ck_assert_int_eq(mkdir(runtime, 0700), 0);
        ck_assert_int_eq(mkdir(users, 0700), 0);
        unsetenv("ROUSE_DIR");
        setenv("XDG_RUNTIME_DIR", runtime, 1);

        client = new_client(NULL);
        ck_assert_str_eq(rouse_client_dir(client), "/run/roused");
        rouse_client_free(client);

        fake = fake_start(users, NULL, NULL);
        client = new_client(NULL);
        ck_assert_str_eq(rouse_client_dir(client), users);
        ck_assert_int_eq(rouse_client_send(client, "x", PATIENCE_MS, NULL), 0);
        rouse_client_free(client);
        client = new_client("/given");
        ck_assert_str_eq(rouse_client_dir(client), "/given");
        rouse_client_free(client);
        setenv("ROUSE_DIR", "/by/variable", 1);
        client = new_client(NULL);
        ck_assert_str_eq(rouse_client_dir(client), "/by/variable");
        rouse_client_free(client);
        setenv("ROUSE_DIR", "", 1);
        client = new_client(NULL);
        ck_assert_str_eq(rouse_client_dir(client), users);
        rouse_client_free(client);
        check_received(fake, "x\n");

        /* A socket without a daemon, as after a crash. */
        client = new_client(NULL);
        ck_assert_str_eq(rouse_client_dir(client), "/run/roused");
        rouse_client_free(client);
        setenv("XDG_RUNTIME_DIR", "relative", 1);
        client = new_client(NULL);
        ck_assert_str_eq(rouse_client_dir(client), "/run/roused");
        rouse_client_free(client);

        memset(longest, 'x', sizeof(longest));
        longest[sizeof(longest) - 1] = '\0';
        client = NULL;
        ck_assert_int_eq(rouse_client_create(longest, &client), -ENAMETOOLONG);
        ck_assert_ptr_null(client);
        ck_assert_ptr_null(rouse_client_free(NULL));
}

/* The paths of both sockets fit into an address, the shorter one alone, and neither of them. */
static void the_directory_may_have_a_long_path(void) {
        static const struct fake_answer calls[] = {{"ping", "{\"id\":$ID,\"result\":1}\n"}, {}};
        static const size_t lengths[] = {SUN_PATH - sizeof("/control.sock"),
                                         SUN_PATH - sizeof("/poke.sock"), 200};

        unsetenv("ROUSE_DIR");
        for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
                int n_name = (int)(lengths[i] - strlen(test_dir()) - strlen("//roused"));
                const char *runtime = test_path("%0*d", n_name, 0);
                const char *dir = test_path("%0*d/roused", n_name, 0), *result;
                rouse_client_t *given, *found;
                struct fake *fake;

                ck_assert_uint_eq(strlen(dir), lengths[i]);
                ck_assert_int_eq(mkdir(runtime, 0700), 0);
                ck_assert_int_eq(mkdir(dir, 0700), 0);
                ck_assert_int_eq(chdir(dir), 0);
                fake = fake_start(".", NULL, calls);
                given = new_client(dir);
                ck_assert_int_eq(rouse_client_send(given, "a", PATIENCE_MS, NULL), 0);
                ck_assert_int_eq(rouse_client_call(given, "ping", NULL, PATIENCE_MS, &result), 0);
                rouse_client_free(given);
                setenv("XDG_RUNTIME_DIR", runtime, 1);
                found = new_client(NULL);
                ck_assert_str_eq(rouse_client_dir(found), dir);
                rouse_client_free(found);
                free(fake_stop(fake));
        }
}

static void what_is_not_there_is_told_with_all_of_its_path(void) {
        const char *dir = test_path("%0250d/%0250d", 0, 0);
        rouse_client_t *client = new_client(dir);
        char *message;

        ck_assert_int_ge(asprintf(&message,
                                  "cannot reach roused at %s/poke.sock: No such file or directory",
                                  dir),
                         0);
        ck_assert_int_eq(rouse_client_send(client, "x", PATIENCE_MS, NULL), -ENOENT);
        check_error(client, -ENOENT, message);
        free(message);
        rouse_client_free(client);
}

static void a_send_is_acknowledged_with_its_ticket(void) {
        struct fake *fake = fake_start(test_dir(), NULL, NULL);
        rouse_client_t *client = new_client(test_dir());
        uint64_t ticket = 0;

        check_error(client, 0, "");
        ck_assert_int_eq(rouse_client_send(client, "reindex", PATIENCE_MS, &ticket), 0);
        ck_assert_uint_eq(ticket, 1);
        ck_assert_int_eq(rouse_client_send(client, "reindex", -1, &ticket), 0);
        ck_assert_uint_eq(ticket, 2);
        ck_assert_int_eq(rouse_client_send(client, "a:b", PATIENCE_MS, NULL), 0);
        rouse_client_free(client);
        check_received(fake, "reindex\nreindex\na:b\n");
}

static void refusals_have_an_errno_and_a_sentence(void) {
        static const struct {
                const char *reason, *message;
                int error;
        } rows[] = {
                {"no_such_handle", "no such handle: x", -ENXIO},
                {"permission_denied", "permission denied: x", -EACCES},
                {"closed", "the handle is closed: x", -EBADF},
                {"bad_name", "not a legal name: x", -EINVAL},
                {"too_long", "too long: x", -EMSGSIZE},
                {"shutting_down", "roused is shutting down: x", -ESHUTDOWN},
                {"moon_is_full", "moon_is_full: x", -EREMOTEIO},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char reply[64];
                const struct fake_answer pokes[] = {{"x", reply}, {}};
                struct fake *fake;
                rouse_client_t *client;
                uint64_t ticket = 77;

                snprintf(reply, sizeof(reply), "error %s\n", rows[i].reason);
                fake = fake_start(test_dir(), pokes, NULL);
                client = new_client(test_dir());
                ck_assert_int_eq(rouse_client_send(client, "x", PATIENCE_MS, &ticket),
                                 rows[i].error);
                ck_assert_uint_eq(ticket, 77);
                check_error(client, rows[i].error, rows[i].message);
                ck_assert_str_eq(rouse_client_get_error(client)->reason, rows[i].reason);
                ck_assert_int_eq(rouse_client_get_error(client)->rpc_code, 0);
                ck_assert_ptr_null(rouse_client_get_error(client)->data);
                rouse_client_free(client);
                free(fake_stop(fake));
        }
        ck_assert_str_eq(rouse_client_strerror(-ENXIO), "no such handle");
        ck_assert_str_eq(rouse_client_strerror(-ENOMEM), strerror(ENOMEM));
}

static void each_of_several_sends_has_a_result(void) {
        static const struct fake_answer pokes[] = {
                {"a\nb k 1\nc\n", "ok 5\nerror no_such_handle\nok 18446744073709551615\n"}, {}};
        struct fake *fake = fake_start(test_dir(), pokes, NULL);
        rouse_client_t *client = new_client(test_dir());
        rouse_client_send_t sends[] = {
                {.name = "a", .result = 9},    {.name = "two lines\n", .ticket = 9},
                {.name = "b", .key = "k 1"},   {.name = "c"},
                {.name = "d", .key = "e\nf"},  {.name = "d", .key = ""},
                {.name = "d", .key = "cut\r"}, {.name = ""},
        };

        ck_assert_int_eq(rouse_client_send_many(client, sends, 8, 0, PATIENCE_MS), -ENXIO);
        check_error(client, -ENXIO, "no such handle: b");
        ck_assert_int_eq(sends[0].result, 0);
        ck_assert_uint_eq(sends[0].ticket, 5);
        ck_assert_int_eq(sends[1].result, -EINVAL);
        ck_assert_uint_eq(sends[1].ticket, 0);
        ck_assert_int_eq(sends[2].result, -ENXIO);
        ck_assert_int_eq(sends[3].result, 0);
        ck_assert_uint_eq(sends[3].ticket, UINT64_MAX);
        for (int i = 4; i < 8; i++)
                ck_assert_int_eq(sends[i].result, -EINVAL);

        ck_assert_int_eq(rouse_client_send_many(client, sends, 0, 0, PATIENCE_MS), 0);
        ck_assert_int_eq(rouse_client_send_many(client, sends, 1, 8, PATIENCE_MS), -EINVAL);
        rouse_client_free(client);
        check_received(fake, "a\nb k 1\nc\n");
}

static void many_sends_are_cut_into_datagrams(void) {
        enum { N = 3000 };
        struct fake *fake = fake_start(test_dir(), NULL, NULL);
        rouse_client_t *client = new_client(test_dir());
        rouse_client_send_t *sends = calloc(N, sizeof(*sends));
        char *log, *key = malloc(20000);

        memset(key, 'k', 20000);
        key[10000] = '\0';
        for (int i = 0; i < N; i++)
                sends[i] = (rouse_client_send_t){.name = "n", .key = i < 4 ? key : NULL};
        ck_assert_int_eq(rouse_client_send_many(client, sends, N, 0, PATIENCE_MS), 0);
        for (unsigned int i = 0; i < N; i++)
                ck_assert_uint_eq(sends[i].ticket, i + 1);
        key[10000] = 'k';
        key[19999] = '\0';
        ck_assert_int_eq(rouse_client_send_many(client, sends, 1, 0, PATIENCE_MS), -EMSGSIZE);
        rouse_client_free(client);
        log = fake_stop(fake);
        ck_assert_uint_eq(strlen(log), (N * 2 + 4 * 10001));
        free(log);
        free(sends);
        free(key);
}

static void sends_without_acknowledgement_get_no_reply(void) {
        static const struct fake_answer pokes[] = {{"x", "error closed\n"}, {}};
        struct fake *fake = fake_start(test_dir(), pokes, NULL);
        rouse_client_t *client = new_client(test_dir());
        rouse_client_send_t send = {.name = "x"};

        for (int i = 0; i < 3; i++) {
                send.result = 1;
                ck_assert_int_eq(
                        rouse_client_send_many(client, &send, 1, ROUSE_CLIENT_NO_ACK, PATIENCE_MS),
                        0);
                ck_assert_int_eq(send.result, 0);
                ck_assert_uint_eq(send.ticket, 0);
        }
        /* Those before were read: datagrams keep their order. */
        ck_assert_int_eq(rouse_client_send(client, "y", PATIENCE_MS, NULL), 0);
        rouse_client_free(client);
        check_received(fake, "x\nx\nx\ny\n");
}

static void a_daemon_that_is_not_there_is_named(void) {
        rouse_client_t *client = new_client(test_dir());
        char message[300];

        ck_assert_int_eq(rouse_client_send(client, "x", PATIENCE_MS, NULL), -ENOENT);
        snprintf(message, sizeof(message),
                 "cannot reach roused at %s/poke.sock: No such file or directory", test_dir());
        check_error(client, -ENOENT, message);
        ck_assert_int_eq(rouse_client_call(client, "ping", NULL, PATIENCE_MS, NULL), -ENOENT);
        snprintf(message, sizeof(message),
                 "cannot reach roused at %s/control.sock: No such file or directory", test_dir());
        check_error(client, -ENOENT, message);
        free(fake_stop(fake_start(test_dir(), NULL, NULL)));
        ck_assert_int_eq(rouse_client_send(client, "x", PATIENCE_MS, NULL), -ECONNREFUSED);
        ck_assert_int_eq(rouse_client_call(client, "ping", NULL, PATIENCE_MS, NULL), -ECONNREFUSED);
        rouse_client_free(client);
}

static void sends_go_to_a_restarted_daemon(void) {
        struct fake *fake = fake_start(test_dir(), NULL, NULL);
        rouse_client_t *client = new_client(test_dir());
        rouse_client_send_t send = {.name = "x"};

        ck_assert_int_eq(rouse_client_send(client, "x", PATIENCE_MS, NULL), 0);
        ck_assert_int_eq(rouse_client_send_many(client, &send, 1, ROUSE_CLIENT_NO_ACK, PATIENCE_MS),
                         0);
        free(fake_stop(fake));
        fake = fake_start(test_dir(), NULL, NULL);
        ck_assert_int_eq(rouse_client_send_many(client, &send, 1, ROUSE_CLIENT_NO_ACK, PATIENCE_MS),
                         0);
        ck_assert_int_eq(rouse_client_send(client, "y", PATIENCE_MS, NULL), 0);
        check_received(fake, "x\ny\n");
        ck_assert_int_eq(rouse_client_send(client, "x", PATIENCE_MS, NULL), -ECONNREFUSED);
        rouse_client_free(client);
}

static void a_missing_acknowledgement_ends_with_the_time(void) {
        static const struct fake_answer pokes[] = {{"silent", ""}, {}};
        struct fake *fake = fake_start(test_dir(), pokes, NULL);
        rouse_client_t *client = new_client(test_dir());
        uint64_t before_ns = clock_now_ns(), ticket;

        ck_assert_int_eq(rouse_client_send(client, "silent", 30, NULL), -ETIMEDOUT);
        ck_assert_uint_ge(clock_now_ns() - before_ns, 30 * NS_PER_MS);
        check_error(client, -ETIMEDOUT, "roused does not answer");
        /* The client starts anew, so that no late reply is taken for this one's. */
        ck_assert_int_eq(rouse_client_send(client, "loud", PATIENCE_MS, &ticket), 0);
        ck_assert_uint_eq(ticket, 1);
        rouse_client_free(client);
        free(fake_stop(fake));
}

static void *send_without_end(void *arg) {
        rouse_client_t *client = arg;

        return (void *)(intptr_t)rouse_client_send(client, "silent", -1, NULL);
}

static void a_daemon_that_dies_before_it_answers_is_noticed(void) {
        static const struct fake_answer pokes[] = {{"silent", ""}, {}};
        struct fake *fake = fake_start(test_dir(), pokes, NULL);
        rouse_client_t *client = new_client(test_dir());
        pthread_t thread;
        void *result;

        ck_assert_int_eq(pthread_create(&thread, NULL, send_without_end, client), 0);
        ck_assert(test_until(fake_was_poked, fake, PATIENCE_MS));
        free(fake_stop(fake));
        ck_assert_int_eq(pthread_join(thread, &result), 0);
        ck_assert_int_eq((intptr_t)result, -ECONNRESET);
        check_error(client, -ECONNRESET, "roused went away before it answered");
        rouse_client_free(client);
}

static void a_strange_reply_is_refused(void) {
        static const char *const replies[] = {
                "\n",           "ok\n",
                "ok x\n",       "ok -1\n",
                "ok 1",         "ok 1\nok 2\n",
                "ok 1\n ",      "okay 1\n",
                "error\n",      "error \n",
                "no 1\n",       "ok 99999999999999999999\n",
                "ok 1 extra\n", "error\nclosed\n",
        };

        for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
                const struct fake_answer pokes[] = {{"x", replies[i]}, {}};
                struct fake *fake = fake_start(test_dir(), pokes, NULL);
                rouse_client_t *client = new_client(test_dir());
                int r = rouse_client_send(client, "x", PATIENCE_MS, NULL);

                ck_assert_msg(r == -EPROTO, "taken: %s", replies[i]);
                rouse_client_free(client);
                free(fake_stop(fake));
        }
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(the_directory_is_chosen_in_order),
                TEST(the_directory_may_have_a_long_path),
                TEST(what_is_not_there_is_told_with_all_of_its_path),
                TEST(a_send_is_acknowledged_with_its_ticket),
                TEST(refusals_have_an_errno_and_a_sentence),
                TEST(each_of_several_sends_has_a_result),
                TEST(many_sends_are_cut_into_datagrams),
                TEST(sends_without_acknowledgement_get_no_reply),
                TEST(a_daemon_that_is_not_there_is_named),
                TEST(sends_go_to_a_restarted_daemon),
                TEST(a_missing_acknowledgement_ends_with_the_time),
                TEST(a_daemon_that_dies_before_it_answers_is_noticed),
                TEST(a_strange_reply_is_refused),
                {},
        };

        return test_main("client", tests, argc, argv);
}
