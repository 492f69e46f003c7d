/* status: what one handle does and why, in sentences. */

#include "cli/complaint.h"
#include "cli/human.h"
#include "cli/output.h"
#include "cli/result.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "cli/verbs.h"
#include "lib/clock.h"

static void print_title(struct json_text status) {
        char text[1024];

        result_text(result_member(status, "name"), text, sizeof(text));
        out_text(text, 0);
        result_text(result_member(status, "description"), text, sizeof(text));
        out(*text ? ": " : "");
        out_text(text, 0);
        out("\n");
}

static void print_why(struct json_text status) {
        struct json_text why = result_member(status, "why");
        char text[1024];

        result_text(result_member(status, "state"), text, sizeof(text));
        out("  State: ");
        out_text(text, 0);
        result_text(result_member(why, "sentence"), text, sizeof(text));
        out(*text ? ". " : "");
        out_text(text, 0);
        out(".\n");
}

static void print_wakes(struct json_text status) {
        uint64_t seq = result_u64(status, "seq"), pending = result_u64(status, "pending");
        char count[HUMAN_COUNT_MAX];

        if (seq > 0)
                outf("  The last wake was number %llu", (unsigned long long)seq);
        else
                out("  It has not been woken yet");
        if (pending > 0)
                outf("; %s %s covered by the next one", human_count(pending, "send", count),
                     pending == 1 ? "is" : "are");
        out(".\n");
}

static void print_last_run(struct json_text run) {
        char span[TIMESPAN_TEXT_MAX], time[HUMAN_TIME_MAX], outcome[HUMAN_OUTCOME_MAX],
                count[HUMAN_COUNT_MAX];
        struct json_text kind = result_member(run, "outcome");

        outf("  The last run %s", human_outcome(run, outcome));
        if (rouse__json_string_is(kind, "not_started"))
                out("; that was");
        else
                outf(" after %s; it began",
                     human_span(result_u64(run, "duration_ms") * NS_PER_MS, span));
        outf(" at %s, for wakes up to %llu (%s).\n",
             human_time(result_u64(run, "started_ms"), time),
             (unsigned long long)result_u64(run, "seq"),
             human_count(result_u64(run, "sends"), "send", count));
        complaint_print(run);
}

static void print_runs(struct json_text status) {
        struct json_text run = result_member(status, "run"),
                         last = result_member(status, "last_run");
        uint64_t pid = result_u64(run, "pid");
        char span[TIMESPAN_TEXT_MAX];

        if (run.n > 0) {
                outf("  A run goes on since %s, for wakes up to %llu",
                     human_span(result_u64(run, "running_ms") * NS_PER_MS, span),
                     (unsigned long long)result_u64(run, "seq"));
                if (pid > 0)
                        outf(", process %llu", (unsigned long long)pid);
                out(".\n");
        }
        if (last.n > 0)
                print_last_run(last);
        else if (result_is_true(status, "has_action") && run.n == 0)
                out("  It has not run yet.\n");
        else if (!result_is_true(status, "has_action"))
                out("  It has no action: its wakes go to those who watch it.\n");
}

static void print_status(struct json_text status) {
        print_title(status);
        print_why(status);
        print_wakes(status);
        print_runs(status);
        if (result_is_true(status, "has_ref"))
                out("  It is started: it holds the daemon's loop.\n");
}

static int run(struct session *session, const struct arguments *arguments) {
        struct json_text status = {.n = 0};
        int code;

        code = session_call_name(session, "status", arguments->operands[0], &status);
        return session_show(session, code, status, print_status);
}

const struct verb verb_status = {
        .name = "status",
        .operands = "NAME",
        .least = 1,
        .most = 1,
        .summary = "say what a handle does, why it waits and until when",
        .json = true,
        .run = run,
};
