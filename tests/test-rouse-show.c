/* What rouse makes of the daemon's answers. */

#include <stdlib.h>
#include <string.h>

#include "tests/fake-roused.h"
#include "tests/support.h"
#include "tests/typed.h"

#define HANDLE(name, state, pending, seq, ref, description)                                  \
        "{\"name\":\"" name "\",\"is_active\":true,\"has_ref\":" ref ",\"pending\":" pending \
        ",\"paused\":false,\"state\":\"" state "\",\"seq\":" seq ",\"description\":" description

#define TEN(text) text text text text text text text text text text

static void a_list_is_a_table(void) {
        static const struct fake_answer calls[] = {
                {"none", "{\"id\":$ID,\"result\":[]}\n"},
                {"wordy",
                 "{\"id\":$ID,\"result\":[" HANDLE("a", "idle", "0", "1", "false",
                                                   "\"" TEN(TEN("\\u20acx")) "\"") "}]}\n"},
                {"\"list\"",
                 "{\"id\":$ID,\"result\":[" HANDLE(
                         "a", "idle", "0", "17", "true",
                         "\"As \\u001b[m\"") "}," HANDLE("long.name", "behind_run", "123456789",
                                                         "3", "false", "null") "}]}\n"},
                {}};
        static const struct typed_row rows[] = {
                {"rouse list", 0,
                 "NAME       STATE       PENDING    SEQ  REF  DESCRIPTION\n"
                 "a          idle        0          17   yes  As ?[m\n"
                 "long.name  behind_run  123456789  3    -\n",
                 ""},
                /* Cut off at a letter, without quotes. */
                {"rouse list wordy", 0,
                 "NAME  STATE  PENDING  SEQ  REF  DESCRIPTION\n"
                 "a     idle   0        1    -    " TEN("€x€x€x€x€x€x") "€x€x€x…\n",
                 ""},
                {"rouse list none", 0, "NAME  STATE  PENDING  SEQ  REF  DESCRIPTION\n", ""},
                {"rouse list --json none", 0, "[]\n", ""},
                {},
        };
        struct fake *fake = fake_start(test_dir(), NULL, calls);
        char *log;

        typed_check_rows(test_dir(), rows);
        log = fake_stop(fake);
        ck_assert_ptr_nonnull(strstr(log, "\"params\":{}"));
        ck_assert_ptr_nonnull(strstr(log, "\"params\":{\"pattern\":\"none\"}"));
        free(log);
}

#define STATUS(name, state, pending, seq, ref, description, rest)                              \
        "{\"id\":$ID,\"result\":" HANDLE(name, state, pending, seq, ref, description) "," rest \
                                                                                      "}}\n"
#define WHY(sentence)                       \
        "\"why\":{\"sentence\":\"" sentence \
        "\",\"until_ms\":null,\"since_ms\":null,\"by_uid\":null}"
#define LAST_RUN(outcome, status, success)                                                    \
        "\"last_run\":{\"seq\":16,\"sends\":4,\"outcome\":\"" outcome "\",\"status\":" status \
        ",\"success\":" success ",\"started_ms\":1700000000123,\"duration_ms\":1234}"

static void a_status_is_read_like_sentences(void) {
        static const struct fake_answer calls[] = {
                {"\"fresh\"",
                 STATUS("fresh", "idle", "0", "0", "false", "null",
                        "\"has_action\":true," WHY(
                                "Nothing is pending") ",\"run\":null,\"last_run\":null")},
                {"\"bare\"", STATUS("bare", "pending", "1", "2", "true", "\"No action\"",
                                    "\"has_action\":false," WHY(
                                            "It wakes now") ",\"run\":null,\"last_run\":null")},
                {"\"busy\"",
                 STATUS("busy", "behind_run", "2", "18", "false", "null",
                        "\"has_action\":true," WHY("Behind run 17") ",\"run\":{\"seq\":17,\"pid\":4711,\"running_ms\":90061000}," LAST_RUN(
                                "exited", "3", "false"))},
                {"\"signaled\"",
                 STATUS("signaled", "idle", "0", "16", "false", "null",
                        "\"has_action\":true," WHY("Nothing is pending") ",\"run\":null," LAST_RUN(
                                "signaled", "15", "false"))},
                {"\"nameless\"",
                 STATUS("nameless", "idle", "0", "16", "false", "null",
                        "\"has_action\":true," WHY("Nothing is pending") ",\"run\":null," LAST_RUN(
                                "signaled", "37", "false"))},
                {"\"slow\"",
                 STATUS("slow", "idle", "0", "16", "false", "null",
                        "\"has_action\":true," WHY("Nothing is pending") ",\"run\":null," LAST_RUN(
                                "timed_out", "15", "false"))},
                {"\"lame\"",
                 STATUS("lame", "idle", "0", "16", "false", "null",
                        "\"has_action\":true," WHY("Nothing is pending") ",\"run\":null," LAST_RUN(
                                "not_started", "-2", "false"))},
                {}};
#define LAST(how)                                                                               \
        "  The last run " how " after 1.23s; it began at 2023-11-14 22:13:20, for wakes up to " \
        "16 (4 sends).\n"
        static const struct typed_row rows[] = {
                {"rouse status fresh", 0,
                 "fresh\n"
                 "  State: idle. Nothing is pending.\n"
                 "  It has not been woken yet.\n"
                 "  It has not run yet.\n",
                 ""},
                {"rouse status bare", 0,
                 "bare: No action\n"
                 "  State: pending. It wakes now.\n"
                 "  The last wake was number 2; 1 send is covered by the next one.\n"
                 "  It has no action: its wakes go to those who watch it.\n"
                 "  It is started: it holds the daemon's loop.\n",
                 ""},
                {"TZ=UTC rouse status busy", 0,
                 "busy\n"
                 "  State: behind_run. Behind run 17.\n"
                 "  The last wake was number 18; 2 sends are covered by the next one.\n"
                 "  A run goes on since 1d 1h, for wakes up to 17, process 4711.\n" LAST(
                         "ended with exit code 3"),
                 ""},
                {"TZ=UTC rouse status nameless | tail -1", 0, LAST("was ended by signal 37"), ""},
                {"TZ=UTC rouse status signaled | tail -1", 0, LAST("was ended by signal SIGTERM"),
                 ""},
                {"TZ=UTC rouse status slow | tail -1", 0, LAST("took longer than its timeout"), ""},
                {"TZ=UTC rouse status lame | tail -1", 0,
                 "  The last run could not be started: No such file or directory; that was at "
                 "2023-11-14 22:13:20, for wakes up to 16 (4 sends).\n",
                 ""},
                {"rouse status fresh --json | cut -c1-15", 0, "{\"name\":\"fresh\"\n", ""},
                {},
        };
        struct fake *fake = fake_start(test_dir(), NULL, calls);

        typed_check_rows(test_dir(), rows);
        free(fake_stop(fake));
}

static void stats_are_a_line_each(void) {
        static const struct fake_answer calls[] = {
                {"\"name\":\"a\"",
                 "{\"id\":$ID,\"result\":{\"name\":\"a\",\"sends\":12,\"wake_latency_ns\":{"
                 "\"count\":3,\"p50\":950,\"p99\":12345,\"max\":61000000000},"
                 "\"run_duration_ns\":null}}\n"},
                {"\"name\":\"round\"",
                 "{\"id\":$ID,\"result\":{\"wake_latency_ns\":{\"p50\":999499,\"p90\":999500,"
                 "\"p99\":999499999,\"max\":999500000}}}\n"},
                {"\"stats\"}", "{\"id\":$ID,\"result\":{\"uptime_ms\":4100,\"control\":{"
                               "\"clients\":1,\"missed\":0}}}\n"},
                {}};
        static const struct typed_row rows[] = {
                {"rouse stats a", 0,
                 "name                 a\n"
                 "sends                12\n"
                 "wake_latency         count 3, p50 950ns, p99 12.3us, max 1min 1s\n"
                 "run_duration         -\n",
                 ""},
                {"rouse stats round", 0,
                 "wake_latency         p50 999us, p90 1ms, p99 999ms, max 1s\n", ""},
                {"rouse stats", 0,
                 "uptime               4.1s\n"
                 "control              clients 1, missed 0\n",
                 ""},
                {"rouse stats --json", 0,
                 "{\"uptime_ms\":4100,\"control\":{\"clients\":1,\"missed\":0}}\n", ""},
                {},
        };
        struct fake *fake = fake_start(test_dir(), NULL, calls);

        typed_check_rows(test_dir(), rows);
        free(fake_stop(fake));
}

static void a_reload_tells_what_changed_or_what_is_wrong(void) {
        static const struct typed_row rows[] = {
                {"rouse reload", 0, "added a\nadded b\nremoved c\n", ""},
                {"rouse reload --json", 0,
                 "{\"added\":[\"a\",\"b\"],\"changed\":[],\"removed\":[\"c\"]}\n", ""},
                {},
        };
        static const struct fake_answer changed[] = {
                {"", "{\"id\":$ID,\"result\":{\"added\":[\"a\",\"b\"],\"changed\":[],"
                     "\"removed\":[\"c\"]}}\n"},
                {}};
        static const struct fake_answer same[] = {
                {"", "{\"id\":$ID,\"result\":{\"added\":[],\"changed\":[],\"removed\":[]}}\n"}, {}};
        static const struct fake_answer wrong[] = {
                {"", "{\"id\":$ID,\"error\":{\"code\":-32007,\"message\":\"The configuration has "
                     "errors\",\"data\":{\"reason\":\"invalid_config\",\"errors\":[{\"file\":"
                     "\"/x.yaml\",\"line\":3,\"column\":5,\"message\":\"no such key\"},{\"file\":"
                     "\"/y.yaml\",\"line\":null,\"column\":null,\"message\":\"not there\"}],"
                     "\"left_out\":7}}}\n"},
                {}};
        struct fake *fake = fake_start(test_dir(), NULL, changed);

        typed_check_rows(test_dir(), rows);
        free(fake_stop(fake));
        fake = fake_start(test_dir(), NULL, same);
        typed_check(test_dir(), "rouse reload", 0, "nothing changed\n", "");
        free(fake_stop(fake));
        fake = fake_start(test_dir(), NULL, wrong);
        typed_check(test_dir(), "rouse reload", 1, "",
                    "/x.yaml:3:5: no such key\n/y.yaml: not there\nand 7 more\n"
                    "rouse: the configuration has errors\n");
        free(fake_stop(fake));
}

static void a_send_that_waits_names_all_handles_at_once(void) {
#define SENT "\"ticket\":5,\"disposition\":\"scheduled\",\"seq\":6,\"sends\":2"
        static const struct fake_answer calls[] = {
                {"{\"name\":[\"a\",\"b\"],\"keys\":[\"k1\",\"k2\"],\"wait\":\"run\",\"timeout_ms\":5000}",
                 "{\"id\":$ID,\"result\":[{" SENT ",\"run\":{\"outcome\":\"exited\",\"status\":0,"
                 "\"success\":true}},{" SENT ",\"run\":{\"outcome\":\"exited\",\"status\":9,"
                 "\"success\":false}}]}\n"},
                {"{\"name\":[\"a\"],\"wait\":\"wake\"}", "{\"id\":$ID,\"result\":[{" SENT "}]}\n"},
                {"{\"name\":[\"a\"],\"keys\":[\"\\\"k\\r\"]}",
                 "{\"id\":$ID,\"result\":[{\"ticket\":1}]}\n"},
                {"late", "{\"id\":$ID,\"error\":{\"code\":-32004,\"message\":\"\\\"late\\\" did "
                         "not wake in time\"}}\n"},
                {"slow",
                 "{\"id\":$ID,\"error\":{\"code\":-32004,\"message\":\"\\\"late\\\" did not wake in "
                 "time\",\"data\":{\"reason\":\"timeout\",\"tickets\":[7,18446744073709551615]}}}\n"},
                {}};
        static const struct typed_row rows[] = {
                {"rouse send a b --wait=run --key k1 --key k2 --timeout 5s", 1, "5\n5\n",
                 "rouse: b: the run ended with exit code 9\n"},
                {"rouse send a --wait", 0, "5\n", ""},
                {"rouse send a --wait=wake --json", 0, "{\"name\":\"a\"," SENT "}\n", ""},
                {"rouse send a --key \"$(printf '\"k\\r')\"", 0, "1\n", ""},
                {"rouse send late --wait --timeout 10ms", 124, "",
                 "rouse: \"late\" did not wake in time\n"},
                {"rouse send a slow --wait --timeout 10ms", 124, "7\n18446744073709551615\n",
                 "rouse: \"late\" did not wake in time\n"},
                {},
        };
        struct fake *fake = fake_start(test_dir(), NULL, calls);

        typed_check_rows(test_dir(), rows);
        free(fake_stop(fake));
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(a_list_is_a_table),
                TEST(a_status_is_read_like_sentences),
                TEST(stats_are_a_line_each),
                TEST(a_reload_tells_what_changed_or_what_is_wrong),
                TEST(a_send_that_waits_names_all_handles_at_once),
                {},
        };

        return test_main("rouse-show", tests, argc, argv);
}
