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
#include "daemon/deadline.h"
#include "daemon/reaper.h"
#include "daemon/registry-setup.h"
#include "daemon/registry.h"
#include "daemon/seqfile.h"
#include "lib/cleanup.h"
#include "lib/clock.h"

uv_loop_t *daemon_loop(struct daemon *daemon) {
        return &daemon->loop;
}

rouse_hub_t *daemon_hub(struct daemon *daemon) {
        return daemon->hub;
}

struct registry *daemon_registry(struct daemon *daemon) {
        return daemon->registry;
}

const struct poke *daemon_poke(const struct daemon *daemon) {
        (void)daemon;
        return NULL;
}

const struct access_rules *daemon_access(const struct daemon *daemon) {
        return daemon->configuration->access;
}

uint64_t daemon_started_ns(const struct daemon *daemon) {
        (void)daemon;
        return clock_now_ns() - 5 * NS_PER_S;
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
        *ret = (struct reload_result){0};
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

static int load(struct daemon *daemon, const char *yaml) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        int r = configuration_parse("test.yaml", yaml, strlen(yaml), &errors,
                                    &daemon->configuration);

        for (size_t i = 0; i < errors.n_items; i++) {
                _cleanup_free_ char *text = conf_error_format(&errors.items[i]);

                fprintf(stderr, "%s\n", text ?: strerror(ENOMEM));
        }
        conf_errors_deinit(&errors);
        return r;
}

static int open_registry(struct daemon *daemon, const char *seq_path) {
        static char *env[] = {"PATH=/usr/bin:/bin", NULL};
        struct registry_changes changes = {0};
        struct registry_setup setup;
        int r, error;

        if ((r = deadline_queue_new(&daemon->loop, NULL, &daemon->deadlines)) < 0 ||
            (r = seqfile_open(seq_path, &error, &daemon->seqfile)) < 0 ||
            (r = reaper_new(&daemon->loop, &daemon->reaper)) < 0)
                return r;
        setup = (struct registry_setup){
                .loop = &daemon->loop,
                .hub = daemon->hub,
                .deadlines = daemon->deadlines,
                .seqfile = daemon->seqfile,
                .reaper = daemon->reaper,
                .env = env,
        };
        r = registry_new(&setup, &daemon->registry);
        if (r < 0)
                return r;
        r = registry_apply(daemon->registry, daemon->configuration, &changes);
        registry_changes_deinit(&changes);
        return r;
}

int stand_in_init(struct daemon *daemon, const char *dir, const char *yaml) {
        _cleanup_free_ char *seq_path = NULL;
        int r, fd;

        *daemon = (struct daemon){.is_stopping = false};
        if (asprintf(&daemon->path, "%s/control.sock", dir) < 0 ||
            asprintf(&seq_path, "%s/seq", dir) < 0)
                return -ENOMEM;
        if ((r = load(daemon, yaml)) < 0 || (r = uv_loop_init(&daemon->loop)) < 0 ||
            (r = rouse_hub_create(&daemon->loop, &daemon->hub)) < 0 ||
            (r = open_registry(daemon, seq_path)) < 0)
                return r;
        fd = listen_at(daemon->path);
        return fd < 0 ? fd : control_new_consume_fd(daemon, fd, &daemon->control);
}

static void on_control_closed(void *arg) {
        struct daemon *daemon = arg;

        daemon->is_closed = true;
}

int stand_in_deinit(struct daemon *daemon) {
        int r;

        control_close(daemon->control, on_control_closed, daemon);
        daemon->registry = registry_free(daemon->registry);
        rouse_hub_close(daemon->hub, NULL, NULL);
        daemon->deadlines = deadline_queue_close(daemon->deadlines);
        daemon->reaper = reaper_close(daemon->reaper);
        uv_run(&daemon->loop, UV_RUN_DEFAULT);
        r = uv_loop_close(&daemon->loop);
        daemon->seqfile = seqfile_close(daemon->seqfile);
        daemon->configuration = configuration_unref(daemon->configuration);
        free(daemon->path);
        return r;
}
