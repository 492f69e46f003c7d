/*
 * check: what is wrong with a configuration file.
 *
 * The daemon knows what a configuration is, so this becomes `roused --check FILE`: the one that
 * came with this rouse, the installed one, or the first of $PATH, so that a rouse of a build or of
 * another prefix asks its own. No daemon needs to run.
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

/* Where a roused lies that came with this rouse, seen from rouse's own directory: unpacked beside
 * it, installed, built. */
static const char *const own[] = {"roused", "../sbin/roused", "../daemon/roused"};

/* Becomes this rouse's own roused, if there is one. */
static void become_own(char **argv) {
        char path[PATH_MAX];
        ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
        char *slash;

        if (n < 0)
                return;
        path[n] = '\0';
        slash = strrchr(path, '/');
        for (size_t i = 0; slash && i < sizeof(own) / sizeof(*own); i++) {
                if (strlen(own[i]) >= (size_t)(path + sizeof(path) - (slash + 1)))
                        continue;
                strcpy(slash + 1, own[i]);
                execv(path, argv);
        }
}

static int run(struct session *session, const struct arguments *arguments) {
        char *argv[] = {"roused", "--check", "--", arguments->operands[0], NULL};

        (void)session;
        become_own(argv);
        execv(ROUSE_SBINDIR "/roused", argv);
        execvp("roused", argv);
        message("cannot run roused, which does the check: %s; it is neither near rouse, nor in %s, "
                "nor in $PATH",
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
