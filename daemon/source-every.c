/*
 * every: sends once a period.
 *
 * The deadlines are a row of instants on the monotonic clock that is fixed when the source opens,
 * so nothing drifts. The loop's timers count milliseconds from the loop's own idea of now; the
 * delay is rounded up against that, and so no send comes early. Whoever comes late sends once, for
 * all deadlines that were passed.
 */

#include <errno.h>
#include <stdlib.h>

#include "daemon/conf-node.h"
#include "daemon/conf-schema.h"
#include "daemon/outlet.h"
#include "daemon/period.h"
#include "daemon/source-kinds.h"
#include "daemon/source.h"
#include "lib/clock.h"
#include "lib/list.h"

#define PERIOD_MIN_NS NS_PER_MS /* what the loop's timers can tell apart */

struct every_conf {
        struct source_conf conf;
        uint64_t period_ns;
};

struct every {
        struct source source;
        struct outlet *outlet;
        uint64_t period_ns;
        uint64_t due_ns;
        uv_timer_t timer;
};

static int conf_period(struct conf_errors *errors, const struct conf_node *node, void *field) {
        uint64_t period_ns;
        int r;

        r = conf_timespan(errors, node, &period_ns);
        if (r < 0)
                return r;
        if (period_ns < PERIOD_MIN_NS)
                return conf_error(errors, node, "a period must be at least 1ms");
        *(uint64_t *)field = period_ns;
        return 0;
}

static const struct conf_key every_keys[] = {
        {"every", conf_period, offsetof(struct every_conf, period_ns), .required = true},
        {0},
};

static bool every_equal(const struct source_conf *a, const struct source_conf *b) {
        return container_of(a, const struct every_conf, conf)->period_ns ==
               container_of(b, const struct every_conf, conf)->period_ns;
}

static void every_on_timer(uv_timer_t *timer);

static void every_arm(struct every *every) {
        uint64_t due_ms = every->due_ns / NS_PER_MS + (every->due_ns % NS_PER_MS != 0);
        uint64_t now_ms;

        uv_update_time(every->timer.loop);
        now_ms = uv_now(every->timer.loop);
        /* cannot fail: there is a callback, and the timer is not closing */
        (void)uv_timer_start(&every->timer, every_on_timer, due_ms > now_ms ? due_ms - now_ms : 0,
                             0);
}

static void every_on_timer(uv_timer_t *timer) {
        struct every *every = timer->data;
        uint64_t now_ns = clock_now_ns();

        if (now_ns >= every->due_ns) {
                every->due_ns = period_next(every->due_ns, every->period_ns, now_ns);
                outlet_send(every->outlet);
        }
        every_arm(every);
}

static int every_open(uv_loop_t *loop, const struct source_conf *conf, struct outlet *outlet,
                      struct source **ret) {
        struct every *every = malloc(sizeof(*every));
        uint64_t now_ns = clock_now_ns();

        if (!every)
                return -ENOMEM;
        *every = (struct every){
                .outlet = outlet,
                .period_ns = container_of(conf, const struct every_conf, conf)->period_ns,
        };
        every->due_ns = period_next(now_ns, every->period_ns, now_ns);
        (void)uv_timer_init(loop, &every->timer);
        every->timer.data = every;
        every_arm(every);
        *ret = &every->source;
        return 0;
}

static void every_on_close(uv_handle_t *handle) {
        free(handle->data);
}

static void every_close(struct source *source) {
        struct every *every = container_of(source, struct every, source);

        uv_close((uv_handle_t *)&every->timer, every_on_close);
}

const struct source_kind source_every = {
        .key = "every",
        .conf_size = sizeof(struct every_conf),
        .has_target = true,
        .keys = every_keys,
        .equal = every_equal,
        .open = every_open,
        .close = every_close,
};
