/*
 * The environment is the daemon's own without what was meant for the daemon alone, with the
 * handle's variables in place of those of the same name, and with the words between roused and
 * commands: ROUSE_HANDLE, ROUSE_SEQ, ROUSE_SENDS, ROUSE_KEYS_OVERFLOW, ROUSE_RUN_ID by which the
 * processes of the run are known (orphans.h), and ROUSE_DIR, by which the command's own `rouse`
 * finds this daemon.
 *
 * The keys stand in a sealed memory file: it takes any number of them at once, so nobody has to
 * write on while the command reads, and neither side waits for the other.
 */

#include "daemon/command-env.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/keyset.h"
#include "daemon/orphans.h"
#include "daemon/run.h"
#include "lib/cleanup.h"

static size_t count(char *const *strv) {
        size_t n = 0;

        while (strv && strv[n])
                n++;
        return n;
}

static bool is_replaced(const char *variable, char *const *added) {
        size_t n = strcspn(variable, "=") + 1;

        for (; added && *added; added++)
                if (strncmp(variable, *added, n) == 0)
                        return true;
        return false;
}

int command_env_init(struct command_env *env, const struct run *run, uint64_t run_id,
                     char *const *inherited, char *const *added) {
        size_t n = 0;

        env->variables = reallocarray(NULL, COMMAND_WORDS + count(added) + count(inherited) + 1,
                                      sizeof(*env->variables));
        if (!env->variables)
                return -ENOMEM;
        snprintf(env->words[0], COMMAND_WORD_BYTES, "ROUSE_HANDLE=%s", run->handle_name);
        snprintf(env->words[1], COMMAND_WORD_BYTES, "ROUSE_SEQ=%" PRIu64, run->result.seq);
        snprintf(env->words[2], COMMAND_WORD_BYTES, "ROUSE_SENDS=%" PRIu64, run->result.n_sends);
        snprintf(env->words[3], COMMAND_WORD_BYTES, "ROUSE_KEYS_OVERFLOW=%d",
                 keyset_has_overflown(run->keys));
        snprintf(env->words[4], COMMAND_WORD_BYTES, RUN_ID_VARIABLE "=%0*" PRIx64,
                 (int)RUN_ID_LENGTH, run_id);
        for (unsigned int i = 0; i < COMMAND_WORDS; i++)
                env->variables[n++] = env->words[i];
        for (char *const *variable = added; variable && *variable; variable++)
                env->variables[n++] = *variable;
        for (char *const *variable = inherited; *variable; variable++)
                if (!is_replaced(*variable, added))
                        env->variables[n++] = *variable;
        env->variables[n] = NULL;
        return 0;
}

void command_env_deinit(struct command_env *env) {
        free(env->variables);
        env->variables = NULL;
}

static int write_all(int fd, const char *text, size_t n_text) {
        while (n_text > 0) {
                ssize_t n = write(fd, text, n_text);

                if (n < 0)
                        return -errno;
                text += n;
                n_text -= (size_t)n;
        }
        return 0;
}

int command_open_keys(const struct keyset *keys, int *ret_fd) {
        _cleanup_close_ int fd = -1;
        const char *text;
        size_t n_text;
        int r;

        text = keyset_text(keys, &n_text);
        if (n_text == 0) {
                *ret_fd = -1;
                return 0;
        }
        fd = memfd_create("rouse-keys", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return -errno;
        r = write_all(fd, text, n_text);
        if (r < 0)
                return r;
        if (lseek(fd, 0, SEEK_SET) < 0 ||
            fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
                return -errno;
        *ret_fd = steal_fd(&fd);
        return 0;
}
