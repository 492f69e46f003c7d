/*
 * watch: a line a wake, or a command (watch-exec.c).
 *
 * Each line is written at once. It ends when its reader goes (which poll() tells, so that it does
 * not sit there until the next wake), at INT and TERM, and when the daemon goes away.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/exit-code.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "cli/verbs.h"
#include "cli/watch-exec.h"

static void quit(int signal_number) {
        (void)signal_number;
        _exit(EXIT_DONE); /* nothing is held back: every line was written */
}

/* With --runs every line begins with the kind of event; the numbers stand in the same order. */
static void print(const struct session *session, const rouse_client_event_t *event, bool runs) {
        static const char *const kinds[] = {
                [ROUSE_CLIENT_WAKE] = "wake",
                [ROUSE_CLIENT_RUN_STARTED] = "run_started",
                [ROUSE_CLIENT_RUN_ENDED] = "run_ended",
        };
        static const char *const names[] = {",\"seq\":", ",\"sends\":", ",\"missed\":"};
        const uint64_t numbers[] = {event->seq, event->n_sends, event->n_missed};
        bool json = session->json;

        out(json ? "{" : "");
        if (runs)
                outf(json ? "\"event\":\"%s\"," : "%s ", kinds[event->kind]);
        if (json) {
                out("\"name\":");
                out_json_string(event->name);
        } else {
                out(event->name);
        }
        for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
                out(json ? names[i] : " ");
                out_u64(numbers[i]);
        }
        if (event->kind == ROUSE_CLIENT_RUN_ENDED) {
                out(json ? ",\"outcome\":" : " ");
                if (json)
                        out_json_string(event->outcome);
                else
                        out_text(event->outcome, 0);
                outf(json ? ",\"status\":%d" : " %d", event->status);
                if (json)
                        out(event->success ? ",\"success\":true" : ",\"success\":false");
                out(json ? ",\"duration_ms\":" : " ");
                out_u64(event->duration_ms);
        }
        out(json ? "}\n" : "\n");
}

/* Waits until there is something to read, or nobody who would read it. */
static bool wait_for_news(rouse_client_t *client) {
        struct pollfd fds[] = {
                {.fd = rouse_client_fd(client), .events = POLLIN},
                {.fd = STDOUT_FILENO}, /* an error comes unasked: the reader closed */
        };

        while (poll(fds, 2, -1) < 0)
                if (errno != EINTR)
                        return true;
        return !(fds[1].revents & (POLLERR | POLLHUP | POLLNVAL));
}

static int watch(struct session *session, bool runs) {
        for (;;) {
                rouse_client_event_t event;
                int r;

                r = rouse_client_next_event(session->client, 0, &event);
                if (r == -ETIMEDOUT) {
                        if (!wait_for_news(session->client))
                                return EXIT_DONE;
                        continue;
                }
                if (r < 0)
                        return session_failed(session);
                print(session, &event, runs);
                if (!out_flush())
                        return out_is_closed() ? EXIT_DONE : EXIT_FAILED;
        }
}

static int run(struct session *session, const struct arguments *arguments) {
        static const char *const everything[] = {"*"};
        const char *const *patterns = everything;
        bool runs = arguments_has(arguments, "runs", NULL);
        size_t n_patterns = 1;
        int code, r;

        if (arguments->rest && (runs || session->json)) {
                message("--exec goes with neither --runs nor --json");
                return EXIT_USAGE;
        }
        code = session_open(session);
        if (code)
                return code;
        if (arguments->n_operands > 0) {
                patterns = (const char *const *)arguments->operands;
                n_patterns = (size_t)arguments->n_operands;
        }
        r = runs ? rouse_client_watch_runs(session->client, patterns, n_patterns, -1)
                 : rouse_client_watch(session->client, patterns, n_patterns, -1);
        if (r < 0)
                return session_failed(session);
        if (arguments->rest)
                return watch_exec(session, arguments->rest);
        signal(SIGINT, quit);
        signal(SIGTERM, quit);
        return watch(session, runs);
}

static const struct option options[] = {
        {"runs", OPTION_FLAG, NULL, "print a line for the beginning and the end of each run, too"},
        {"exec", OPTION_REST, "CMD [ARG…]", "run this for each wake; comes last"},
        {},
};

const struct verb verb_watch = {
        .name = "watch",
        .operands = "[PATTERN…]",
        .most = -1,
        .summary = "print a line for each wake, or run a command",
        .help = "\nA line has the handle's name, the wake's number, how many sends it covers, and how\n"
                "many wakes were left out before it because the reader was slow. Patterns are globs.\n"
                "With --runs the kind of event stands before that: wake, run_started or run_ended, which\n"
                "has the outcome, the status and the milliseconds behind it.\n\n"
                "One command runs at a time, with ROUSE_HANDLE, ROUSE_SEQ, ROUSE_SENDS and ROUSE_MISSED\n"
                "in its environment. Wakes of a handle that come meanwhile are put together.\n",
        .options = options,
        .json = true,
        .run = run,
};
