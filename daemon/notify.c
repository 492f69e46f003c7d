/*
 * The one owner of libsystemd. The calls it makes are small and the environment decides whether
 * they do anything, so there is no object to carry around.
 *
 * A descriptor that is handed over is told by its name, "poke" or "control", where two socket units
 * gave it one. One unit gives all its sockets the same name; then the type tells, because no two
 * of ours are of one type. The type is checked in any case: a unit file is input.
 *
 * The watchdog's timer runs on the loop and on nothing else: a loop that hangs sends no ping.
 */

#include "config.h"

#include "daemon/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/list.h"

#ifdef HAVE_LIBSYSTEMD

#include <systemd/sd-daemon.h>

struct notify_watchdog {
        uv_timer_t timer;
};

void notify_ready(void) {
        sd_notify(0, "READY=1");
}

void notify_reloading(void) {
        /* Type=notify-reload tells by the time stamp which of two reloads this one answers. */
        sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
                   (unsigned long long)(clock_now_ns() / 1000));
}

void notify_stopping(void) {
        sd_notify(0, "STOPPING=1");
}

void notify_status(const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list args;
        int r;

        va_start(args, format);
        r = vasprintf(&text, format, args);
        va_end(args);
        if (r < 0) {
                text = NULL;
                return;
        }
        /* A newline would begin a message of its own. */
        for (char *c = text; (c = strchr(c, '\n'));)
                *c = ' ';
        sd_notifyf(0, "STATUS=%s", text);
}

static void ping(uv_timer_t *timer) {
        (void)timer;
        sd_notify(0, "WATCHDOG=1");
}

static void on_timer_closed(uv_handle_t *timer) {
        free(container_of(timer, struct notify_watchdog, timer));
}

int notify_watchdog_new(uv_loop_t *loop, struct notify_watchdog **ret) {
        struct notify_watchdog *watchdog;
        uint64_t interval_us, period_ms;
        int r;

        /* This also takes the variables out of the environment, where runs would find them. */
        r = sd_watchdog_enabled(1, &interval_us);
        if (r < 0)
                return r;
        if (r == 0) {
                *ret = NULL;
                return 0;
        }
        period_ms = interval_us / 2000;
        if (period_ms == 0)
                period_ms = 1;
        watchdog = calloc(1, sizeof(*watchdog));
        if (!watchdog)
                return -ENOMEM;
        uv_timer_init(loop, &watchdog->timer); /* has no way to fail */
        uv_unref((uv_handle_t *)&watchdog->timer);
        r = uv_timer_start(&watchdog->timer, ping, 0, period_ms);
        if (r < 0) {
                notify_watchdog_free(watchdog);
                return r;
        }
        *ret = watchdog;
        return 0;
}

struct notify_watchdog *notify_watchdog_free(struct notify_watchdog *watchdog) {
        if (watchdog && !uv_is_closing((uv_handle_t *)&watchdog->timer))
                uv_close((uv_handle_t *)&watchdog->timer, on_timer_closed);
        return NULL;
}

enum kind { KIND_POKE, KIND_CONTROL, N_KINDS };

static const struct {
        const char *name;
        int type;
        int listening; /* as sd_is_socket_unix() has it */
} kinds[N_KINDS] = {
        [KIND_POKE] = {.name = "poke", .type = SOCK_DGRAM, .listening = -1},
        [KIND_CONTROL] = {.name = "control", .type = SOCK_STREAM, .listening = 1},
};

/* The kind of a descriptor, -EPROTOTYPE if it is none of ours. */
static int tell_kind(int fd, const char *name) {
        int named = -1;

        for (int kind = 0; kind < N_KINDS; kind++) {
                if (strcmp(name, kinds[kind].name) == 0)
                        named = kind;
        }
        for (int kind = 0; kind < N_KINDS; kind++) {
                int r = sd_is_socket_unix(fd, kinds[kind].type, kinds[kind].listening, NULL, 0);

                if (r < 0)
                        return r;
                if (r > 0)
                        return named < 0 || named == kind ? kind : -EPROTOTYPE;
        }
        return -EPROTOTYPE;
}

static void free_strv(char **strv) {
        for (char **s = strv; s && *s; s++)
                free(*s);
        free(strv);
}

int notify_take_sockets(int *ret_poke_fd, int *ret_control_fd) {
        int fds[N_KINDS] = {-1, -1};
        char **names = NULL;
        int n, r;

        n = sd_listen_fds_with_names(1, &names); /* and makes them close-on-exec */
        if (n < 0)
                return n;
        r = 0;
        for (int i = 0; i < n; i++) {
                _cleanup_close_ int fd = SD_LISTEN_FDS_START + i;
                int kind = r < 0 ? r : tell_kind(fd, names[i]);

                if (kind >= 0 && fds[kind] >= 0)
                        kind = -EEXIST;
                if (kind < 0) {
                        r = kind;
                        continue;
                }
                if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
                        r = -errno;
                        continue;
                }
                fds[kind] = steal_fd(&fd);
        }
        free_strv(names);
        if (r < 0) {
                close_fd(fds[KIND_POKE]);
                close_fd(fds[KIND_CONTROL]);
                return r;
        }
        *ret_poke_fd = fds[KIND_POKE];
        *ret_control_fd = fds[KIND_CONTROL];
        return 0;
}

#else

void notify_ready(void) {
}

void notify_reloading(void) {
}

void notify_stopping(void) {
}

void notify_status(const char *format, ...) {
        (void)format;
}

int notify_watchdog_new(uv_loop_t *loop, struct notify_watchdog **ret) {
        (void)loop;
        *ret = NULL;
        return 0;
}

struct notify_watchdog *notify_watchdog_free(struct notify_watchdog *watchdog) {
        (void)watchdog;
        return NULL;
}

int notify_take_sockets(int *ret_poke_fd, int *ret_control_fd) {
        *ret_poke_fd = -1;
        *ret_control_fd = -1;
        return 0;
}

#endif
