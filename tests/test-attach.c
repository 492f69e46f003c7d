/*
 * attach, seen by a client that the test plays with the raw descriptors: one that keeps the
 * protocol, and ones that do not. The memory is looked at as protocol.md has it, at its offsets.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/conf-error.h"
#include "daemon/configuration.h"
#include "daemon/control.h"
#include "daemon/handle.h"
#include "daemon/limits.h"
#include "daemon/registry-setup.h"
#include "daemon/registry.h"
#include "lib/attach-words.h"
#include "lib/cleanup.h"
#include "tests/control-fixture.h"
#include "tests/support.h"

static struct daemon daemon_;

static const char yaml[] = "handles:\n"
                           "  a: {}\n"
                           "  b: {}\n"
                           "  c: {}\n"
                           "  ours: {access: {send: [root]}}\n"
                           "access: {read: '*', send: '*', admin: [root]}\n";

/* What a client gets. */
struct attached {
        int fd; /* its connection */
        int memory_fd, bell_fd;
        struct attach_memory *memory;
        size_t size;
};

/* A line as it comes, and the descriptors that come with its first byte; -1: none. */
static void hear_with_fds(int fd, char *line, size_t size, int fds[2]) {
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(2 * sizeof(int))];
        } control;
        size_t n = 0;

        fds[0] = fds[1] = -1;
        do {
                struct iovec iov = {line + n, 1};
                struct msghdr header = {
                        .msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = &control,
                        .msg_controllen = sizeof(control),
                };
                struct cmsghdr *rights;

                for (int i = 0; i < 1000; i++) {
                        fixture_turn(&daemon_);
                        if (recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) == 1)
                                break;
                        ck_assert_int_eq(errno, EAGAIN);
                        ck_assert_int_lt(i, 999);
                }
                rights = CMSG_FIRSTHDR(&header);
                if (rights) {
                        ck_assert_uint_eq(n, 0);
                        ck_assert_uint_eq(rights->cmsg_len, CMSG_LEN(2 * sizeof(int)));
                        memcpy(fds, CMSG_DATA(rights), 2 * sizeof(int));
                }
        } while (line[n++] != '\n' && n < size);
        line[n - 1] = 0;
}

static void map(struct attached *attached) {
        struct stat st;

        ck_assert_int_eq(fstat(attached->memory_fd, &st), 0);
        attached->size = (size_t)st.st_size;
        attached->memory = mmap(NULL, attached->size, PROT_READ | PROT_WRITE, MAP_SHARED,
                                attached->memory_fd, 0);
        ck_assert_ptr_ne(attached->memory, MAP_FAILED);
}

static struct attached attach_on(int fd, const char *names) {
        struct attached attached = {.fd = fd};
        char *request, line[1000];
        int fds[2];

        ck_assert_int_gt(asprintf(&request,
                                  "{\"jsonrpc\":\"2.0\",\"method\":\"attach\",\"params\":"
                                  "{\"names\":%s},\"id\":1}\n",
                                  names),
                         0);
        fixture_say(fd, request);
        free(request);
        hear_with_fds(fd, line, sizeof(line), fds);
        ck_assert_msg(fds[0] >= 0 && fds[1] >= 0, "%s", line);
        ck_assert_ptr_nonnull(strstr(line, "{\"version\":1,\"handles\":"));
        attached.memory_fd = fds[0];
        attached.bell_fd = fds[1];
        map(&attached);
        return attached;
}

static struct attached attach(const char *names) {
        return attach_on(fixture_connect(&daemon_), names);
}

/* Leaves the connection open. */
static void let_go(struct attached *attached) {
        munmap(attached->memory, attached->size);
        attached->memory_fd = close_fd(attached->memory_fd);
        attached->bell_fd = close_fd(attached->bell_fd);
}

static void detach(struct attached *attached) {
        let_go(attached);
        attached->fd = close_fd(attached->fd);
}

static void ring(const struct attached *attached, uint64_t n) {
        ck_assert_int_eq(write(attached->bell_fd, &n, sizeof(n)), sizeof(n));
}

/* As a client that keeps the protocol. */
static enum attach_sent send_to(const struct attached *attached, size_t i) {
        enum attach_sent sent = attach_send(attached->memory, i, 1);

        if (sent == ATTACH_RING)
                ring(attached, 1);
        return sent;
}

static void expect_sends(const char *name, uint64_t sends, uint64_t wakes) {
        struct handle_stats stats;

        handle_get_stats(fixture_handle(&daemon_, name), &stats);
        ck_assert_uint_eq(stats.sends, sends);
        ck_assert_uint_eq(stats.wakes, wakes);
}

static void begin(void) {
        fixture_set_peer(0);
        fixture_init(&daemon_, yaml);
}

static void finish(void) {
        fixture_deinit(&daemon_);
}

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

        begin();
        attached = attach("[\"a\",\"b\",\"c\"]");
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
        ring(&attached, 1);
        fixture_turn(&daemon_);
        expect_sends("a", 1, 1);
        expect_sends("b", 0, 0);
        expect_sends("c", 2, 1);
        ck_assert_uint_eq(u32_at(&attached, 64), 1);
        ck_assert_uint_eq(u64_at(&attached, 128), 0);
        ck_assert_uint_eq(u64_at(&attached, 256 + 2 * 8), 0);
        detach(&attached);
        finish();
}

static void nobody_can_change_its_length(void) {
        const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
        struct attached attached;

        begin();
        attached = attach("[\"a\"]");
        ck_assert_int_eq(fcntl(attached.memory_fd, F_GET_SEALS) & seals, seals);
        ck_assert_int_eq(ftruncate(attached.memory_fd, 0), -1);
        ck_assert_int_eq(ftruncate(attached.memory_fd, 1 << 20), -1);
        ck_assert_int_eq(fcntl(attached.memory_fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), -1);
        /* What can be done is to take the pages away: then there are new ones. */
        ck_assert_int_eq(fallocate(attached.memory_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                   0, (off_t)attached.size),
                         0);
        ring(&attached, 1);
        fixture_turn(&daemon_);
        ck_assert_int_eq(send_to(&attached, 0), ATTACH_RING);
        fixture_turn(&daemon_);
        expect_sends("a", 1, 1);
        detach(&attached);
        finish();
}

static void many_sends_are_one_wake_and_counted(void) {
        struct attached attached;

        begin();
        attached = attach("[\"b\",\"a\",\"b\"]"); /* b twice: two words */
        for (unsigned int round = 1; round <= 3; round++) {
                for (int i = 0; i < 1000; i++)
                        ck_assert_int_ne(send_to(&attached, 1), ATTACH_REFUSED);
                for (int i = 0; i < 10; i++) {
                        ck_assert_int_ne(send_to(&attached, 0), ATTACH_REFUSED);
                        ck_assert_int_ne(send_to(&attached, 2), ATTACH_REFUSED);
                }
                fixture_turn(&daemon_);
                expect_sends("a", 1000 * round, round);
                expect_sends("b", 20 * round, round);
        }
        detach(&attached);
        finish();
}

/* Says the request, and expects an error with this reason and a text somewhere in it. */
static void expect_refusal(int fd, const char *names, const char *text) {
        char *params;
        json_t *error;
        _cleanup_free_ char *found = NULL;

        ck_assert_int_gt(asprintf(&params, "{\"names\":%s}", names), 0);
        error = fixture_fail(&daemon_, fd, "attach", params);
        found = json_dumps(error, JSON_COMPACT);
        ck_assert_msg(strstr(found, text), "%s instead of %s", found, text);
        json_decref(error);
        free(params);
}

static void what_cannot_be_attached_is_refused(void) {
        char names[6 * 1026], *p = names;
        int fd;

        begin();
        fd = fixture_connect(&daemon_);
        json_decref(fixture_call(&daemon_, fd, "create", "[\"gone\"]"));
        expect_refusal(fd, "[\"a\",\"nobody\"]",
                       "\"data\":{\"reason\":\"no_such_handle\",\"name\":\"nobody\"}");
        expect_refusal(fd, "[\"a b\"]", "bad_name");
        expect_refusal(fd, "[]", "missing_param");
        p += sprintf(p, "[");
        for (int i = 0; i < 1025; i++)
                p += sprintf(p, "%s\"a\"", i ? "," : "");
        sprintf(p, "]");
        expect_refusal(fd, names, "limit_reached");
        json_decref(fixture_call(&daemon_, fd, "close", "[\"b\"]"));
        expect_refusal(fd, "[\"b\"]", "\"reason\":\"closed\"");
        close(fd);
        fixture_set_peer(4711);
        fd = fixture_connect(&daemon_);
        expect_refusal(fd, "[\"a\",\"ours\"]",
                       "\"data\":{\"reason\":\"permission_denied\",\"name\":\"ours\"}");
        close(fd);
        finish();
}

/* In a batch there is no answer of its own, and to a notification none at all; the descriptors
 * would have nothing to go with. */
static void attach_is_a_request_by_itself(void) {
        int fd;

        begin();
        fd = fixture_connect(&daemon_);
        fixture_say(fd, "[{\"jsonrpc\":\"2.0\",\"method\":\"attach\",\"params\":[\"a\"],"
                        "\"id\":1}]\n"
                        "{\"jsonrpc\":\"2.0\",\"method\":\"attach\",\"params\":[\"a\"]}\n"
                        "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":2}\n");
        ck_assert_str_eq(fixture_hear(&daemon_, fd),
                         "[{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":"
                         "\"Invalid Request: attach must be a request by itself\"},\"id\":1}]");
        ck_assert_ptr_nonnull(strstr(fixture_hear(&daemon_, fd), "pong"));
        close(fd);
        finish();
}

static void attachments_are_limited(void) {
        struct attached attached[LIMIT_ATTACHMENTS_PER_UID];
        struct control_stats stats;
        unsigned int n = 0;
        int fd = -1;

        begin();
        fixture_set_peer(4711);
        for (; n < LIMIT_ATTACHMENTS_PER_UID; n++) {
                if (n % LIMIT_ATTACHMENTS == 0)
                        fd = fixture_connect(&daemon_);
                attached[n] = attach_on(fd, "[\"a\"]");
                if (n % LIMIT_ATTACHMENTS == LIMIT_ATTACHMENTS - 1)
                        expect_refusal(fd, "[\"a\"]", "This connection has as many");
        }
        control_get_stats(daemon_.control, &stats);
        ck_assert_uint_eq(stats.attachments, n);
        fd = fixture_connect(&daemon_);
        expect_refusal(fd, "[\"a\"]", "This user has as many");
        close(fd);
        fixture_set_peer(0);
        fd = fixture_connect(&daemon_);
        attached[0].fd = -1;
        let_go(&attached[0]);
        attached[0] = attach_on(fd, "[\"a\"]");
        close(fd);
        while (n-- > 0) {
                let_go(&attached[n]);
                if (n > 0 && n % LIMIT_ATTACHMENTS == 1)
                        close(attached[n].fd);
        }
        finish();
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

        begin();
        fd = fixture_connect(&daemon_);
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
                hear_with_fds(fd, line, sizeof(line), fds);
                snprintf(expected, sizeof(expected), "\"id\":%u}", i);
                ck_assert_msg(strstr(line, expected), "%u: %.100s", i, line);
                ck_assert_int_eq(fds[0] >= 0, rows[i % n_rows].with_fds);
                close_fd(fds[0]);
                close_fd(fds[1]);
        }
        close(fd);
        finish();
}

/* Those who never read their answers leave nothing behind (the runner counts descriptors). */
static void descriptors_that_nobody_reads_are_closed(void) {
        enum { N_UNREAD = 40 };
        static const char describe[] = "{\"jsonrpc\":\"2.0\",\"method\":\"describe\",\"id\":1}\n";
        static char requests[(N_UNREAD + 2) * sizeof(describe)];
        int fd;

        begin();
        fd = fixture_connect(&daemon_);
        fixture_say(fd,
                    "{\"jsonrpc\":\"2.0\",\"method\":\"attach\",\"params\":[\"a\"],\"id\":1}\n"
                    "{\"jsonrpc\":\"2.0\",\"method\":\"attach\",\"params\":[\"a\"],\"id\":1}\n");
        close(fd);
        fixture_turn(&daemon_);
        fd = fixture_connect(&daemon_);
        for (size_t i = 0; i < N_UNREAD; i++)
                memcpy(requests + i * strlen(describe), describe, strlen(describe));
        strcpy(requests + N_UNREAD * strlen(describe),
               "{\"jsonrpc\":\"2.0\",\"method\":\"attach\",\"params\":[\"a\"],\"id\":1}\n");
        fixture_say(fd, requests);
        fixture_turn(&daemon_);
        close(fd);
        finish();
}

static void a_closed_handle_refuses(void) {
        struct attached attached;
        int fd;

        begin();
        fd = fixture_connect(&daemon_);
        json_decref(fixture_call(&daemon_, fd, "create", "[\"made\"]"));
        attached = attach("[\"a\",\"made\",\"b\"]");
        ck_assert_int_eq(send_to(&attached, 1), ATTACH_RING);
        fixture_turn(&daemon_);
        expect_sends("made", 1, 1);
        json_decref(fixture_call(&daemon_, fd, "close", "[\"made\"]"));
        ck_assert_int_eq(send_to(&attached, 1), ATTACH_REFUSED);
        /* Made again it is another one. */
        json_decref(fixture_call(&daemon_, fd, "create", "[\"made\"]"));
        ck_assert_int_eq(send_to(&attached, 1), ATTACH_REFUSED);
        /* Who sends all the same reaches nobody. */
        atomic_store(&attached.memory->words[1], 2);
        atomic_store(&attached.memory->summary[0], UINT64_MAX);
        ck_assert_int_eq(send_to(&attached, 2), ATTACH_RING);
        fixture_turn(&daemon_);
        expect_sends("made", 0, 0);
        expect_sends("b", 1, 1);
        detach(&attached);
        close(fd);
        finish();
}

/* Also what has no bit yet, because its sender died before he set it. */
static void the_end_of_the_connection_takes_what_is_pending(void) {
        struct attached attached;

        begin();
        attached = attach("[\"a\",\"b\",\"c\"]");
        atomic_store(&attached.memory->words[0], 3 << ATTACH_SHIFT);
        (void)attach_send(attached.memory, 1, 2); /* nobody rings */
        detach(&attached);
        fixture_turn(&daemon_);
        expect_sends("a", 3, 1);
        expect_sends("b", 2, 1);
        expect_sends("c", 0, 0);
        finish();
}

/* The half that speaks may be closed: the attachment lasts as long as the one that listens. */
static void a_half_closed_connection_keeps_its_attachments(void) {
        struct attached attached;

        begin();
        attached = attach("[\"a\"]");
        ck_assert_int_eq(shutdown(attached.fd, SHUT_WR), 0);
        fixture_turn(&daemon_);
        ck_assert_int_eq(send_to(&attached, 0), ATTACH_RING);
        fixture_turn(&daemon_);
        expect_sends("a", 1, 1);
        detach(&attached);
        finish();
}

static void the_stop_takes_what_is_pending(void) {
        struct attached attached;

        begin();
        attached = attach("[\"a\"]");
        (void)attach_send(attached.memory, 0, 5); /* nobody rings */
        control_shut_down(daemon_.control);
        fixture_turn(&daemon_);
        expect_sends("a", 5, 1);
        /* What comes later stays where it is, for the next daemon. */
        ck_assert_int_ne(send_to(&attached, 0), ATTACH_REFUSED);
        fixture_turn(&daemon_);
        expect_sends("a", 5, 1);
        ck_assert_uint_eq(atomic_load(&attached.memory->words[0]), 1 << ATTACH_SHIFT);
        detach(&attached);
        finish();
}

static void apply(const char *text) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct registry_changes changes = {0};
        struct configuration *configuration;

        ck_assert_int_eq(
                configuration_parse("next.yaml", text, strlen(text), &errors, &configuration), 0);
        conf_errors_deinit(&errors);
        control_take_attached(daemon_.control);
        ck_assert_int_eq(registry_apply(daemon_.registry, configuration, &changes), 0);
        registry_changes_deinit(&changes);
        configuration_unref(daemon_.configuration);
        daemon_.configuration = configuration;
        control_check_attached(daemon_.control);
        fixture_turn(&daemon_);
}

/* a stays, b may not be sent to any more, c is gone, after what was sent to it is delivered. */
static void a_reload_leaves_what_stays_and_closes_the_rest(void) {
        struct attached attached;
        uint64_t n_sends;
        struct handle_stats stats;

        begin();
        fixture_set_peer(4711);
        attached = attach("[\"a\",\"b\",\"c\"]");
        for (size_t i = 0; i < 3; i++)
                (void)attach_send(attached.memory, i, 4);
        apply("handles:\n"
              "  a: {quiet: 1ms}\n"
              "  b: {access: {send: [root]}}\n"
              "access: {read: '*', send: '*', admin: [root]}\n");
        ck_assert_ptr_null(registry_find(daemon_.registry, "c"));
        registry_get_stats(daemon_.registry, &stats);
        n_sends = stats.sends;
        ck_assert_uint_eq(n_sends, 12);
        ck_assert_int_ne(send_to(&attached, 0), ATTACH_REFUSED);
        ck_assert_int_eq(send_to(&attached, 1), ATTACH_REFUSED);
        ck_assert_int_eq(send_to(&attached, 2), ATTACH_REFUSED);
        ring(&attached, 1);
        fixture_turn(&daemon_);
        fixture_turn(&daemon_);
        expect_sends("b", 4, 1);
        registry_get_stats(daemon_.registry, &stats);
        ck_assert_uint_eq(stats.sends, 13);
        detach(&attached);
        finish();
}

/* Those who do not keep the protocol. */

static void a_garbage_count_is_bounded(void) {
        struct attached attached;

        begin();
        attached = attach("[\"a\",\"b\"]");
        json_decref(fixture_ask(&daemon_, "pause", "[\"b\"]"));
        for (uint64_t i = 1; i <= 5; i++) {
                atomic_store(&attached.memory->words[0], UINT64_MAX);
                atomic_store(&attached.memory->words[1], UINT64_MAX);
                atomic_store(&attached.memory->summary[0], 3);
                ring(&attached, 1);
                fixture_turn(&daemon_);
                expect_sends("a", i << 32, i);
        }
        ck_assert_uint_eq(handle_pending(fixture_handle(&daemon_, "b")), UINT64_C(5) << 32);
        detach(&attached);
        finish();
}

static void scribbling_hurts_the_scribbler_alone(void) {
        struct attached attached, other;
        struct handle_stats stats;
        unsigned int seed = 1;

        begin();
        attached = attach("[\"a\",\"b\"]");
        other = attach("[\"c\"]");
        for (int round = 0; round < 2000; round++) {
                unsigned char *bytes = (unsigned char *)attached.memory;

                for (size_t i = 0; i < attached.size; i++)
                        bytes[i] = (unsigned char)rand_r(&seed);
                if (round % 3 == 0)
                        ring(&attached, 1 + (uint64_t)rand_r(&seed));
                if (round % 5 == 0)
                        ck_assert_int_ne(send_to(&other, 0), ATTACH_REFUSED);
                uv_run(&daemon_.loop, UV_RUN_NOWAIT);
        }
        fixture_turn(&daemon_);
        handle_get_stats(fixture_handle(&daemon_, "c"), &stats);
        ck_assert_uint_eq(stats.sends, 400);
        expect_sends("ours", 0, 0);
        detach(&attached);
        detach(&other);
        finish();
}

/* It wakes the loop once for each ring; between the rings the loop sleeps. */
static void a_full_bell_is_emptied(void) {
        struct attached attached;

        begin();
        attached = attach("[\"a\"]");
        for (int i = 0; i < 3; i++) {
                ring(&attached, UINT64_MAX - 1);
                fixture_turn(&daemon_);
                ck_assert_int_ne(uv_backend_timeout(&daemon_.loop), 0);
                ck_assert_int_eq(read(attached.bell_fd, &(uint64_t){0}, sizeof(uint64_t)), -1);
        }
        ck_assert_int_eq(send_to(&attached, 0), ATTACH_RING);
        fixture_turn(&daemon_);
        expect_sends("a", 1, 1);
        detach(&attached);
        finish();
}

/* The loop finds the bell readable; before it comes to it, the client makes it block and empties
 * it. Were it read as other descriptors are, the daemon would wait for ever. */
static void on_first(uv_poll_t *poll, int status, int events) {
        struct attached *attached = poll->data;
        uint64_t n;

        ck_assert_int_eq(status, 0);
        ck_assert_int_ne(events & UV_READABLE, 0);
        uv_poll_stop(poll);
        ck_assert_int_eq(read(attached->bell_fd, &n, sizeof(n)), sizeof(n));
}

static void a_bell_that_blocks_and_is_empty_does_not_hold_the_daemon(void) {
        struct attached attached;
        uv_poll_t first;
        int first_fd;

        begin();
        attached = attach("[\"a\"]");
        first_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        ck_assert_int_eq(uv_poll_init(&daemon_.loop, &first, first_fd), 0);
        first.data = &attached;
        uv_poll_start(&first, UV_READABLE, on_first);
        uv_run(&daemon_.loop, UV_RUN_NOWAIT); /* polls for it from now on */
        /* The one that was ready first comes first. */
        ck_assert_int_eq(write(first_fd, &(uint64_t){1}, 8), 8);
        (void)attach_send(attached.memory, 0, 1);
        ring(&attached, 1);
        ck_assert_int_eq(fcntl(attached.bell_fd, F_SETFL, 0), 0);
        ck_assert_int_eq(fcntl(attached.bell_fd, F_GETFL) & O_NONBLOCK, 0);
        fixture_turn(&daemon_);
        expect_sends("a", 1, 1);
        uv_close((uv_handle_t *)&first, NULL);
        fixture_turn(&daemon_);
        close(first_fd);
        detach(&attached);
        finish();
}

/* A turn of the loop takes a few; nobody is forgotten. */
static void a_turn_is_bounded(void) {
        char *text = NULL, *names = NULL;
        size_t n_text, n_names, n_woken = 0;
        FILE *conf = open_memstream(&text, &n_text), *list = open_memstream(&names, &n_names);
        struct attached attached;
        char name[16];

        fprintf(conf, "handles:\n");
        for (unsigned int i = 0; i < ATTACH_WORDS_MAX; i++) {
                fprintf(conf, "  h%u: {}\n", i);
                fprintf(list, "%s\"h%u\"", i ? "," : "[", i);
        }
        fprintf(list, "]");
        fclose(conf);
        fclose(list);
        fixture_set_peer(0);
        fixture_init(&daemon_, text);
        attached = attach(names);
        ck_assert_uint_eq(attached.size, 256 + 1024 * 8);
        for (unsigned int i = 0; i < ATTACH_WORDS_MAX; i++)
                (void)attach_send(attached.memory, i, i + 1);
        ring(&attached, 1);
        uv_run(&daemon_.loop, UV_RUN_NOWAIT);
        for (unsigned int i = 0; i < ATTACH_WORDS_MAX; i++) {
                snprintf(name, sizeof(name), "h%u", i);
                n_woken += handle_seq(fixture_handle(&daemon_, name)) > 0;
        }
        ck_assert_uint_gt(n_woken, 0);
        ck_assert_uint_le(n_woken, 4 * 64);
        fixture_turn(&daemon_);
        for (unsigned int i = 0; i < ATTACH_WORDS_MAX; i++) {
                snprintf(name, sizeof(name), "h%u", i);
                expect_sends(name, i + 1, 1);
        }
        detach(&attached);
        finish();
        free(text);
        free(names);
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
                TEST(a_reload_leaves_what_stays_and_closes_the_rest),
                TEST(a_garbage_count_is_bounded),
                TEST(scribbling_hurts_the_scribbler_alone),
                TEST(a_full_bell_is_emptied),
                TEST(a_bell_that_blocks_and_is_empty_does_not_hold_the_daemon),
                TEST(a_turn_is_bounded),
                {0},
        };

        return test_main("attach", tests, argc, argv);
}
