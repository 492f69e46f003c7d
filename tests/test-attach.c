/*
 * attach, seen by a client that the test plays with the raw descriptors: one that keeps the
 * protocol. The memory is looked at as protocol.md has it, at its offsets.
 */

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/control.h"
#include "daemon/limits.h"
#include "lib/attach-words.h"
#include "lib/cleanup.h"
#include "tests/attach-fixture.h"
#include "tests/support.h"

static uint32_t u32_at(const struct attached *attached, size_t offset) {
        uint32_t value;

        memcpy(&value, (char *)attached->memory + offset, sizeof(value));
        return value;
}

static uint64_t u64_at(const struct attached *attached, size_t offset) {
        uint64_t value;

        memcpy(&value, (char *)attached->memory + offset, sizeof(value));
        return value;
}

static void the_memory_is_as_the_manual_has_it(void) {
        struct attached attached;

        attached_begin();
        attached = attached_new("[\"a\",\"b\",\"c\"]");
        ck_assert_uint_eq(attached.size, 256 + 3 * 8);
        ck_assert_uint_eq(u32_at(&attached, 0), 1);
        ck_assert_uint_eq(u32_at(&attached, 4), 3);
        ck_assert_uint_eq(u32_at(&attached, 64), 1);
        ck_assert_uint_eq(u64_at(&attached, 128), 0);
        ck_assert_int_eq(attach_send(attached.memory, 2, 1), ATTACH_RING);
        ck_assert_uint_eq(u32_at(&attached, 64), 0);
        ck_assert_uint_eq(u64_at(&attached, 128), 1 << 2);
        ck_assert_uint_eq(u64_at(&attached, 256 + 2 * 8), 1 << 1);
        ck_assert_int_eq(attach_send(attached.memory, 2, 1), ATTACH_SENT);
        ck_assert_int_eq(attach_send(attached.memory, 0, 1), ATTACH_SENT);
        ck_assert_uint_eq(u64_at(&attached, 128), 1 << 2 | 1);
        ck_assert_uint_eq(u64_at(&attached, 256 + 2 * 8), 2 << 1);
        attached_ring(&attached, 1);
        fixture_turn(&attached_daemon);
        attached_expect_sends("a", 1, 1);
        attached_expect_sends("b", 0, 0);
        attached_expect_sends("c", 2, 1);
        ck_assert_uint_eq(u32_at(&attached, 64), 1);
        ck_assert_uint_eq(u64_at(&attached, 128), 0);
        ck_assert_uint_eq(u64_at(&attached, 256 + 2 * 8), 0);
        attached_detach(&attached);
        attached_finish();
}

static void nobody_can_change_its_length(void) {
        const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
        struct attached attached;

        attached_begin();
        attached = attached_new("[\"a\"]");
        ck_assert_int_eq(fcntl(attached.memory_fd, F_GET_SEALS) & seals, seals);
        ck_assert_int_eq(ftruncate(attached.memory_fd, 0), -1);
        ck_assert_int_eq(ftruncate(attached.memory_fd, 1 << 20), -1);
        ck_assert_int_eq(fcntl(attached.memory_fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), -1);
        /* What can be done is to take the pages away: then there are new ones. */
        ck_assert_int_eq(fallocate(attached.memory_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                   0, (off_t)attached.size),
                         0);
        attached_ring(&attached, 1);
        fixture_turn(&attached_daemon);
        attached_finish_with_a_send(&attached);
}

static void many_sends_are_one_wake_and_counted(void) {
        struct attached attached;

        attached_begin();
        attached = attached_new("[\"b\",\"a\",\"b\"]"); /* b twice: two words */
        for (unsigned int round = 1; round <= 3; round++) {
                for (int i = 0; i < 1000; i++)
                        ck_assert_int_ne(attached_send(&attached, 1), ATTACH_REFUSED);
                for (int i = 0; i < 10; i++) {
                        ck_assert_int_ne(attached_send(&attached, 0), ATTACH_REFUSED);
                        ck_assert_int_ne(attached_send(&attached, 2), ATTACH_REFUSED);
                }
                fixture_turn(&attached_daemon);
                attached_expect_sends("a", 1000 * round, round);
                attached_expect_sends("b", 20 * round, round);
        }
        attached_detach(&attached);
        attached_finish();
}

/* Says the request, and expects an error with this reason and a text somewhere in it. */
static void expect_refusal(int fd, const char *names, const char *text) {
        char *params;
        json_t *error;
        _cleanup_free_ char *found = NULL;

        ck_assert_int_gt(asprintf(&params, "{\"names\":%s}", names), 0);
        error = fixture_fail(&attached_daemon, fd, "attach", params);
        found = json_dumps(error, JSON_COMPACT);
        ck_assert_msg(strstr(found, text), "%s instead of %s", found, text);
        json_decref(error);
        free(params);
}

static void what_cannot_be_attached_is_refused(void) {
        char names[6 * 1026], *p = names;
        int fd;

        attached_begin();
        fd = fixture_connect(&attached_daemon);
        json_decref(fixture_call(&attached_daemon, fd, "create", "[\"gone\"]"));
        expect_refusal(fd, "[\"a\",\"nobody\"]",
                       "\"data\":{\"reason\":\"no_such_handle\",\"name\":\"nobody\"}");
        expect_refusal(fd, "[\"a b\"]", "bad_name");
        expect_refusal(fd, "[]", "missing_param");
        p += sprintf(p, "[");
        for (int i = 0; i < 1025; i++)
                p += sprintf(p, "%s\"a\"", i ? "," : "");
        sprintf(p, "]");
        expect_refusal(fd, names, "limit_reached");
        json_decref(fixture_call(&attached_daemon, fd, "close", "[\"b\"]"));
        expect_refusal(fd, "[\"b\"]", "\"reason\":\"closed\"");
        close(fd);
        fixture_set_peer(4711);
        fd = fixture_connect(&attached_daemon);
        expect_refusal(fd, "[\"a\",\"ours\"]",
                       "\"data\":{\"reason\":\"permission_denied\",\"name\":\"ours\"}");
        close(fd);
        attached_finish();
}

/* In a batch there is no answer of its own, and to a notification none at all; the descriptors
 * would have nothing to go with. */
static void attach_is_a_request_by_itself(void) {
        int fd;

        attached_begin();
        fd = fixture_connect(&attached_daemon);
        fixture_say(fd, "[{\"jsonrpc\":\"2.0\",\"method\":\"attach\",\"params\":[\"a\"],"
                        "\"id\":1}]\n"
                        "{\"jsonrpc\":\"2.0\",\"method\":\"attach\",\"params\":[\"a\"]}\n"
                        "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":2}\n");
        ck_assert_str_eq(fixture_hear(&attached_daemon, fd),
                         "[{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":"
                         "\"Invalid Request: attach must be a request by itself\"},\"id\":1}]");
        ck_assert_ptr_nonnull(strstr(fixture_hear(&attached_daemon, fd), "pong"));
        close(fd);
        attached_finish();
}

static void attachments_are_limited(void) {
        struct attached attached[LIMIT_ATTACHMENTS_PER_UID];
        struct control_stats stats;
        unsigned int n = 0;
        int fd = -1;

        attached_begin();
        fixture_set_peer(4711);
        for (; n < LIMIT_ATTACHMENTS_PER_UID; n++) {
                if (n % LIMIT_ATTACHMENTS == 0)
                        fd = fixture_connect(&attached_daemon);
                attached[n] = attached_on(fd, "[\"a\"]");
                if (n % LIMIT_ATTACHMENTS == LIMIT_ATTACHMENTS - 1)
                        expect_refusal(fd, "[\"a\"]", "This connection has as many");
        }
        control_get_stats(attached_daemon.control, &stats);
        ck_assert_uint_eq(stats.attachments, n);
        fd = fixture_connect(&attached_daemon);
        expect_refusal(fd, "[\"a\"]", "This user has as many");
        close(fd);
        fixture_set_peer(0);
        fd = fixture_connect(&attached_daemon);
        attached[0].fd = -1;
        attached_let_go(&attached[0]);
        attached[0] = attached_on(fd, "[\"a\"]");
        close(fd);
        while (n-- > 0) {
                attached_let_go(&attached[n]);
                if (n > 0 && n % LIMIT_ATTACHMENTS == 1)
                        close(attached[n].fd);
        }
        attached_finish();
}

/* Each pair comes with the first byte of its own answer, whatever stands before it and however
 * little the socket takes at once. */
static void descriptors_come_with_their_answer(void) {
        static char line[1 << 18];
        static const struct {
                const char *method;
                bool with_fds;
        } rows[] = {{"ping", false},     {"attach", true}, {"attach", true},
                    {"describe", false}, {"attach", true}, {"describe", false},
                    {"ping", false},     {"attach", true}, {"version", false}};
        const unsigned int n_rows = sizeof(rows) / sizeof(rows[0]);
        char expected[32];
        int fd, fds[2];

        attached_begin();
        fd = fixture_connect(&attached_daemon);
        for (unsigned int i = 0; i < n_rows * 4; i++) {
                const char *method = rows[i % n_rows].method;
                char *request;

                ck_assert_int_gt(
                        asprintf(&request, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\"%s,\"id\":%u}\n",
                                 method, rows[i % n_rows].with_fds ? ",\"params\":[\"a\"]" : "", i),
                        0);
                fixture_say(fd, request);
                free(request);
        }
        ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){1}, sizeof(int)), 0);
        for (unsigned int i = 0; i < n_rows * 4; i++) {
                attached_hear(fd, line, sizeof(line), fds);
                snprintf(expected, sizeof(expected), "\"id\":%u}", i);
                ck_assert_msg(strstr(line, expected), "%u: %.100s", i, line);
                ck_assert_int_eq(fds[0] >= 0, rows[i % n_rows].with_fds);
                close_fd(fds[0]);
                close_fd(fds[1]);
        }
        close(fd);
        attached_finish();
}

/* Those who never read their answers leave nothing behind (the runner counts descriptors). */
static void descriptors_that_nobody_reads_are_closed(void) {
        enum { N_UNREAD = 40 };
        static const char describe[] = "{\"jsonrpc\":\"2.0\",\"method\":\"describe\",\"id\":1}\n";
        static char requests[(N_UNREAD + 2) * sizeof(describe)];
        int fd;

        attached_begin();
        fd = fixture_connect(&attached_daemon);
        fixture_say(fd,
                    "{\"jsonrpc\":\"2.0\",\"method\":\"attach\",\"params\":[\"a\"],\"id\":1}\n"
                    "{\"jsonrpc\":\"2.0\",\"method\":\"attach\",\"params\":[\"a\"],\"id\":1}\n");
        close(fd);
        fixture_turn(&attached_daemon);
        fd = fixture_connect(&attached_daemon);
        for (size_t i = 0; i < N_UNREAD; i++)
                memcpy(requests + i * strlen(describe), describe, strlen(describe));
        strcpy(requests + N_UNREAD * strlen(describe),
               "{\"jsonrpc\":\"2.0\",\"method\":\"attach\",\"params\":[\"a\"],\"id\":1}\n");
        fixture_say(fd, requests);
        fixture_turn(&attached_daemon);
        close(fd);
        attached_finish();
}

static void a_closed_handle_refuses(void) {
        struct attached attached;
        int fd;

        attached_begin();
        fd = fixture_connect(&attached_daemon);
        json_decref(fixture_call(&attached_daemon, fd, "create", "[\"made\"]"));
        attached = attached_new("[\"a\",\"made\",\"b\"]");
        ck_assert_int_eq(attached_send(&attached, 1), ATTACH_RING);
        fixture_turn(&attached_daemon);
        attached_expect_sends("made", 1, 1);
        json_decref(fixture_call(&attached_daemon, fd, "close", "[\"made\"]"));
        ck_assert_int_eq(attached_send(&attached, 1), ATTACH_REFUSED);
        /* Made again it is another one. */
        json_decref(fixture_call(&attached_daemon, fd, "create", "[\"made\"]"));
        ck_assert_int_eq(attached_send(&attached, 1), ATTACH_REFUSED);
        /* Who sends all the same reaches nobody. */
        atomic_store(&attached.memory->words[1], 2);
        atomic_store(&attached.memory->summary[0], UINT64_MAX);
        ck_assert_int_eq(attached_send(&attached, 2), ATTACH_RING);
        fixture_turn(&attached_daemon);
        attached_expect_sends("made", 0, 0);
        attached_expect_sends("b", 1, 1);
        attached_detach(&attached);
        close(fd);
        attached_finish();
}

/* Also what has no bit yet, because its sender died before he set it. */
static void the_end_of_the_connection_takes_what_is_pending(void) {
        struct attached attached;

        attached_begin();
        attached = attached_new("[\"a\",\"b\",\"c\"]");
        atomic_store(&attached.memory->words[0], 3 << ATTACH_SHIFT);
        (void)attach_send(attached.memory, 1, 2); /* nobody rings */
        attached_detach(&attached);
        fixture_turn(&attached_daemon);
        attached_expect_sends("a", 3, 1);
        attached_expect_sends("b", 2, 1);
        attached_expect_sends("c", 0, 0);
        attached_finish();
}

/* The half that speaks may be closed: the attachment lasts as long as the one that listens. */
static void a_half_closed_connection_keeps_its_attachments(void) {
        struct attached attached;

        attached_begin();
        attached = attached_new("[\"a\"]");
        ck_assert_int_eq(shutdown(attached.fd, SHUT_WR), 0);
        fixture_turn(&attached_daemon);
        attached_finish_with_a_send(&attached);
}

static void the_stop_takes_what_is_pending(void) {
        struct attached attached;

        attached_begin();
        attached = attached_new("[\"a\"]");
        (void)attach_send(attached.memory, 0, 5); /* nobody rings */
        control_shut_down(attached_daemon.control);
        fixture_turn(&attached_daemon);
        attached_expect_sends("a", 5, 1);
        /* What comes later stays where it is, for the next daemon. */
        ck_assert_int_ne(attached_send(&attached, 0), ATTACH_REFUSED);
        fixture_turn(&attached_daemon);
        attached_expect_sends("a", 5, 1);
        ck_assert_uint_eq(atomic_load(&attached.memory->words[0]), 1 << ATTACH_SHIFT);
        attached_detach(&attached);
        attached_finish();
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(the_memory_is_as_the_manual_has_it),
                TEST(nobody_can_change_its_length),
                TEST(many_sends_are_one_wake_and_counted),
                TEST(what_cannot_be_attached_is_refused),
                TEST(attach_is_a_request_by_itself),
                TEST(attachments_are_limited),
                TEST(descriptors_come_with_their_answer),
                TEST(descriptors_that_nobody_reads_are_closed),
                TEST(a_closed_handle_refuses),
                TEST(the_end_of_the_connection_takes_what_is_pending),
                TEST(a_half_closed_connection_keeps_its_attachments),
                TEST(the_stop_takes_what_is_pending),
                {0},
        };

        return test_main("attach", tests, argc, argv);
}
