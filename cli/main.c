/*
 * rouse: what roused can do, for shells and scripts.
 *
 * A verb is a row of verbs[]; what it takes is a table in its own file. Standard descriptors that
 * are closed are taken up first, or a socket would become standard output.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/exit-code.h"
#include "cli/help.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/verb.h"

static const struct option before_verb[] = {
        {"dir", OPTION_VALUE, "DIR", "the directory of the daemon's sockets"},
        {"json", OPTION_FLAG, NULL, "print JSON"},
        {"help", OPTION_FLAG, NULL, "print this and exit"},
        {"version", OPTION_FLAG, NULL, "print the version and exit"},
        {},
};

static const struct option of_every_verb[] = {
        {"dir", OPTION_VALUE, "DIR", "the directory of the daemon's sockets"},
        {"help", OPTION_FLAG, NULL, "print this and exit"},
        {},
};

static const struct option of_printing_verbs[] = {
        {"json", OPTION_FLAG, NULL, "print JSON"},
        {},
};

static int occupy_standard_descriptors(void) {
        for (int fd = 0; fd <= STDERR_FILENO; fd++)
                /* The lowest free one is `fd`. Writing to it fails, as it should. */
                if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
                        return -errno;
        return 0;
}

static int check_operands(const struct verb *verb, const struct arguments *arguments) {
        if (arguments->n_operands < verb->least)
                message("%s needs more: rouse %s %s", verb->name, verb->name, verb->operands);
        else if (verb->most >= 0 && arguments->n_operands > verb->most)
                message("%s takes no '%s': rouse %s%s%s", verb->name,
                        arguments->operands[verb->most], verb->name, *verb->operands ? " " : "",
                        verb->operands);
        else
                return 0;
        return EXIT_USAGE;
}

static int run_verb(struct session *session, const struct verb *verb, char **argv, int argc) {
        const struct option *const tables[] = {
                of_every_verb,
                verb->options,
                verb->json ? of_printing_verbs : NULL,
        };
        struct arguments arguments;
        int code;

        if (session->json && !verb->json) {
                message("%s has nothing to print as JSON", verb->name);
                return EXIT_USAGE;
        }
        code = arguments_parse(argv, argc, tables, 3, false, &arguments);
        if (code < 0)
                return code == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
        if (arguments_has(&arguments, "help", NULL)) {
                help_verb(verb);
                code = EXIT_DONE;
        } else {
                (void)arguments_has(&arguments, "dir", &session->dir);
                session->json = session->json || arguments_has(&arguments, "json", NULL);
                code = check_operands(verb, &arguments);
                if (code == 0)
                        code = verb->run(session, &arguments);
        }
        arguments_deinit(&arguments);
        return code;
}

static int run(struct session *session, char **argv, int argc) {
        const struct option *const tables[] = {before_verb};
        struct arguments arguments;
        const struct verb *verb;
        const char *name = NULL;
        int r;

        r = arguments_parse(argv, argc, tables, 1, true, &arguments);
        if (r < 0)
                return r == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
        (void)arguments_has(&arguments, "dir", &session->dir);
        session->json = arguments_has(&arguments, "json", NULL);
        if (arguments_has(&arguments, "help", NULL))
                name = "help";
        else if (arguments_has(&arguments, "version", NULL))
                name = "version";
        if (name) {
                arguments.n_operands = 0;
        } else if (arguments.n_operands > 0) {
                name = *arguments.operands++;
                arguments.n_operands--;
        }
        argv = arguments.operands;
        argc = arguments.n_operands;
        arguments_deinit(&arguments);
        if (!name) {
                message("what? 'rouse help' shows the verbs");
                return EXIT_USAGE;
        }
        verb = verb_find(name);
        return verb ? run_verb(session, verb, argv, argc) : EXIT_USAGE;
}

int main(int argc, char **argv) {
        struct session session = SESSION_NULL;
        int code;

        if (occupy_standard_descriptors() < 0)
                return EXIT_FAILED;
        code = argc > 0 ? run(&session, argv + 1, argc - 1) : EXIT_USAGE;
        session_deinit(&session);
        return out_end(code);
}
