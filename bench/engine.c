/* See the header. Nothing is closed: a measurement has a process of its own. */

#include "bench/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench/measure.h"

const char *const engine_names[N_ENGINES] = {
        [ENGINE_ROUSE] = "rouse",
        [ENGINE_UV] = "uv_async",
        [ENGINE_EVENTFD] = "eventfd + epoll",
};

static void *must(void *p) {
        if (!p)
                die("out of memory");
        return p;
}

static uint32_t *permutation(size_t n, bool shuffle) {
        uint32_t *order = must(calloc(n, sizeof(*order)));
        uint64_t seed = 1;

        for (size_t i = 0; i < n; i++) {
                size_t k = shuffle ? next_random(&seed) % (i + 1) : i;

                order[i] = order[k];
                order[k] = (uint32_t)i;
        }
        return order;
}

static void on_rouse(rouse_async_t *async, uint64_t n_sends) {
        struct engine *engine = rouse_async_data(async);

        (void)n_sends;
        engine->on_wake(engine);
}

static void on_uv(uv_async_t *async) {
        struct engine *engine = async->data;

        engine->on_wake(engine);
}

static void open_rouse(struct engine *engine, size_t n, enum engine_layout layout) {
        char name[32];

        if (rouse_hub_create(&engine->loop, &engine->hub) < 0)
                die("cannot make a hub");
        engine->handles = must(calloc(n, sizeof(*engine->handles)));
        engine->order = permutation(n, layout == LAYOUT_SHUFFLED);
        for (size_t i = 0; i < n; i++) {
                snprintf(name, sizeof(name), "handle-%07zu", i);
                if (rouse_async_create(engine->hub, layout == LAYOUT_NAMED ? name : NULL, on_rouse,
                                       engine, &engine->handles[engine->order[i]]) < 0)
                        die("cannot make handle %zu", i);
        }
        rouse_async_start(engine->handles[0]);
}

static void open_uv(struct engine *engine, size_t n, enum engine_layout layout) {
        engine->asyncs = must(calloc(n, sizeof(*engine->asyncs)));
        engine->order = permutation(n, layout == LAYOUT_SHUFFLED);
        for (size_t i = 0; i < n; i++) {
                uv_async_t *async = &engine->asyncs[engine->order[i]];

                uv_async_init(&engine->loop, async, on_uv);
                async->data = engine;
        }
}

void engine_open(struct engine *engine, enum engine_kind kind, size_t n, enum engine_layout layout,
                 void (*on_wake)(struct engine *engine)) {
        struct epoll_event event = {.events = EPOLLIN};

        *engine = (struct engine){.kind = kind, .n_handles = n, .on_wake = on_wake};
        uv_loop_init(&engine->loop);
        if (kind == ENGINE_ROUSE) {
                open_rouse(engine, n, layout);
        } else if (kind == ENGINE_UV) {
                open_uv(engine, n, layout);
        } else {
                engine->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
                engine->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
                if (epoll_ctl(engine->epoll_fd, EPOLL_CTL_ADD, engine->event_fd, &event) < 0)
                        die("cannot watch an eventfd");
        }
}

void engine_run(struct engine *engine) {
        struct epoll_event event;
        uint64_t n;

        if (engine->kind != ENGINE_EVENTFD) {
                while (!engine->is_over)
                        uv_run(&engine->loop, UV_RUN_ONCE);
                return;
        }
        while (!engine->is_over)
                if (epoll_wait(engine->epoll_fd, &event, 1, -1) == 1 &&
                    read(engine->event_fd, &n, sizeof(n)) == sizeof(n))
                        engine->on_wake(engine);
}
