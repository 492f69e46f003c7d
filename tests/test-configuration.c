/* The configuration as a whole: what it takes, look-up, equality. */
#include "daemon/configuration.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/access.h"
#include "daemon/action.h"
#include "daemon/peer.h"
#include "daemon/source.h"
#include "tests/configuration-fixture.h"
#include "tests/support.h"

static void nothing_is_a_configuration(void) {
        static const char *const texts[] = {
                "",
                "# nothing\n",
                "---\n",
                "~\n",
                "{}\n",
                "handles:\nworkers:\naccess:\n",
                "handles: {}\nworkers: {}\naccess: {}\n",
                "workers: {a: , b: []}\n",
        };

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                struct configuration *configuration = conf_test_parse_good(texts[i]);

                ck_assert_uint_eq(configuration->n_handles, 0);
                ck_assert_ptr_nonnull(configuration->access);
                ck_assert_ptr_null(configuration_find_handle(configuration, "a"));
                ck_assert_ptr_null(configuration_find_worker(configuration, "c"));
                ck_assert_ptr_null(configuration_unref(configuration));
        }
}

static void everything_is_read(void) {
        static const char text[] = "handles:\n"
                                   "  reindex:\n"
                                   "    description: Rebuild the search index\n"
                                   "    started: true\n"
                                   "    run: [/usr/local/bin/reindex, --all]\n"
                                   "    timeout: 10min\n"
                                   "    kill_after: 5s\n"
                                   "    access: {send: [root]}\n"
                                   "  reload-nginx:\n"
                                   "    signal: {pidfile: /run/nginx.pid, signal: HUP}\n"
                                   "  deploy:\n"
                                   "    send: [reindex, reload-nginx]\n"
                                   "  heartbeat:\n"
                                   "workers:\n"
                                   "  files:\n"
                                   "    - watch: /etc/nginx/conf.d\n"
                                   "      send: reload-nginx\n"
                                   "  inputs:\n"
                                   "    - signal: USR1\n"
                                   "      send: deploy\n"
                                   "    - fifo: /run/roused/in\n"
                                   "access:\n"
                                   "  read: [root]\n";
        struct configuration *configuration = conf_test_parse_good(text);
        const struct handle_conf *handle;
        const struct worker_conf *worker;

        ck_assert_uint_eq(configuration->n_handles, 4);
        ck_assert_uint_eq(configuration->n_workers, 2);

        handle = configuration_find_handle(configuration, "reindex");
        ck_assert_ptr_eq(handle, &configuration->handles[0]);
        ck_assert_str_eq(handle->name, "reindex");
        ck_assert_str_eq(handle->description, "Rebuild the search index");
        ck_assert(handle->started);
        ck_assert_str_eq(handle->action->kind->key, "run");
        ck_assert_ptr_nonnull(handle->access);

        handle = configuration_find_handle(configuration, "reload-nginx");
        ck_assert_str_eq(handle->action->kind->key, "signal");
        ck_assert_ptr_null(handle->description);
        ck_assert_ptr_null(handle->access);
        ck_assert(!handle->started);

        handle = configuration_find_handle(configuration, "deploy");
        ck_assert_str_eq(handle->action->kind->targets(handle->action)[1], "reload-nginx");
        ck_assert_ptr_null(configuration_find_handle(configuration, "heartbeat")->action);
        ck_assert_ptr_null(configuration_find_handle(configuration, "Heartbeat"));

        worker = configuration_find_worker(configuration, "inputs");
        ck_assert_uint_eq(worker->n_sources, 2);
        ck_assert_str_eq(worker->sources[0]->target, "deploy");
        ck_assert_str_eq(worker->sources[0]->place, "t:19");
        ck_assert_str_eq(worker->sources[1]->kind->key, "fifo");
        ck_assert_ptr_null(worker->sources[1]->target);
        configuration_unref(configuration);
}

static void rights_that_are_not_given_keep_their_defaults(void) {
        struct configuration *configuration = conf_test_parse_good("access: {admin: [4711]}\n");
        struct peer stranger = {.pid = 1, .uid = 815, .gid = 815};
        struct peer admin = {.pid = 1, .uid = 4711, .gid = 815};

        ck_assert(access_allows(configuration->access, NULL, &stranger, ACCESS_READ));
        ck_assert(!access_allows(configuration->access, NULL, &stranger, ACCESS_SEND));
        ck_assert(!access_allows(configuration->access, NULL, &stranger, ACCESS_ADMIN));
        ck_assert(access_allows(configuration->access, NULL, &admin, ACCESS_ADMIN));
        configuration_unref(configuration);
}

static void handles_are_equal_if_they_say_the_same(void) {
        static const char base[] = "handles: {a: {description: d, started: true, run: [x, y], "
                                   "timeout: 5, access: {send: root}}}";
        static const char *const same[] = {
                "handles:\n  a:\n    run: [x, 'y']\n    started: true\n    access:\n      send: "
                "[root]\n    description: d\n    timeout: 5000ms\n",
        };
        static const char *const other[] = {
                "handles: {a: {started: true, run: [x, y], timeout: 5, access: {send: root}}}",
                "handles: {a: {description: e, started: true, run: [x, y], timeout: 5, access: "
                "{send: root}}}",
                "handles: {a: {description: d, run: [x, y], timeout: 5, access: {send: root}}}",
                "handles: {a: {description: d, started: true, run: [x], timeout: 5, access: {send: "
                "root}}}",
                "handles: {a: {description: d, started: true, run: [x, y], timeout: 6, access: "
                "{send: root}}}",
                "handles: {a: {description: d, started: true, access: {send: root}}}",
                "handles: {a: {description: d, started: true, send: b, access: {send: root}}, b: }",
                "handles: {a: {description: d, started: true, run: [x, y], timeout: 5}}",
                "handles: {a: {description: d, started: true, run: [x, y], timeout: 5, access: "
                "{read: root}}}",
                "handles: {b: {description: d, started: true, run: [x, y], timeout: 5, access: "
                "{send: root}}}",
        };
        struct configuration *first = conf_test_parse_good(base), *second;

        for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
                second = conf_test_parse_good(same[i]);
                ck_assert(handle_conf_equal(&first->handles[0], &second->handles[0]));
                configuration_unref(second);
        }
        for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
                second = conf_test_parse_good(other[i]);
                ck_assert_msg(!handle_conf_equal(&first->handles[0], &second->handles[0]), "%s",
                              other[i]);
                ck_assert(!handle_conf_equal(&second->handles[0], &first->handles[0]));
                configuration_unref(second);
        }
        configuration_unref(first);
}

static void sources_are_equal_if_they_say_the_same(void) {
        static const char base[] = "handles: {a: , b: }\n"
                                   "workers: {w: [{every: 60, send: a}]}";
        static const struct {
                const char *text;
                bool equal;
        } rows[] = {
                {"handles: {b: , a: }\n\n\nworkers: {v: [{send: a, every: 1min}, {fifo: /x}]}",
                 true}, /* other lines, other neighbours */
                {"handles: {a: , b: }\nworkers: {w: [{every: 61, send: a}]}", false},
                {"handles: {a: , b: }\nworkers: {w: [{every: 60, send: b}]}", false},
                {"handles: {a: , b: }\nworkers: {w: [{fifo: /x}]}", false},
                {"handles: {a: , b: }\nworkers: {w: [{signal: USR1, send: a}]}", false},
        };
        struct configuration *first = conf_test_parse_good(base), *second;

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                second = conf_test_parse_good(rows[i].text);
                ck_assert_msg(source_conf_equal(first->workers[0]->sources[0],
                                                second->workers[0]->sources[0]) == rows[i].equal,
                              "%s", rows[i].text);
                configuration_unref(second);
        }
        configuration_unref(first);
}

static void references_are_counted(void) {
        struct configuration *configuration = conf_test_parse_good("handles: {a: }");

        ck_assert_ptr_eq(configuration_ref(configuration), configuration);
        ck_assert_ptr_null(configuration_unref(configuration));
        ck_assert_ptr_nonnull(configuration_find_handle(configuration, "a"));
        ck_assert_ptr_null(configuration_unref(configuration));
        ck_assert_ptr_null(configuration_unref(NULL));
}

static void note_key(void *arg, const char *section, const char *key) {
        fprintf(arg, "%s.%s ", section, key);
}

static void all_keys_are_told(void) {
        char *text = NULL;
        size_t n_text;
        FILE *stream = open_memstream(&text, &n_text);

        configuration_each_key(note_key, stream);
        fclose(stream);
        ck_assert_str_eq(
                text,
                "top.handles top.workers top.groups top.access handle.description handle.started "
                "handle.access handle.quiet handle.max_wait handle.leading "
                "handle.min_interval handle.jitter handle.on_busy handle.retry handle.group "
                "handle.keys handle.run handle.timeout handle.kill_after handle.success_exit "
                "handle.env handle.cwd handle.user handle.umask handle.nice handle.rlimits "
                "handle.stdout handle.stderr handle.signal handle.send group.max worker.send "
                "worker.every worker.cron worker.watch worker.recursive worker.signal worker.fifo "
                "worker.mode access.read access.send access.admin ");
        free(text);
}

static const struct test tests[] = {
        TEST(nothing_is_a_configuration),
        TEST(everything_is_read),
        TEST(rights_that_are_not_given_keep_their_defaults),
        TEST(handles_are_equal_if_they_say_the_same),
        TEST(sources_are_equal_if_they_say_the_same),
        TEST(references_are_counted),
        TEST(all_keys_are_told),
        {0},
};

int main(int argc, char **argv) {
        return test_main("configuration", tests, argc, argv);
}
