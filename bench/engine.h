/* The same job done by rouse, by plain libuv, and by a bare eventfd under epoll. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "lib/rouse.h"

enum engine_kind {
        ENGINE_ROUSE,
        ENGINE_UV,
        ENGINE_EVENTFD, /* one handle only */
        N_ENGINES,
};

/* Where the handles lie. */
enum engine_layout {
        LAYOUT_IN_ORDER,
        LAYOUT_SHUFFLED, /* in memory and in every list */
        LAYOUT_NAMED,    /* rouse only */
};

struct engine {
        enum engine_kind kind;
        uv_loop_t loop;
        rouse_hub_t *hub;
        rouse_async_t **handles;
        uv_async_t *asyncs;
        uint32_t *order; /* of uv_async_t in memory, or in which ours were made */
        int event_fd, epoll_fd;
        size_t n_handles;
        void (*on_wake)(struct engine *engine); /* the number of sends is nobody's concern here */
        bool is_over;                           /* set in on_wake: engine_run() returns */
};

extern const char *const engine_names[N_ENGINES];

void engine_open(struct engine *engine, enum engine_kind kind, size_t n, enum engine_layout layout,
                 void (*on_wake)(struct engine *engine));
/* On the thread that opened it, until is_over. */
void engine_run(struct engine *engine);

static inline void engine_send(struct engine *engine, size_t i) {
        const uint64_t one = 1;

        if (engine->kind == ENGINE_ROUSE)
                rouse_async_send(engine->handles[i]);
        else if (engine->kind == ENGINE_UV)
                uv_async_send(&engine->asyncs[engine->order[i]]);
        else if (write(engine->event_fd, &one, sizeof(one)) < 0)
                engine->is_over = true;
}
