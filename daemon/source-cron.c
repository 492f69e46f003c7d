/*
 * cron: sends at times of the calendar.
 *
 * One timerfd on the real-time clock, armed with the absolute time that is due. The kernel ends the
 * wait early (ECANCELED) when the clock is set, also at the end of a suspension; then cron.c
 * decides what it means. How far the clock was set is what its distance to the boot-time clock
 * changed by, because that one runs on in suspension and cannot be set.
 *
 * The zone is read again each time, and when /etc/localtime is replaced while a wait goes on.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>

#include "daemon/conf-node.h"
#include "daemon/conf-schema.h"
#include "daemon/cron.h"
#include "daemon/outlet.h"
#include "daemon/source-kinds.h"
#include "daemon/source.h"
#include "daemon/watch-path.h"
#include "lib/cleanup.h"
#include "lib/list.h"

#define LAST_TIME_S (INT64_MAX / (1000 * 1000 * 1000)) /* of the kernel's clocks */

struct cron_conf {
        struct source_conf conf;
        struct cron cron;
};

struct cron_source {
        struct source source;
        struct outlet *outlet;
        const struct cron *cron;
        struct cron_plan plan;
        int64_t offset_s; /* between the two clocks when the plan was made */
        int timer_fd;
        uv_poll_t poll;
        struct watch_path *zone; /* NULL: $TZ says it, for good */
};

static int conf_cron(struct conf_errors *errors, const struct conf_node *node, void *field) {
        _cleanup_free_ char *text = NULL, *reason = NULL;
        int r;

        r = conf_string(errors, node, &text);
        if (r < 0)
                return r;
        r = cron_parse(text, field, &reason);
        if (r == -EINVAL)
                return conf_error(errors, node, "%s", reason);
        return r;
}

static const struct conf_key cron_keys[] = {
        {"cron", conf_cron, offsetof(struct cron_conf, cron), .required = true},
        {0},
};

static bool cron_conf_equal(const struct source_conf *a, const struct source_conf *b) {
        return cron_equal(&container_of(a, const struct cron_conf, conf)->cron,
                          &container_of(b, const struct cron_conf, conf)->cron);
}

/* Both clocks, so close together that no setting of one comes between. */
static void read_clocks(int64_t *ret_now_s, int64_t *ret_offset_s) {
        struct timespec real, boot, again;

        clock_gettime(CLOCK_REALTIME, &again);
        do {
                real = again;
                clock_gettime(CLOCK_BOOTTIME, &boot);
                clock_gettime(CLOCK_REALTIME, &again);
        } while (again.tv_sec < real.tv_sec || again.tv_sec > real.tv_sec + 1);
        *ret_now_s = real.tv_sec;
        *ret_offset_s = real.tv_sec - boot.tv_sec;
}

static void cron_arm(struct cron_source *self) {
        /* Where there is no next time, the timer still waits for the clock to be set. */
        int64_t due_s = self->plan.due_s < LAST_TIME_S ? self->plan.due_s : LAST_TIME_S;
        struct itimerspec spec = {.it_value.tv_sec = due_s > 0 ? due_s : 1};

        /* cannot fail: the descriptor is a timer's, and the time is legal */
        (void)timerfd_settime(self->timer_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec,
                              NULL);
}

/* Makes one step of the plan and waits for the next. */
static void cron_advance(struct cron_source *self) {
        int64_t now_s, offset_s;
        bool due = false;

        tzset();
        read_clocks(&now_s, &offset_s);
        do {
                due = cron_plan_advance(&self->plan, self->cron, now_s,
                                        offset_s - self->offset_s) ||
                      due;
                self->offset_s = offset_s;
                cron_arm(self);
                /* Set before the timer was there to notice? A second is what rounding makes. */
                read_clocks(&now_s, &offset_s);
        } while (llabs(offset_s - self->offset_s) > 1);
        if (due)
                outlet_send(self->outlet);
}

static void cron_on_timer(uv_poll_t *poll, int status, int events) {
        struct cron_source *self = poll->data;
        uint64_t n_expired;

        (void)status;
        (void)events;
        if (read(self->timer_fd, &n_expired, sizeof(n_expired)) < 0 && errno != ECANCELED)
                return; /* nothing has come after all */
        cron_advance(self);
}

static void cron_on_zone(void *arg, const char *path) {
        (void)path;
        cron_advance(arg);
}

static void cron_on_close(uv_handle_t *handle) {
        free(handle->data);
}

static void cron_close(struct source *source) {
        struct cron_source *self = container_of(source, struct cron_source, source);

        self->zone = watch_path_free(self->zone);
        uv_close((uv_handle_t *)&self->poll, cron_on_close);
        self->timer_fd = close_fd(self->timer_fd);
}

static int cron_open(uv_loop_t *loop, const struct source_conf *conf, struct outlet *outlet,
                     struct source **ret) {
        _cleanup_free_ struct cron_source *self = malloc(sizeof(*self));
        _cleanup_close_ int timer_fd = -1;
        int64_t now_s;
        int r;

        if (!self)
                return -ENOMEM;
        *self = (struct cron_source){
                .outlet = outlet,
                .cron = &container_of(conf, const struct cron_conf, conf)->cron,
        };
        timer_fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
        if (timer_fd < 0)
                return -errno;
        if (!getenv("TZ")) {
                r = watch_path_new(loop, "/etc/localtime", WATCH_PATH_NAME_ONLY, conf->place,
                                   cron_on_zone, self, &self->zone);
                if (r < 0)
                        return r;
        }
        r = uv_poll_init(loop, &self->poll, timer_fd);
        if (r < 0) {
                watch_path_free(self->zone);
                return r;
        }
        self->poll.data = self;
        (void)uv_poll_start(&self->poll, UV_READABLE, cron_on_timer);
        self->timer_fd = steal_fd(&timer_fd);
        tzset();
        read_clocks(&now_s, &self->offset_s);
        cron_plan_init(&self->plan, self->cron, now_s);
        cron_arm(self);
        *ret = &steal_ptr(self)->source;
        return 0;
}

const struct source_kind source_cron = {
        .key = "cron",
        .conf_size = sizeof(struct cron_conf),
        .has_target = true,
        .keys = cron_keys,
        .equal = cron_conf_equal,
        .open = cron_open,
        .close = cron_close,
};
