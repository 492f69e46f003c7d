/*
 * Attachments with a real roused beside clients of the worst kind. These are processes of their
 * own, which play with the raw descriptors and may die at any time; they hurt themselves alone.
 */

#include "lib/rouse-client.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/attach-words.h"
#include "tests/attaching-fixture.h"
#include "tests/harness.h"
#include "tests/support.h"

/* The descriptors as they come from the daemon. */
static void attach_raw(int fds[2], struct attach_memory **ret, size_t *ret_size) {
        static const char request[] =
                "{\"jsonrpc\":\"2.0\",\"method\":\"attach\",\"params\":[[\"a\",\"b\"]],\"id\":1}\n";
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(2 * sizeof(int))];
        } control;
        char line[500];
        struct iovec iov = {line, sizeof(line)};
        struct msghdr header = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        int fd = roused_connect(&roused);

        test_expect(write(fd, request, strlen(request)) == (ssize_t)strlen(request));
        test_expect(recvmsg(fd, &header, 0) > 0 && CMSG_FIRSTHDR(&header));
        memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&header)), 2 * sizeof(int));
        *ret_size = attach_size(2);
        *ret = mmap(NULL, *ret_size, PROT_READ | PROT_WRITE, MAP_SHARED, fds[0], 0);
        test_expect(*ret != MAP_FAILED);
}

static void scribble(void) {
        struct attach_memory *memory;
        unsigned int seed = (unsigned int)getpid();
        size_t size;
        int fds[2];

        attach_raw(fds, &memory, &size);
        for (;;) {
                uint64_t n = seed % 5 ? 1 : UINT64_MAX - 1;

                for (size_t i = 0; i < size; i++)
                        ((volatile unsigned char *)memory)[i] = (unsigned char)rand_r(&seed);
                fcntl(fds[1], F_SETFL, seed & 8 ? O_NONBLOCK : 0);
                if (seed & 16 && (fcntl(fds[1], F_GETFL) & O_NONBLOCK))
                        (void)!read(fds[1], &(uint64_t){0}, 8);
                if (fcntl(fds[1], F_GETFL) & O_NONBLOCK)
                        (void)!write(fds[1], &n, sizeof(n));
                (void)!ftruncate(fds[0], 0);
        }
}

static void ring_for_ever(void) {
        struct attach_memory *memory;
        size_t size;
        int fds[2];

        attach_raw(fds, &memory, &size);
        for (;;)
                (void)!write(fds[1], &(uint64_t){1}, 8);
}

static void fill_the_words(void) {
        struct attach_memory *memory;
        size_t size;
        int fds[2];

        attach_raw(fds, &memory, &size);
        for (;;) {
                atomic_store(&memory->words[0], UINT64_MAX);
                atomic_store(&memory->summary[0], UINT64_MAX);
                (void)!write(fds[1], &(uint64_t){1}, 8);
        }
}

/* A good client goes on beside them, and they may die at any time. */
static void a_bad_client_hurts_itself_alone(void) {
        static void (*const bad[])(void) = {scribble, ring_for_ever, fill_the_words};
        static const char *const good[] = {"c"};
        rouse_attachment_t *attachment;
        rouse_client_t *client;
        uint64_t n_sent = 0;

        roused_start(&roused, "bad", abc_config);
        client = new_client();
        ck_assert_int_eq(rouse_client_attach(client, good, 1, PATIENCE_MS, &attachment), 0);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                pid_t pid;

                fflush(NULL);
                pid = fork();
                ck_assert_int_ge(pid, 0);
                if (pid == 0) {
                        prctl(PR_SET_PDEATHSIG, SIGKILL);
                        bad[i]();
                }
                for (int k = 0; k < 100; k++) {
                        rouse_client_wake_t wake;
                        uint64_t seq = 0;

                        if (n_sent > 0) {
                                ck_assert_int_eq(
                                        rouse_client_wait_after(client, "c", 0, PATIENCE_MS, &wake),
                                        0);
                                seq = wake.seq;
                        }
                        ck_assert_int_eq(rouse_attachment_send(attachment, 0), 0);
                        n_sent++;
                        ck_assert_int_eq(
                                rouse_client_wait_after(client, "c", seq, PATIENCE_MS, &wake), 0);
                }
                ck_assert_int_eq(kill(pid, SIGKILL), 0);
                ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        }
        expect_sends("c", n_sent);
        rouse_attachment_detach(attachment);
        rouse_client_free(client);
        roused_stop(&roused);
}

static void what_a_dead_client_sent_counts(void) {
        int status;
        pid_t pid;

        roused_start(&roused, "dead", abc_config);
        fflush(NULL);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                rouse_attachment_t *attachment = attach(new_client());

                kill(roused.pid, SIGSTOP);
                for (int i = 0; i < 9; i++)
                        test_expect(rouse_attachment_send(attachment, 1) == 0);
                raise(SIGKILL);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status));
        roused_thaw(&roused);
        expect_sends("b", 9);
        roused_stop(&roused);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(a_bad_client_hurts_itself_alone),
                TEST(what_a_dead_client_sent_counts),
                {0},
        };

        return test_main("attach-roused-hostile", tests, argc, argv);
}
