/* help and version: about rouse itself. */

#include "config.h"

#include <string.h>

#include "cli/exit-code.h"
#include "cli/help.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "cli/verbs.h"

#define PATIENCE_MS 2000

static int help(struct session *session, const struct arguments *arguments) {
        const struct verb *verb;

        (void)session;
        if (arguments->n_operands == 0) {
                help_all();
                return EXIT_DONE;
        }
        verb = verb_find(arguments->operands[0]);
        if (!verb)
                return EXIT_USAGE;
        help_verb(verb);
        return EXIT_DONE;
}

/* Asks the daemon for its version, if there is one; that there is none is no failure here. */
static bool ask_daemon(struct session *session, struct json_text *ret_result) {
        const char *result;

        if (session_open(session) != 0 ||
            rouse_client_call(session->client, "version", NULL, PATIENCE_MS, &result) < 0)
                return false;
        *ret_result = (struct json_text){.at = result, .n = strlen(result)};
        return true;
}

static int version(struct session *session, const struct arguments *arguments) {
        struct json_text result, member;
        char text[64];
        bool answered;

        (void)arguments;
        answered = ask_daemon(session, &result);
        if (session->json) {
                out("{\"rouse\":\"" PACKAGE_VERSION "\",\"roused\":");
                if (answered)
                        out_bytes(result.at, result.n);
                else
                        out("null");
                out("}\n");
                return EXIT_DONE;
        }
        out("rouse " PACKAGE_VERSION "\n");
        if (answered && rouse__json_find(result, "version", &member) &&
            rouse__json_string(member, text, sizeof(text), NULL) == 0)
                outf("roused %s at %s\n", text, rouse_client_dir(session->client));
        return EXIT_DONE;
}

const struct verb verb_help = {
        .name = "help",
        .operands = "[VERB]",
        .most = 1,
        .summary = "print the verbs, or more about one",
        .run = help,
};

const struct verb verb_version = {
        .name = "version",
        .operands = "",
        .summary = "print the versions of rouse and of the running roused",
        .json = true,
        .run = version,
};
