/*
 * check: what is wrong with a configuration file.
 *
 * The daemon knows what a configuration is, so this becomes `roused --check FILE`: the one beside
 * rouse, the installed one, or the first of $PATH, so that a rouse of a build or of another prefix
 * asks its own. No daemon needs to run.
 */

#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/exit-code.h"
#include "cli/message.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "cli/verbs.h"

/* The path of a roused in the directory of this program; false if that cannot be told. */
static bool beside(char *path, size_t n_path) {
        ssize_t n = readlink("/proc/self/exe", path, n_path - sizeof("/roused"));
        char *slash;

        if (n < 0)
                return false;
        path[n] = '\0';
        slash = strrchr(path, '/');
        if (!slash)
                return false;
        strcpy(slash, "/roused");
        return true;
}

static int run(struct session *session, const struct arguments *arguments) {
        char *argv[] = {"roused", "--check", "--", arguments->operands[0], NULL};
        char path[PATH_MAX];

        (void)session;
        if (beside(path, sizeof(path)))
                execv(path, argv);
        execv(ROUSE_SBINDIR "/roused", argv);
        execvp("roused", argv);
        message("cannot run roused, which does the check: %s; it is neither beside rouse, nor in "
                "%s, nor in $PATH",
                strerror(errno), ROUSE_SBINDIR);
        return EXIT_FAILED;
}

const struct verb verb_check = {
        .name = "check",
        .operands = "FILE",
        .least = 1,
        .most = 1,
        .summary = "print what is wrong with a configuration file",
        .help = "\nNeeds no running daemon. Exits with 0 if nothing is wrong, else with 1.\n",
        .run = run,
};
