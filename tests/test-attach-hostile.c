/* attach, against clients that do not keep the protocol: they hurt themselves alone. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/handle.h"
#include "lib/attach-words.h"
#include "tests/attach-fixture.h"
#include "tests/support.h"

static void a_garbage_count_is_bounded(void) {
        struct attached attached;

        attached_begin();
        attached = attached_new("[\"a\",\"b\"]");
        json_decref(fixture_ask(&attached_daemon, "pause", "[\"b\"]"));
        for (uint64_t i = 1; i <= 5; i++) {
                atomic_store(&attached.memory->words[0], UINT64_MAX);
                atomic_store(&attached.memory->words[1], UINT64_MAX);
                atomic_store(&attached.memory->summary[0], 3);
                attached_ring(&attached, 1);
                fixture_turn(&attached_daemon);
                attached_expect_sends("a", i << 32, i);
        }
        ck_assert_uint_eq(handle_pending(fixture_handle(&attached_daemon, "b")), UINT64_C(5) << 32);
        attached_detach(&attached);
        attached_finish();
}

static void scribbling_hurts_the_scribbler_alone(void) {
        struct attached attached, other;
        struct handle_stats stats;
        unsigned int seed = 1;

        attached_begin();
        attached = attached_new("[\"a\",\"b\"]");
        other = attached_new("[\"c\"]");
        for (int round = 0; round < 2000; round++) {
                unsigned char *bytes = (unsigned char *)attached.memory;

                for (size_t i = 0; i < attached.size; i++)
                        bytes[i] = (unsigned char)rand_r(&seed);
                if (round % 3 == 0)
                        attached_ring(&attached, 1 + (uint64_t)rand_r(&seed));
                if (round % 5 == 0)
                        ck_assert_int_ne(attached_send(&other, 0), ATTACH_REFUSED);
                uv_run(&attached_daemon.core.loop, UV_RUN_NOWAIT);
        }
        fixture_turn(&attached_daemon);
        handle_get_stats(fixture_handle(&attached_daemon, "c"), &stats);
        ck_assert_uint_eq(stats.sends, 400);
        attached_expect_sends("ours", 0, 0);
        attached_detach(&attached);
        attached_detach(&other);
        attached_finish();
}

/* It wakes the loop once for each ring; between the rings the loop sleeps. */
static void a_full_bell_is_emptied(void) {
        struct attached attached;

        attached_begin();
        attached = attached_new("[\"a\"]");
        for (int i = 0; i < 3; i++) {
                attached_ring(&attached, UINT64_MAX - 1);
                fixture_turn(&attached_daemon);
                ck_assert_int_ne(uv_backend_timeout(&attached_daemon.core.loop), 0);
                ck_assert_int_eq(read(attached.bell_fd, &(uint64_t){0}, sizeof(uint64_t)), -1);
        }
        attached_finish_with_a_send(&attached);
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

        attached_begin();
        attached = attached_new("[\"a\"]");
        first_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        ck_assert_int_eq(uv_poll_init(&attached_daemon.core.loop, &first, first_fd), 0);
        first.data = &attached;
        uv_poll_start(&first, UV_READABLE, on_first);
        uv_run(&attached_daemon.core.loop, UV_RUN_NOWAIT); /* polls for it from now on */
        /* The one that was ready first comes first. */
        ck_assert_int_eq(write(first_fd, &(uint64_t){1}, 8), 8);
        (void)attach_send(attached.memory, 0, 1);
        attached_ring(&attached, 1);
        ck_assert_int_eq(fcntl(attached.bell_fd, F_SETFL, 0), 0);
        ck_assert_int_eq(fcntl(attached.bell_fd, F_GETFL) & O_NONBLOCK, 0);
        fixture_turn(&attached_daemon);
        attached_expect_sends("a", 1, 1);
        uv_close((uv_handle_t *)&first, NULL);
        fixture_turn(&attached_daemon);
        close(first_fd);
        attached_detach(&attached);
        attached_finish();
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
        fixture_init(&attached_daemon, text);
        attached = attached_new(names);
        ck_assert_uint_eq(attached.size, 256 + 1024 * 8);
        for (unsigned int i = 0; i < ATTACH_WORDS_MAX; i++)
                (void)attach_send(attached.memory, i, i + 1);
        attached_ring(&attached, 1);
        uv_run(&attached_daemon.core.loop, UV_RUN_NOWAIT);
        for (unsigned int i = 0; i < ATTACH_WORDS_MAX; i++) {
                snprintf(name, sizeof(name), "h%u", i);
                n_woken += handle_seq(fixture_handle(&attached_daemon, name)) > 0;
        }
        ck_assert_uint_gt(n_woken, 0);
        ck_assert_uint_le(n_woken, 4 * 64);
        fixture_turn(&attached_daemon);
        for (unsigned int i = 0; i < ATTACH_WORDS_MAX; i++) {
                snprintf(name, sizeof(name), "h%u", i);
                attached_expect_sends(name, i + 1, 1);
        }
        attached_detach(&attached);
        attached_finish();
        free(text);
        free(names);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(a_garbage_count_is_bounded),
                TEST(scribbling_hurts_the_scribbler_alone),
                TEST(a_full_bell_is_emptied),
                TEST(a_bell_that_blocks_and_is_empty_does_not_hold_the_daemon),
                TEST(a_turn_is_bounded),
                {0},
        };

        return test_main("attach-hostile", tests, argc, argv);
}
