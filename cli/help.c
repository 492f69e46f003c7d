/* Everything here comes from the tables that also read the command line. */

#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "cli/verb.h"

#define WIDTH 22

void help_all(void) {
        out("rouse [--dir DIR] VERB …: wake the named handles of a running roused.\n\n");
        for (size_t i = 0; verbs[i]; i++) {
                char usage[100];

                snprintf(usage, sizeof(usage), "%s %s", verbs[i]->name, verbs[i]->operands);
                out("  ");
                out_text(usage, WIDTH);
                outf("  %s\n", verbs[i]->summary);
        }
        out("\n'rouse help VERB' tells more; rouse(1) tells all.\n");
}

static void option_usage(const struct option *option, char *text, size_t n) {
        switch (option->kind) {
        case OPTION_FLAG:
                snprintf(text, n, "--%s", option->name);
                break;
        case OPTION_VALUE:
        case OPTION_LIST:
        case OPTION_REST:
                snprintf(text, n, "--%s %s", option->name, option->value);
                break;
        case OPTION_OPTIONAL:
                snprintf(text, n, "--%s[=%s]", option->name, option->value);
                break;
        }
}

static void help_option(const struct option *option) {
        char usage[100];

        option_usage(option, usage, sizeof(usage));
        out("  ");
        out_text(usage, WIDTH);
        outf("  %s\n", option->help);
}

void help_verb(const struct verb *verb) {
        static const struct option json = {"json", OPTION_FLAG, NULL, "print JSON"};

        outf("rouse %s%s%s: %s\n", verb->name, *verb->operands ? " " : "", verb->operands,
             verb->summary);
        if (verb->help)
                outf("%s", verb->help);
        if (!verb->options && !verb->json)
                return;
        out("\n");
        for (const struct option *option = verb->options; option && option->name; option++)
                help_option(option);
        if (verb->json)
                help_option(&json);
}
