/* Letters are kept as one text; a handle that one of them names is sent to, as the daemon does. */

#include "tests/worker-fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "daemon/conf-node.h"
#include "daemon/limits.h"
#include "lib/clock.h"
#include "tests/log-recorder.h"

bool was_logged(void *arg) {
        return log_recorder_has(arg);
}

uv_loop_t loop;
rouse_hub_t *hub;
struct mailbox *mailbox;
rouse_async_t *a, *b;
uint64_t n_a, n_b;
char *letters;
size_t n_letters;
void (*on_key)(const char *key, size_t n_key);
static size_t n_letter_bytes, n_letter_room;

static void on_wake(rouse_async_t *async, uint64_t n_sends) {
        *(uint64_t *)rouse_async_data(async) += n_sends;
}

static void on_letter(void *arg, rouse_async_t *async, const char *name, const char *key,
                      size_t n_key) {
        ck_assert_ptr_eq(arg, &n_letters);
        if (async) { /* a send with a key to the source's own target */
                ck_assert_ptr_null(name);
                if (on_key && async == a)
                        on_key(key, n_key);
                ck_assert_int_eq(rouse_async_send(async), 0);
                return;
        }
        if (n_letter_room - n_letter_bytes < LIMIT_KEY_BYTES + 300) {
                n_letter_room = 2 * n_letter_room + 2 * LIMIT_KEY_BYTES;
                letters = realloc(letters, n_letter_room);
                ck_assert_ptr_nonnull(letters);
        }
        n_letter_bytes +=
                (size_t)sprintf(letters + n_letter_bytes, "%s|%.*s\n", name, (int)n_key, key ?: "");
        n_letters++;
        async = rouse_hub_find(hub, name);
        if (async)
                ck_assert_int_eq(rouse_async_send(async), 0);
}

void make_handle(const char *name, uint64_t *counter, rouse_async_t **ret) {
        ck_assert_int_eq(rouse_async_create(hub, name, on_wake, counter, ret), 0);
}

void set_up(void) {
        ck_assert_int_eq(uv_loop_init(&loop), 0);
        ck_assert_int_eq(rouse_hub_create(&loop, &hub), 0);
        make_handle("a", &n_a, &a);
        make_handle("b", &n_b, &b);
        ck_assert_int_eq(rouse_async_start(a), 0);
        ck_assert_int_eq(mailbox_new(hub, on_letter, &n_letters, &mailbox), 0);
}

void tear_down(void) {
        mailbox = mailbox_free(mailbox);
        rouse_async_release(a);
        rouse_async_release(b);
        ck_assert_int_eq(rouse_hub_close(hub, NULL, NULL), 0);
        ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
        ck_assert_int_eq(uv_loop_close(&loop), 0);
        free(letters);
}

static rouse_async_t *resolve(void *arg, const char *name) {
        rouse_async_t *async = rouse_hub_find(arg, name);

        return async ? rouse_async_retain(async) : NULL;
}

struct configuration *configure_workers(const char *workers) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct configuration *configuration;
        static const char *file;
        char *text;
        int r;

        if (!file)
                file = test_path(
                        "test.yaml"); /* so relative paths are below the test's directory */

        ck_assert_int_gt(
                asprintf(&text, "handles: {a: {}, b: {}, gone: {}}\nworkers:\n%s", workers), 0);
        r = configuration_parse(file, text, strlen(text), &errors, &configuration);
        ck_assert_msg(r == 0, "%s\n%s", text, errors.n_items ? errors.items[0].message : "");
        conf_errors_deinit(&errors);
        free(text);
        return configuration;
}

struct configuration *configure(const char *sources) {
        struct configuration *configuration;
        char *text;

        ck_assert_int_gt(asprintf(&text, "  w:\n%s", sources), 0);
        configuration = configure_workers(text);
        ck_assert_uint_eq(configuration->n_workers, 1);
        free(text);
        return configuration;
}

int try_start(struct configuration *configuration, struct worker **ret) {
        return worker_new(configuration->workers[0], mailbox, resolve, hub, ret);
}

struct worker *start(struct configuration *configuration) {
        struct worker *worker;

        ck_assert_int_eq(try_start(configuration, &worker), 0);
        ck_assert_str_eq(worker_name(worker), configuration->workers[0]->name);
        return worker;
}

int try_change(struct worker *worker, struct configuration *configuration) {
        int r;

        r = worker_extend(worker, configuration->workers[0], resolve, hub);
        worker_prune(worker);
        return r;
}

void change(struct worker *worker, const char *sources) {
        struct configuration *configuration = configure(sources);

        ck_assert_int_eq(try_change(worker, configuration), 0);
        configuration_unref(configuration);
}

bool run_until(bool (*condition)(void *arg), void *arg) {
        uint64_t deadline_ns = clock_now_ns() + test_slow_ms(10000) * NS_PER_MS;

        while (!condition(arg)) {
                if (clock_now_ns() > deadline_ns)
                        return false;
                uv_run(&loop, UV_RUN_NOWAIT);
                nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
        }
        return true;
}

bool reached(void *arg) {
        const struct at_least *at_least = arg;

        return *at_least->count >= at_least->n;
}

bool letters_reached(void *arg) {
        return n_letters >= *(size_t *)arg;
}

void expect_letters(size_t n, const char *text) {
        ck_assert_msg(run_until(letters_reached, &n), "%zu letters, not %zu", n_letters, n);
        ck_assert_uint_eq(n_letters, n);
        ck_assert_str_eq(letters, text);
        n_letters = n_letter_bytes = 0;
}

void put(const char *path, const char *text, size_t n) {
        int fd = open(path, O_WRONLY | O_CLOEXEC);

        ok(fd);
        ck_assert_int_eq(write(fd, text, n), (ssize_t)n);
        close(fd);
}

void put_text(const char *path, const char *text) {
        put(path, text, strlen(text));
}
