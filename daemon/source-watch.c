/*
 * watch: sends when a file or a directory changes, with the path that changed as the key. All the
 * work is in watch-path.c.
 *
 * When changes were lost in the kernel, the send says that keys are missing. When a key finds no
 * room on its way, the send is made without it at once, and another one that says the same follows
 * as soon as there is room.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf-schema.h"
#include "daemon/outlet.h"
#include "daemon/source-kinds.h"
#include "daemon/source.h"
#include "daemon/watch-path.h"
#include "lib/list.h"

struct watch_conf {
        struct source_conf conf;
        char *path;
        bool recursive;
};

struct watch_source {
        struct source source;
        struct outlet *outlet;
        struct watch_path *path;
        uv_timer_t retry; /* runs while `lost` */
        bool lost;        /* a key found no room, and nobody was told yet */
};

#define RETRY_MS 5

static const struct conf_key watch_keys[] = {
        {"watch", conf_path, offsetof(struct watch_conf, path), .required = true},
        {"recursive", conf_bool, offsetof(struct watch_conf, recursive)},
        {0},
};

static bool watch_equal(const struct source_conf *a, const struct source_conf *b) {
        const struct watch_conf *x = container_of(a, const struct watch_conf, conf);
        const struct watch_conf *y = container_of(b, const struct watch_conf, conf);

        return strcmp(x->path, y->path) == 0 && x->recursive == y->recursive;
}

static void watch_deinit(struct source_conf *conf) {
        free(container_of(conf, struct watch_conf, conf)->path);
}

static void tell_loss(struct watch_source *self) {
        if (self->lost && outlet_send_overflow(self->outlet) == 0) {
                self->lost = false;
                uv_timer_stop(&self->retry);
        }
}

static void on_retry(uv_timer_t *timer) {
        tell_loss(timer->data);
}

static void watch_on_change(void *arg, const char *path) {
        struct watch_source *self = arg;
        int r;

        r = path ? outlet_send_named(self->outlet, NULL, path, strlen(path))
                 : outlet_send_overflow(self->outlet);
        if (r == 0)
                return;
        outlet_send(self->outlet);
        if (!self->lost)
                (void)uv_timer_start(&self->retry, on_retry, RETRY_MS, RETRY_MS);
        self->lost = true;
        tell_loss(self);
}

static void on_closed(uv_handle_t *timer) {
        free(timer->data);
}

static int watch_open(uv_loop_t *loop, const struct source_conf *conf, struct outlet *outlet,
                      struct source **ret) {
        const struct watch_conf *watch = container_of(conf, const struct watch_conf, conf);
        struct watch_source *self = malloc(sizeof(*self));
        int r;

        if (!self)
                return -ENOMEM;
        *self = (struct watch_source){.outlet = outlet};
        r = watch_path_new(loop, watch->path, watch->recursive ? WATCH_PATH_RECURSIVE : 0,
                           conf->place, watch_on_change, self, &self->path);
        if (r < 0) {
                free(self);
                return r;
        }
        (void)uv_timer_init(loop, &self->retry); /* cannot fail */
        self->retry.data = self;
        *ret = &self->source;
        return 0;
}

static void watch_close(struct source *source) {
        struct watch_source *self = container_of(source, struct watch_source, source);

        watch_path_catch_up(self->path);
        watch_path_free(self->path);
        tell_loss(self);
        uv_close((uv_handle_t *)&self->retry, on_closed);
}

const struct source_kind source_watch = {
        .key = "watch",
        .conf_size = sizeof(struct watch_conf),
        .has_target = true,
        .keys = watch_keys,
        .equal = watch_equal,
        .deinit = watch_deinit,
        .open = watch_open,
        .close = watch_close,
};
