/*
 * What systemd documents as stable in sd_notify(3), sd_watchdog_enabled(3) and sd_listen_fds(3): a
 * datagram to the socket of an environment variable, and three numbers in others. It is done here
 * and not by libsystemd, because that brings seven libraries more, of compression and ciphers,
 * which make the daemon half as large again.
 *
 * The environment decides whether the calls do anything, so there is no object to carry around.
 *
 * A descriptor that is handed over is told by its name, "poke" or "control", where two socket units
 * gave it one. One unit gives all its sockets the same name; then the type tells, because no two
 * of ours are of one type. The type is checked in any case: a unit file is input.
 *
 * The watchdog's timer runs on the loop and on nothing else: a loop that hangs sends no ping.
 */

#include "daemon/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/list.h"

#define FIRST_FD 3 /* of those that are handed over */

struct notify_watchdog {
        uv_timer_t timer;
};

/* Nobody is told if it fails: the service manager notices by itself what it does not hear. */
static void tell(const char *text) {
        const char *path = getenv("NOTIFY_SOCKET");
        size_t n_path = path ? strlen(path) : 0;
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_close_ int fd = -1;

        if (n_path < 2 || n_path >= sizeof(address.sun_path) || !strchr("/@", *path))
                return;
        memcpy(address.sun_path, path, n_path);
        if (*path == '@')
                address.sun_path[0] = '\0'; /* a name of the abstract namespace */
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return;
        (void)sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address,
                     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n_path));
}

/* A number in the environment. 0, -ENOENT, -EINVAL. */
static int read_variable(const char *name, unsigned long long *ret) {
        const char *text = getenv(name);
        unsigned long long value;
        char *end;

        if (!text)
                return -ENOENT;
        errno = 0;
        value = strtoull(text, &end, 10);
        if (!strchr("0123456789", *text) || end == text || *end || errno)
                return -EINVAL;
        *ret = value;
        return 0;
}

/* Whether variables are meant for this process, and not for one further up that forgot to take them
 * away; `name` says for which. 1, 0, -EINVAL; without the variable *missing. */
static int is_for_us(const char *name, int missing) {
        unsigned long long pid;
        int r = read_variable(name, &pid);

        if (r == -ENOENT)
                return missing;
        return r < 0 ? r : pid == (unsigned long long)getpid();
}

void notify_ready(void) {
        tell("READY=1");
}

void notify_reloading(void) {
        char text[64];

        /* Type=notify-reload tells by the time stamp which of two reloads this one answers. */
        snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
                 (unsigned long long)(clock_now_ns() / 1000));
        tell(text);
}

void notify_stopping(void) {
        tell("STOPPING=1");
}

void notify_status(const char *format, ...) {
        char text[512] = "STATUS=";
        const size_t n = strlen(text);
        va_list args;

        va_start(args, format);
        vsnprintf(text + n, sizeof(text) - n, format, args);
        va_end(args);
        /* A newline would begin a message of its own. */
        for (char *c = text; (c = strchr(c, '\n'));)
                *c = ' ';
        tell(text);
}

static void ping(uv_timer_t *timer) {
        (void)timer;
        tell("WATCHDOG=1");
}

static void on_timer_closed(uv_handle_t *timer) {
        free(container_of(timer, struct notify_watchdog, timer));
}

/* 1, 0: not asked for, -EINVAL. Takes the variables away: runs would find them. */
static int take_watchdog(unsigned long long *ret_interval_us) {
        int r = is_for_us("WATCHDOG_PID", 1);

        if (r > 0) {
                r = read_variable("WATCHDOG_USEC", ret_interval_us);
                if (r == 0)
                        r = *ret_interval_us > 0 ? 1 : -EINVAL;
                else if (r == -ENOENT)
                        r = 0;
        }
        unsetenv("WATCHDOG_PID");
        unsetenv("WATCHDOG_USEC");
        return r;
}

int notify_watchdog_new(uv_loop_t *loop, struct notify_watchdog **ret) {
        struct notify_watchdog *watchdog;
        unsigned long long interval_us;
        uint64_t period_ms;
        int r;

        r = take_watchdog(&interval_us);
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
        bool is_listening;
} kinds[N_KINDS] = {
        [KIND_POKE] = {.name = "poke", .type = SOCK_DGRAM},
        [KIND_CONTROL] = {.name = "control", .type = SOCK_STREAM, .is_listening = true},
};

static int get_option(int fd, int option, int *ret) {
        socklen_t n = sizeof(*ret);

        return getsockopt(fd, SOL_SOCKET, option, ret, &n) < 0 ? -errno : 0;
}

/* The kind of a descriptor by its name (n_name bytes) and by what it is; -EPROTOTYPE if it is none
 * of ours. */
static int tell_kind(int fd, const char *name, size_t n_name) {
        int domain, type, is_listening, named = -1;

        for (int kind = 0; kind < N_KINDS; kind++)
                if (strlen(kinds[kind].name) == n_name &&
                    memcmp(name, kinds[kind].name, n_name) == 0)
                        named = kind;
        if (get_option(fd, SO_DOMAIN, &domain) < 0 || get_option(fd, SO_TYPE, &type) < 0 ||
            get_option(fd, SO_ACCEPTCONN, &is_listening) < 0)
                return errno == ENOTSOCK ? -EPROTOTYPE : -errno;
        for (int kind = 0; domain == AF_UNIX && kind < N_KINDS; kind++)
                if (kinds[kind].type == type && kinds[kind].is_listening == (is_listening != 0))
                        return named < 0 || named == kind ? kind : -EPROTOTYPE;
        return -EPROTOTYPE;
}

/* How many descriptors were handed over, all of them close-on-exec now; or negative errno. */
static int count_fds(void) {
        unsigned long long n = 0;
        int r = is_for_us("LISTEN_PID", 0);

        if (r <= 0)
                return r;
        r = read_variable("LISTEN_FDS", &n);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        if (n > INT_MAX - FIRST_FD)
                return -EINVAL;
        for (int fd = FIRST_FD; fd < FIRST_FD + (int)n; fd++)
                if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
                        return -errno;
        return (int)n;
}

/* Sorts the n descriptors, whose names stand in `names` with colons between them; closes all that
 * it does not take. 0; negative errno if one of them is not what was asked for. */
static int sort_fds(int n, const char *names, int fds[N_KINDS]) {
        int r = 0;

        for (int i = 0; i < n; i++) {
                _cleanup_close_ int fd = FIRST_FD + i;
                size_t n_name = strcspn(names, ":");
                int kind = r < 0 ? r : tell_kind(fd, names, n_name);

                names += n_name + (names[n_name] == ':');
                if (kind >= 0 && fds[kind] >= 0)
                        kind = -EEXIST;
                if (kind >= 0 && fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
                        kind = -errno;
                if (kind < 0)
                        r = kind;
                else
                        fds[kind] = steal_fd(&fd);
        }
        return r;
}

int notify_take_sockets(int *ret_poke_fd, int *ret_control_fd) {
        int fds[N_KINDS] = {-1, -1};
        int n, r;

        n = count_fds();
        r = n < 0 ? n : sort_fds(n, getenv("LISTEN_FDNAMES") ?: "", fds);
        unsetenv("LISTEN_PID"); /* runs would find them */
        unsetenv("LISTEN_FDS");
        unsetenv("LISTEN_FDNAMES");
        if (r < 0) {
                close_fd(fds[KIND_POKE]);
                close_fd(fds[KIND_CONTROL]);
                return r;
        }
        *ret_poke_fd = fds[KIND_POKE];
        *ret_control_fd = fds[KIND_CONTROL];
        return 0;
}
