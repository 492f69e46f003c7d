#include "daemon/run-env.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"

static bool is_private(const char *variable) {
        static const char *const names[] = {
                "NOTIFY_SOCKET",     "LISTEN_FDS",      "LISTEN_FDNAMES", "LISTEN_PID",
                "WATCHDOG_PID",      "WATCHDOG_USEC",   "JOURNAL_STREAM", "MAINPID",
                "RUNTIME_DIRECTORY", "STATE_DIRECTORY", "INVOCATION_ID",  "ROUSE_DIR",
                "ROUSE_HANDLE",      "ROUSE_SEQ",       "ROUSE_SENDS",    "ROUSE_KEYS_OVERFLOW",
                "ROUSE_RUN_ID",
        };
        size_t n = strcspn(variable, "=");

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
                if (strlen(names[i]) == n && memcmp(names[i], variable, n) == 0)
                        return true;
        return false;
}

char **run_env_free(char **env) {
        for (char **variable = env; variable && *variable; variable++)
                free(*variable);
        free(env);
        return NULL;
}
DEFINE_CLEANUP(char **, run_env_free)

int run_env_new(const char *dir, char ***ret) {
        _cleanup_(run_env_freep) char **env = NULL;
        _cleanup_free_ char *absolute = NULL;
        size_t n = 0;

        while (environ[n])
                n++;
        env = calloc(n + 2, sizeof(*env));
        if (!env)
                return -ENOMEM;
        n = 0;
        for (char **variable = environ; *variable; variable++) {
                if (is_private(*variable))
                        continue;
                env[n] = strdup(*variable);
                if (!env[n++])
                        return -ENOMEM;
        }
        /* A run may have another working directory. A path that is absolute stays as it was given:
         * a link in it may be meant to lead elsewhere later. */
        if (dir[0] != '/')
                absolute = realpath(dir, NULL);
        if (asprintf(&env[n], "ROUSE_DIR=%s", absolute ?: dir) < 0) {
                env[n] = NULL;
                return -ENOMEM;
        }
        *ret = steal_ptr(env);
        return 0;
}
