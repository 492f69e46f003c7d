/* The mailbox: every letter once, in order, from many threads, and what happens when it is full. */

#include "daemon/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/limits.h"
#include "daemon/outlet.h"
#include "tests/support.h"

#define N_THREADS 4
#define N_LETTERS 20000

static uv_loop_t loop;
static rouse_hub_t *hub;
static struct mailbox *mailbox;
static rouse_async_t *keeper; /* keeps the loop going */

struct letter {
        rouse_async_t *async;
        char name[256], key[LIMIT_KEY_BYTES];
        size_t n_key;
};

static struct letter last;
static unsigned int n_letters;

static void keep(void *arg, rouse_async_t *async, const char *name, const char *key, size_t n_key) {
        (void)arg;
        last.async = async;
        snprintf(last.name, sizeof(last.name), "%s", name ?: "");
        last.n_key = n_key;
        if (n_key)
                memcpy(last.key, key, n_key);
        n_letters++;
}

static void set_up(mailbox_cb cb) {
        ck_assert_int_eq(uv_loop_init(&loop), 0);
        ck_assert_int_eq(rouse_hub_create(&loop, &hub), 0);
        ck_assert_int_eq(rouse_async_create(hub, NULL, NULL, NULL, &keeper), 0);
        ck_assert_int_eq(rouse_async_start(keeper), 0);
        ck_assert_int_eq(mailbox_new(hub, cb, NULL, &mailbox), 0);
}

static void tear_down(void) {
        mailbox = mailbox_free(mailbox);
        rouse_async_release(keeper);
        ck_assert_int_eq(rouse_hub_close(hub, NULL, NULL), 0);
        ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
        ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static void post(const char *name, const char *key) {
        ck_assert_int_eq(mailbox_post(mailbox, NULL, name, key, key ? strlen(key) : 0), 0);
}

static void letters_arrive_from_the_loop(void) {
        set_up(keep);
        post("reindex", NULL);
        ck_assert_uint_eq(n_letters, 0);
        uv_run(&loop, UV_RUN_NOWAIT);
        ck_assert_uint_eq(n_letters, 1);
        ck_assert_ptr_null(last.async);
        ck_assert_str_eq(last.name, "reindex");
        ck_assert_uint_eq(last.n_key, 0);
        post("deploy", "path/a");
        post("", "\n");
        post("deploy", "path/b");
        uv_run(&loop, UV_RUN_NOWAIT);
        ck_assert_uint_eq(n_letters, 4);
        ck_assert_str_eq(last.name, "deploy");
        ck_assert_uint_eq(last.n_key, 6);
        ck_assert_mem_eq(last.key, "path/b", 6);
        uv_run(&loop, UV_RUN_NOWAIT);
        ck_assert_uint_eq(n_letters, 4);
        tear_down();
}

static void delivery_need_not_wait_for_the_loop(void) {
        set_up(keep);
        post("a", NULL);
        post("b", NULL);
        mailbox_deliver(mailbox);
        ck_assert_uint_eq(n_letters, 2);
        mailbox_deliver(mailbox);
        uv_run(&loop, UV_RUN_NOWAIT);
        ck_assert_uint_eq(n_letters, 2);
        tear_down();
}

static void lengths_have_limits(void) {
        static char name[257], key[LIMIT_KEY_BYTES + 1];

        set_up(keep);
        memset(name, 'n', 256);
        memset(key, 'k', sizeof(key));
        ck_assert_int_eq(mailbox_post(mailbox, NULL, name, NULL, 0), -EINVAL);
        ck_assert_int_eq(mailbox_post(mailbox, NULL, "a", key, sizeof(key)), -EINVAL);
        name[255] = '\0';
        ck_assert_int_eq(mailbox_post(mailbox, NULL, name, key, sizeof(key) - 1), 0);
        mailbox_deliver(mailbox);
        ck_assert_uint_eq(n_letters, 1);
        ck_assert_str_eq(last.name, name);
        ck_assert_uint_eq(last.n_key, LIMIT_KEY_BYTES);
        ck_assert_mem_eq(last.key, key, LIMIT_KEY_BYTES);
        tear_down();
}

static void an_addressed_handle_lives_as_long_as_its_letter(void) {
        rouse_async_t *async;

        set_up(keep);
        ck_assert_int_eq(rouse_async_create(hub, "target", NULL, &last, &async), 0);
        ck_assert_int_eq(mailbox_post(mailbox, async, NULL, "k", 1), 0);
        ck_assert_int_eq(rouse_async_close(async), 0);
        rouse_async_release(async);
        uv_run(&loop, UV_RUN_NOWAIT);
        ck_assert_uint_eq(n_letters, 1);
        ck_assert_ptr_eq(last.async, async);
        tear_down();
}

static void undelivered_letters_are_dropped_with_the_box(void) {
        rouse_async_t *async;

        set_up(keep);
        ck_assert_int_eq(rouse_async_create(hub, "target", NULL, NULL, &async), 0);
        ck_assert_int_eq(mailbox_post(mailbox, async, NULL, NULL, 0), 0);
        post("name", "key");
        rouse_async_release(async);
        tear_down();
        ck_assert_uint_eq(n_letters, 0);
}

static void full_is_said_and_passes(void) {
        static char key[LIMIT_KEY_BYTES];
        unsigned int n = 0;
        int r;

        set_up(keep);
        for (int round = 0; round < 3; round++) {
                n = n_letters = 0;
                while ((r = mailbox_post(mailbox, NULL, "n", key, sizeof(key))) == 0)
                        n++;
                ck_assert_int_eq(r, -EAGAIN);
                ck_assert_uint_gt(n, LIMIT_MAILBOX_BYTES / sizeof(key) * 9 / 10);
                ck_assert_uint_le(n, LIMIT_MAILBOX_BYTES / sizeof(key));
                uv_run(&loop, UV_RUN_NOWAIT);
                ck_assert_uint_eq(n_letters, n);
        }
        post("n", NULL);
        uv_run(&loop, UV_RUN_NOWAIT);
        ck_assert_uint_eq(n_letters, n + 1);
        tear_down();
}

static void post_again(void *arg, rouse_async_t *async, const char *name, const char *key,
                       size_t n_key) {
        keep(arg, async, name, key, n_key);
        if (n_letters < 10)
                post("again", NULL);
}

static void a_callback_may_post(void) {
        set_up(post_again);
        post("first", NULL);
        for (int i = 0; i < 20; i++)
                uv_run(&loop, UV_RUN_NOWAIT);
        ck_assert_uint_eq(n_letters, 10);
        tear_down();
}

static void free_the_box(void *arg, rouse_async_t *async, const char *name, const char *key,
                         size_t n_key) {
        keep(arg, async, name, key, n_key);
        if (n_letters == 2)
                mailbox = mailbox_free(mailbox);
}

static void a_callback_may_free_the_box(void) {
        set_up(free_the_box);
        for (int i = 0; i < 5; i++)
                post("letter", "key");
        uv_run(&loop, UV_RUN_NOWAIT);
        ck_assert_uint_eq(n_letters, 2);
        ck_assert_ptr_null(mailbox);
        tear_down();
}

struct poster {
        pthread_t thread;
        char name[16];
        unsigned int n_full;
        unsigned int next; /* the letter that the loop thread waits for */
};

static struct poster posters[N_THREADS];
static atomic_uint n_done;

static void check_order(void *arg, rouse_async_t *async, const char *name, const char *key,
                        size_t n_key) {
        struct poster *poster = &posters[name[0] - '0'];
        char expected[16];

        (void)arg;
        (void)async;
        snprintf(expected, sizeof(expected), "%u", poster->next++);
        ck_assert_uint_eq(n_key, strlen(expected));
        ck_assert_mem_eq(key, expected, n_key);
        n_letters++;
}

static void *post_many(void *arg) {
        struct poster *poster = arg;

        for (unsigned int i = 0; i < N_LETTERS; i++) {
                char key[16];
                int r;

                snprintf(key, sizeof(key), "%u", i);
                while ((r = mailbox_post(mailbox, NULL, poster->name, key, strlen(key))) ==
                       -EAGAIN) {
                        poster->n_full++;
                        sched_yield();
                }
                ck_assert_int_eq(r, 0);
        }
        /* relaxed: the join orders all else, this only ends the loop */
        atomic_fetch_add_explicit(&n_done, 1, memory_order_relaxed);
        return NULL;
}

static void threads_lose_nothing_and_keep_their_order(void) {
        set_up(check_order);
        for (int i = 0; i < N_THREADS; i++) {
                snprintf(posters[i].name, sizeof(posters[i].name), "%d", i);
                ck_assert_int_eq(pthread_create(&posters[i].thread, NULL, post_many, &posters[i]),
                                 0);
        }
        while (atomic_load_explicit(&n_done, memory_order_relaxed) < N_THREADS)
                uv_run(&loop, UV_RUN_NOWAIT);
        for (int i = 0; i < N_THREADS; i++)
                ck_assert_int_eq(pthread_join(posters[i].thread, NULL), 0);
        mailbox_deliver(mailbox);
        ck_assert_uint_eq(n_letters, N_THREADS * N_LETTERS);
        for (int i = 0; i < N_THREADS; i++)
                ck_assert_uint_eq(posters[i].next, N_LETTERS);
        tear_down();
}

static unsigned int n_wakes;

static void count(rouse_async_t *async, uint64_t n_sends) {
        (void)async;
        n_wakes += (unsigned int)n_sends;
}

static void outlets_send_straight_or_by_name(void) {
        static const char *const illegal[] = {"", "-a", "a b", "a\n", "\xc3\xa4", "a*"};
        struct outlet outlet = {0};
        rouse_async_t *async;

        set_up(keep);
        ck_assert_int_eq(rouse_async_create(hub, "target", count, NULL, &async), 0);
        outlet = (struct outlet){.async = async, .mailbox = mailbox};
        outlet_send(&outlet);
        outlet_send(&outlet);
        uv_run(&loop, UV_RUN_NOWAIT);
        ck_assert_uint_eq(n_wakes, 2);
        ck_assert_uint_eq(n_letters, 0);

        ck_assert_int_eq(outlet_send_named(&outlet, NULL, "key", 3), 0);
        uv_run(&loop, UV_RUN_NOWAIT);
        ck_assert_uint_eq(n_letters, 1);
        ck_assert_ptr_eq(last.async, async);

        ck_assert_int_eq(outlet_send_named(&outlet, "A.z_0-9:@/", NULL, 0), 0);
        for (size_t i = 0; i < sizeof(illegal) / sizeof(*illegal); i++)
                ck_assert_int_eq(outlet_send_named(&outlet, illegal[i], NULL, 0), -EINVAL);
        uv_run(&loop, UV_RUN_NOWAIT);
        ck_assert_uint_eq(n_letters, 2);
        ck_assert_ptr_null(last.async);
        ck_assert_str_eq(last.name, "A.z_0-9:@/");

        ck_assert_int_eq(rouse_async_close(async), 0);
        outlet_send(&outlet);
        uv_run(&loop, UV_RUN_NOWAIT);
        ck_assert_uint_eq(n_wakes, 2);
        rouse_async_release(async);
        tear_down();
}

static const struct test tests[] = {
        TEST(letters_arrive_from_the_loop),
        TEST(delivery_need_not_wait_for_the_loop),
        TEST(lengths_have_limits),
        TEST(an_addressed_handle_lives_as_long_as_its_letter),
        TEST(undelivered_letters_are_dropped_with_the_box),
        TEST(full_is_said_and_passes),
        TEST(a_callback_may_post),
        TEST(a_callback_may_free_the_box),
        TEST(threads_lose_nothing_and_keep_their_order),
        TEST(outlets_send_straight_or_by_name),
        {0},
};

int main(int argc, char **argv) {
        return test_main("mailbox", tests, argc, argv);
}
