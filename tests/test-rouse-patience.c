/* How long the verbs of rouse wait for a daemon that does not answer. The linker sends their looks
 * for a line here, where the time is noted and made short. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/exit-code.h"
#include "cli/session.h"
#include "lib/deadline.h"
#include "lib/stream.h"
#include "tests/fake-roused.h"
#include "tests/support.h"

#define SHORT_MS 10

static int64_t waited_s;

int __real_rouse__stream_read_line(struct stream *stream, uint64_t deadline_ns, char **ret_line,
                                   size_t *ret_n);
int __wrap_rouse__stream_read_line(struct stream *stream, uint64_t deadline_ns, char **ret_line,
                                   size_t *ret_n);

int __wrap_rouse__stream_read_line(struct stream *stream, uint64_t deadline_ns, char **ret_line,
                                   size_t *ret_n) {
        const uint64_t half_ns = NS_PER_S / 2;

        /* Some of the time went into asking. */
        waited_s = deadline_ns == DEADLINE_NEVER
                           ? -1
                           : (int64_t)((deadline_ns - clock_now_ns() + half_ns) / NS_PER_S);
        return __real_rouse__stream_read_line(stream, deadline_in_ms(SHORT_MS), ret_line, ret_n);
}

/* Runs a verb against a daemon that says nothing; returns how long it would have waited. */
static int64_t patience_of(const struct verb *verb, char **words, int n_words) {
        struct session session = {.dir = test_dir()};
        struct arguments arguments;

        waited_s = 0;
        ck_assert_int_eq(
                arguments_parse(words, n_words, &verb->options, !!verb->options, false, &arguments),
                0);
        ck_assert_msg(verb->run(&session, &arguments) == EXIT_TIMEOUT, "%s", verb->name);
        ck_assert_str_eq(rouse_client_get_error(session.client)->message, "roused does not answer");
        arguments_deinit(&arguments);
        session_deinit(&session);
        return waited_s;
}

static bool has_its_own_rule(const struct verb *verb) {
        static const char *const names[] = {"send", "wait",  "watch", "reload",
                                            "call", "check", "help",  "version"};

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (strcmp(verb->name, names[i]) == 0)
                        return true;
        return false;
}

static const struct fake_answer silence[] = {{"", ""}, {}};

static void what_is_answered_at_once_is_not_waited_for_without_end(void) {
        struct fake *fake = fake_start(test_dir(), NULL, silence);

        for (size_t i = 0; verbs[i]; i++) {
                char *words[] = {"x"};

                if (!has_its_own_rule(verbs[i]))
                        ck_assert_msg(patience_of(verbs[i], words, verbs[i]->least) == 30, "%s",
                                      verbs[i]->name);
        }
        free(fake_stop(fake));
}

static void a_send_waits_without_end_only_for_a_wake(void) {
        char *plain[] = {"x", "--key", "a\r"},
             *bounded[] = {"x", "--key", "a\r", "--timeout", "5s"};
        char *waiting[] = {"x", "--wait"};
        const struct verb *verb = verb_find("send");
        struct fake *fake = fake_start(test_dir(), NULL, silence);

        ck_assert_int_eq(patience_of(verb, plain, 3), 30);
        ck_assert_int_eq(patience_of(verb, bounded, 5), 5);
        ck_assert_int_eq(patience_of(verb, waiting, 2), -1);
        free(fake_stop(fake));
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(what_is_answered_at_once_is_not_waited_for_without_end),
                TEST(a_send_waits_without_end_only_for_a_wake),
                {},
        };

        return test_main("rouse-patience", tests, argc, argv);
}
