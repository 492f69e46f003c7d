/*
 * top: a picture of the daemon and its handles, again and again.
 *
 * Each picture is one request. On a terminal it is drawn over the one before, and again when the
 * terminal changes its size: SIGWINCH comes only while the next picture is waited for, so that no
 * call is disturbed. Everything that is written is whole lines, and no mode of the terminal is
 * changed, so there is nothing to restore, however it ends.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/exit-code.h"
#include "cli/message.h"
#include "cli/number.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/top-picture.h"
#include "cli/top-table.h"
#include "cli/verb.h"
#include "cli/verbs.h"
#include "lib/buffer.h"
#include "lib/client-batch.h"
#include "lib/deadline.h"

#define INTERVAL_MS 1000
#define CLEAR       "\033[H\033[J" /* home, and nothing from there on (ECMA-48: CUP, ED) */

/* The totals come first: the daemon answers no more calls of a batch behind a very long list. */
enum call { STATS, LIST, N_CALLS };

struct top {
        struct session *session;
        struct client_batch_call calls[N_CALLS];
        struct top_picture picture;
        struct buffer page;
        int64_t interval_ms;
        uint64_t n_left; /* pictures */
        sigset_t old_signals;
        bool is_terminal;
        bool is_first;
};

static void quit(int signal_number) {
        (void)signal_number;
        _exit(EXIT_DONE); /* nothing is held back: every picture was written */
}

/* The terminal has put "^C" where the shell would write. */
static void quit_line(int signal_number) {
        (void)!write(STDOUT_FILENO, "\n", 1);
        quit(signal_number);
}

static void notice(int signal_number) {
        (void)signal_number; /* that poll() ends is enough */
}

static void take_signals(struct top *top) {
        struct sigaction on_size = {.sa_handler = notice};
        sigset_t size;

        sigemptyset(&size);
        sigaddset(&size, SIGWINCH);
        sigprocmask(SIG_BLOCK, &size, &top->old_signals);
        sigdelset(&top->old_signals, SIGWINCH);
        sigaction(SIGWINCH, &on_size, NULL);
        signal(SIGINT, top->is_terminal ? quit_line : quit);
        signal(SIGTERM, quit);
}

static int tell_list_failed(struct top *top, int error) {
        int code = session_failed(top->session);

        if (error == -EDQUOT)
                message("a pattern of names asks for less: rouse top PATTERN");
        return code;
}

/* Takes the next picture in place of the last one. */
static int take(struct top *top) {
        rouse_client_t *client = top->session->client;
        struct json_text stats = JSON_TEXT_NULL, list;
        struct top_picture picture;
        int r;

        r = rouse__client_batch(client, top->calls, N_CALLS, ANSWER_MS);
        if (r < 0)
                return session_failed(top->session);
        r = rouse__client_batch_take(client, &top->calls[LIST], &list);
        if (r < 0)
                return tell_list_failed(top, r);
        r = rouse__client_batch_take(client, &top->calls[STATS], &stats);
        if (r < 0 && r != -EACCES)
                return session_failed(top->session);
        r = top_picture_init(&picture, stats, rouse_client_get_error(client)->message, list,
                             clock_now_ns(), &top->picture);
        if (r < 0) {
                message("out of memory");
                return EXIT_FAILED;
        }
        top_picture_deinit(&top->picture);
        top->picture = picture;
        return 0;
}

static struct top_size find_size(void) {
        struct winsize size = {0};

        (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
        /* The cursor has the last row: a line that ended there would move the first one away. */
        return (struct top_size){.n_rows = (size.ws_row ?: 24) - 1U,
                                 .n_columns = size.ws_col ?: 80};
}

static int show(struct top *top) {
        static const struct top_size unbounded = {SIZE_MAX, SIZE_MAX};

        buffer_clear(&top->page);
        if (top->session->json) {
                top_table_add_json(&top->page, &top->picture);
        } else if (top->is_terminal) {
                buffer_add_literal(&top->page, CLEAR);
                top_table_add(&top->page, &top->picture, find_size());
        } else {
                buffer_add_str(&top->page, top->is_first ? "" : "\n");
                top_table_add(&top->page, &top->picture, unbounded);
        }
        top->is_first = false;
        if (top->page.failed) {
                message("out of memory");
                return EXIT_FAILED;
        }
        out_bytes(top->page.data, top->page.n);
        return out_flush() ? 0 : EXIT_FAILED;
}

/* Waits until the next picture is due. False: there is nobody who would see it. */
static bool wait_until_due(struct top *top, uint64_t due_ns) {
        struct pollfd reader = {.fd = STDOUT_FILENO}; /* an error comes unasked: it closed */

        for (;;) {
                uint64_t now_ns = clock_now_ns(), left_ns = due_ns > now_ns ? due_ns - now_ns : 0;
                struct timespec left = {.tv_sec = (time_t)(left_ns / NS_PER_S),
                                        .tv_nsec = (long)(left_ns % NS_PER_S)};
                int r = ppoll(&reader, 1, due_ns == DEADLINE_NEVER ? NULL : &left,
                              &top->old_signals);

                if (r >= 0)
                        return r == 0;
                if (top->is_terminal && !top->session->json && show(top) != 0)
                        return false;
        }
}

static int watch(struct top *top) {
        for (;;) {
                int code = take(top);

                if (code == 0)
                        code = show(top);
                if (code)
                        return out_is_closed() ? EXIT_DONE : code;
                if (top->n_left != UINT64_MAX && --top->n_left == 0)
                        return EXIT_DONE;
                if (!wait_until_due(top, deadline_in_ms(top->interval_ms)))
                        return EXIT_DONE;
        }
}

static int read_options(struct top *top, const struct arguments *arguments) {
        const char *text;
        int code;

        if (arguments_has(arguments, "interval", &text)) {
                code = session_timespan(arguments, "interval", &top->interval_ms);
                if (code)
                        return code;
                if (top->interval_ms == 0) {
                        message("--interval %s is no time to wait", text);
                        return EXIT_USAGE;
                }
        }
        if (!arguments_has(arguments, "count", &text))
                return 0;
        code = number_read("count", text, &top->n_left);
        if (code == 0 && top->n_left == 0) {
                message("--count needs one picture at least");
                return EXIT_USAGE;
        }
        return code;
}

static int run(struct session *session, const struct arguments *arguments) {
        bool is_terminal = isatty(STDOUT_FILENO);
        struct top top = {
                .session = session,
                .calls = {[STATS] = {.method = "stats"}, [LIST] = {.method = "list"}},
                .interval_ms = INTERVAL_MS,
                .n_left = is_terminal ? UINT64_MAX : 1,
                .is_terminal = is_terminal,
                .is_first = true,
        };
        struct buffer params = BUFFER_NULL;
        int code;

        code = read_options(&top, arguments);
        if (code == 0)
                code = session_open(session);
        if (code)
                return code;
        if (arguments->n_operands > 0) {
                buffer_add_literal(&params, "{\"pattern\":");
                buffer_add_json_string(&params, arguments->operands[0]);
                buffer_add(&params, "}", 2); /* and its end */
                top.calls[LIST].params = params.data;
        }
        if (params.failed) {
                message("out of memory");
                code = EXIT_FAILED;
        } else {
                take_signals(&top);
                code = watch(&top);
        }
        rouse__buffer_deinit(&params);
        rouse__buffer_deinit(&top.page);
        top_picture_deinit(&top.picture);
        return code;
}

static const struct option options[] = {
        {"interval", OPTION_VALUE, "T", "the time from picture to picture; 1s"},
        {"count", OPTION_VALUE, "N", "end after that many; 1 if this is not a terminal"},
        {},
};

const struct verb verb_top = {
        .name = "top",
        .operands = "[PATTERN]",
        .most = 1,
        .summary = "show again and again what the daemon does, and for which handles",
        .help = "\nFirst stand handles that have something to say: failed, backing off, running, and\n"
                "those that wait; then the busiest, by their wakes per second since the last picture.\n"
                "The pattern is a glob. It ends with ^C.\n",
        .options = options,
        .json = true,
        .run = run,
};
