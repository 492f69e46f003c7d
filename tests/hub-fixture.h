/* A loop with a hub, and a trace of what was called. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "lib/rouse.h"

struct fixture {
        uv_loop_t loop;
        rouse_hub_t *hub;
        uv_timer_t keeper;
        char trace[16384]; /* "a:5 b:1 ": wakes with their sends; "close:x ": close callbacks */
};

void fixture_open(struct fixture *fixture);
/* Keeps the loop alive until let go. */
void fixture_keep(struct fixture *fixture);
void fixture_let_go(struct fixture *fixture);
/* One pass of the loop, which must be kept alive; it does not wait. */
void fixture_pass(struct fixture *fixture);
/* Runs the loop until nothing keeps it alive. */
void fixture_run(struct fixture *fixture);
/* Closes what is left, and checks that the loop is empty then. */
void fixture_close(struct fixture *fixture);

/* A handle that is traced; the caller has the only reference. */
rouse_async_t *fixture_create(struct fixture *fixture, const char *name);
/* The callback of such a handle, to be called first by a test's own; its data is the fixture. */
void fixture_on_wake(rouse_async_t *async, uint64_t n_sends);
void fixture_trace(struct fixture *fixture, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
/* The trace is this; it is emptied. */
void fixture_expect(struct fixture *fixture, const char *trace);

/* Calls fn(arg) on another thread and waits for its end. */
void fixture_elsewhere(void (*fn)(void *arg), void *arg);
