/* reload: the daemon reads its configuration again. What is wrong with it is told in the way that
 * compilers have, so that editors find the place. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/exit-code.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/result.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "cli/verbs.h"

static void print_names(struct json_text result, const char *member, bool *printed) {
        struct json_iterator it = {.whole = result_member(result, member)};
        char name[256];

        while (rouse__json_next(&it)) {
                result_text(it.value, name, sizeof(name));
                outf("%s %s\n", member, name);
                *printed = true;
        }
}

/* file:line:column: message, as much of it as is there. */
static void tell_error(struct json_text error) {
        char file[4096], text[4096], place[64] = "";
        uint64_t line = result_u64(error, "line"), column = result_u64(error, "column");

        result_text(result_member(error, "file"), file, sizeof(file));
        result_text(result_member(error, "message"), text, sizeof(text));
        if (line > 0)
                snprintf(place, sizeof(place), ":%llu:%llu", (unsigned long long)line,
                         (unsigned long long)column);
        message_plain("%s%s%s%s", file, place, *file ? ": " : "", text);
}

static int tell_errors(struct session *session) {
        const rouse_client_error_t *error = rouse_client_get_error(session->client);
        struct json_text data = session_refusal(session);
        struct json_iterator it = {0};
        uint64_t n_more;

        if (error->code != -EBADMSG)
                return session_failed(session);
        it.whole = result_member(data, "errors");
        while (rouse__json_next(&it))
                tell_error(it.value);
        n_more = result_u64(data, "left_out");
        if (n_more > 0)
                message_plain("and %llu more", (unsigned long long)n_more);
        return session_failed(session);
}

static int run(struct session *session, const struct arguments *arguments) {
        const char *text;
        struct json_text result;
        bool printed = false;
        int code, r;

        (void)arguments;
        code = session_open(session);
        if (code)
                return code;
        /* It takes the time that the configuration takes, whatever its size. */
        r = rouse_client_call(session->client, "reload", NULL, -1, &text);
        if (r < 0)
                return tell_errors(session);
        result = (struct json_text){.at = text, .n = strlen(text)};
        if (session->json) {
                result_print(result);
                return EXIT_DONE;
        }
        print_names(result, "added", &printed);
        print_names(result, "changed", &printed);
        print_names(result, "removed", &printed);
        if (!printed)
                out("nothing changed\n");
        return EXIT_DONE;
}

const struct verb verb_reload = {
        .name = "reload",
        .operands = "",
        .summary = "read the configuration again; print what it changed",
        .help = "\nIf it has errors, they are printed and nothing changes.\n",
        .json = true,
        .run = run,
};
