/* See the header. The pieces are the real ones but for the daemon itself. */

#include "config.h"

#include "tests/stand-in.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/conf-error.h"
#include "daemon/configuration.h"
#include "daemon/control.h"
#include "daemon/daemon.h"
#include "lib/cleanup.h"
#include "lib/clock.h"

const struct poke *daemon_poke(const struct daemon *daemon) {
        (void)daemon;
        return NULL;
}

void reload_result_deinit(struct reload_result *result) {
        registry_changes_deinit(&result->changes);
}

int daemon_reload(struct daemon *daemon, struct conf_errors *errors, struct reload_result *ret) {
        daemon->n_reloads++;
        if (daemon->reload_result == -EINVAL) {
                conf_error(errors, NULL, "there is \"no\" such thing");
                return -EINVAL;
        }
        if (daemon->reload_result < 0)
                return daemon->reload_result;
        *ret = (struct reload_result){
                .error = daemon->reload_error,
                .complaint = "something is missing",
        };
        ret->changes.added = calloc(2, sizeof(char *));
        ret->changes.added[0] = strdup("new");
        return 0;
}

void daemon_shutdown(struct daemon *daemon) {
        daemon->is_stopping = true;
        control_shut_down(daemon->control);
}

static int listen_at(const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0)
                return -errno;
        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);
        unlink(path); /* of one that was killed */
        if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 4096) < 0)
                return -errno;
        return steal_fd(&fd);
}

static int load(const char *yaml, struct configuration **ret) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        int r = configuration_parse("test.yaml", yaml, strlen(yaml), &errors, ret);

        for (size_t i = 0; i < errors.n_items; i++) {
                _cleanup_free_ char *text = conf_error_format(&errors.items[i]);

                fprintf(stderr, "%s\n", text ?: strerror(ENOMEM));
        }
        conf_errors_deinit(&errors);
        return r;
}

int stand_in_init(struct daemon *daemon, const char *dir, const char *yaml) {
        _cleanup_free_ char *seq_path = NULL;
        struct configuration *configuration;
        int r, fd;

        *daemon = (struct daemon){.is_stopping = false};
        if (asprintf(&daemon->path, "%s/control.sock", dir) < 0 ||
            asprintf(&seq_path, "%s/seq", dir) < 0)
                return -ENOMEM;
        if ((r = load(yaml, &configuration)) < 0 ||
            (r = core_init(&daemon->core, configuration)) < 0 ||
            (r = core_open(&daemon->core, dir, seq_path)) < 0)
                return r;
        daemon->core.started_ns -= 5 * NS_PER_S;
        fd = listen_at(daemon->path);
        return fd < 0 ? fd : control_new_consume_fd(&daemon->core, daemon, fd, &daemon->control);
}

int stand_in_deinit(struct daemon *daemon) {
        daemon->control = control_close(daemon->control);
        free(daemon->path);
        return core_close(&daemon->core);
}
