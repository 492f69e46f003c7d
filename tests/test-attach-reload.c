/*
 * Reloads while a client is attached: what stays goes on, what goes refuses, and no send is lost
 * in between.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "daemon/conf-error.h"
#include "daemon/configuration.h"
#include "daemon/control.h"
#include "daemon/handle.h"
#include "daemon/registry-setup.h"
#include "daemon/registry.h"
#include "lib/attach-words.h"
#include "tests/attach-fixture.h"
#include "tests/support.h"

/* The reload up to the point from where it changes what is in force. */
static struct configuration *prepare(const char *text) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct configuration *configuration;

        ck_assert_int_eq(
                configuration_parse("next.yaml", text, strlen(text), &errors, &configuration), 0);
        conf_errors_deinit(&errors);
        control_take_attached(attached_daemon.control, configuration);
        return configuration;
}

static void apply(struct configuration *configuration) {
        struct registry_changes changes = {0};

        ck_assert_int_eq(registry_apply(attached_daemon.core.registry, configuration, &changes), 0);
        registry_changes_deinit(&changes);
        configuration_unref(attached_daemon.core.configuration);
        attached_daemon.core.configuration = configuration;
        control_check_attached(attached_daemon.control);
        fixture_turn(&attached_daemon);
}

/* a stays, b may not be sent to any more, c is gone, after what was sent to it is delivered. */
static void a_reload_leaves_what_stays_and_closes_the_rest(void) {
        struct attached attached;
        uint64_t n_sends;
        struct handle_stats stats;

        attached_begin();
        fixture_set_peer(4711);
        attached = attached_new("[\"a\",\"b\",\"c\"]");
        for (size_t i = 0; i < 3; i++)
                (void)attach_send(attached.memory, i, 4);
        apply(prepare("handles:\n"
                      "  a: {quiet: 1ms}\n"
                      "  b: {access: {send: [root]}}\n"
                      "access: {read: '*', send: '*', admin: [root]}\n"));
        ck_assert_ptr_null(registry_find(attached_daemon.core.registry, "c"));
        registry_get_stats(attached_daemon.core.registry, &stats);
        n_sends = stats.sends;
        ck_assert_uint_eq(n_sends, 12);
        ck_assert_int_ne(attached_send(&attached, 0), ATTACH_REFUSED);
        ck_assert_int_eq(attached_send(&attached, 1), ATTACH_REFUSED);
        ck_assert_int_eq(attached_send(&attached, 2), ATTACH_REFUSED);
        attached_ring(&attached, 1);
        fixture_turn(&attached_daemon);
        fixture_turn(&attached_daemon);
        attached_expect_sends("b", 4, 1);
        registry_get_stats(attached_daemon.core.registry, &stats);
        ck_assert_uint_eq(stats.sends, 13);
        attached_detach(&attached);
        attached_finish();
}

/* The client does not stop to send while the daemon reloads: what is accepted counts. */
static void what_is_accepted_during_a_reload_counts(void) {
        struct configuration *next;
        struct handle_stats stats;
        struct attached attached;
        uint64_t n_accepted = 0;

        attached_begin();
        fixture_set_peer(4711);
        attached = attached_new("[\"a\",\"b\",\"c\"]");
        next = prepare("handles:\n"
                       "  a: {}\n"
                       "  b: {access: {send: [root]}}\n"
                       "access: {read: '*', send: '*', admin: [root]}\n");
        for (size_t i = 0; i < 3; i++)
                for (int n = 0; n < 5; n++)
                        n_accepted += attached_send(&attached, i) != ATTACH_REFUSED;
        apply(next);
        fixture_turn(&attached_daemon);
        ck_assert_ptr_null(registry_find(attached_daemon.core.registry, "c"));
        attached_expect_sends("a", 5, 1);
        registry_get_stats(attached_daemon.core.registry, &stats);
        ck_assert_uint_eq(stats.sends, n_accepted);
        ck_assert_uint_eq(stats.wakes + stats.coalesced, n_accepted);
        ck_assert_int_eq(attached_send(&attached, 1), ATTACH_REFUSED);
        ck_assert_int_eq(attached_send(&attached, 2), ATTACH_REFUSED);
        attached_detach(&attached);
        attached_finish();
}

struct hammer {
        struct attached *attached;
        size_t word;
        atomic_bool has_begun;
        uint64_t n_accepted;
};

/* Sends until it is refused. */
static void *hammer(void *arg) {
        struct hammer *hammer = arg;

        while (attached_send(hammer->attached, hammer->word) != ATTACH_REFUSED) {
                hammer->n_accepted++;
                atomic_store(&hammer->has_begun, true);
        }
        return NULL;
}

static bool has_begun(void *arg) {
        return atomic_load(&((struct hammer *)arg)->has_begun);
}

/* The same with threads: b is taken from them each time, and c removed. */
static void reloads_lose_nothing(void) {
        enum { N_HAMMERS = 2, N_ROUNDS = 50 };
        static const char without[] = "handles:\n"
                                      "  a: {}\n"
                                      "  b: {access: {send: [root]}}\n"
                                      "access: {read: '*', send: '*', admin: [root]}\n",
                          with[] = "handles: {a: {}, b: {}, c: {}}\n"
                                   "access: {read: '*', send: '*', admin: [root]}\n";
        struct handle_stats stats;
        uint64_t n_accepted = 0;

        attached_begin();
        fixture_set_peer(4711);
        for (int round = 0; round < N_ROUNDS; round++) {
                struct attached attached = attached_new("[\"b\",\"c\"]");
                struct hammer hammers[N_HAMMERS];
                pthread_t threads[N_HAMMERS];

                for (size_t i = 0; i < N_HAMMERS; i++) {
                        hammers[i] = (struct hammer){.attached = &attached, .word = i};
                        ck_assert_int_eq(pthread_create(&threads[i], NULL, hammer, &hammers[i]), 0);
                }
                for (size_t i = 0; i < N_HAMMERS; i++)
                        ck_assert(test_until(has_begun, &hammers[i], test_slow_ms(20000)));
                apply(prepare(without));
                for (size_t i = 0; i < N_HAMMERS; i++) {
                        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
                        n_accepted += hammers[i].n_accepted;
                }
                fixture_turn(&attached_daemon);
                registry_get_stats(attached_daemon.core.registry, &stats);
                ck_assert_uint_eq(stats.sends, n_accepted);
                ck_assert_uint_eq(stats.wakes + stats.coalesced, n_accepted);
                attached_detach(&attached);
                apply(prepare(with));
        }
        attached_finish();
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(a_reload_leaves_what_stays_and_closes_the_rest),
                TEST(what_is_accepted_during_a_reload_counts),
                TEST(reloads_lose_nothing),
                {0},
        };

        return test_main("attach-reload", tests, argc, argv);
}
