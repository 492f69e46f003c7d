/*
 * watch: a line a wake.
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

static void quit(int signal_number) {
        (void)signal_number;
        _exit(EXIT_DONE); /* nothing is held back: every line was written */
}

static void print(const struct session *session, const rouse_client_wake_t *wake) {
        static const char *const names[] = {",\"seq\":", ",\"sends\":", ",\"missed\":"};
        const uint64_t numbers[] = {wake->seq, wake->n_sends, wake->n_missed};

        if (session->json) {
                out("{\"name\":");
                out_json_string(wake->name);
        } else {
                out(wake->name);
        }
        for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
                out(session->json ? names[i] : " ");
                out_u64(numbers[i]);
        }
        out(session->json ? "}\n" : "\n");
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

static int watch(struct session *session) {
        for (;;) {
                rouse_client_wake_t wake;
                int r;

                r = rouse_client_next(session->client, 0, &wake);
                if (r == -ETIMEDOUT) {
                        if (!wait_for_news(session->client))
                                return EXIT_DONE;
                        continue;
                }
                if (r < 0)
                        return session_failed(session);
                print(session, &wake);
                if (!out_flush())
                        return out_is_closed() ? EXIT_DONE : EXIT_FAILED;
        }
}

static int run(struct session *session, const struct arguments *arguments) {
        static const char *const everything[] = {"*"};
        const char *const *patterns = everything;
        size_t n_patterns = 1;
        int code;

        code = session_open(session);
        if (code)
                return code;
        if (arguments->n_operands > 0) {
                patterns = (const char *const *)arguments->operands;
                n_patterns = (size_t)arguments->n_operands;
        }
        if (rouse_client_watch(session->client, patterns, n_patterns, -1) < 0)
                return session_failed(session);
        signal(SIGINT, quit);
        signal(SIGTERM, quit);
        return watch(session);
}

const struct verb verb_watch = {
        .name = "watch",
        .operands = "[PATTERN…]",
        .most = -1,
        .summary = "print a line for each wake",
        .help = "\nA line has the handle's name, the wake's number, how many sends it covers, and how\n"
                "many wakes were left out before it because the reader was slow. Patterns are globs.\n",
        .json = true,
        .run = run,
};
