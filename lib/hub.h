/* Binds handles to a loop: takes what is pending, and closes what has to end. */
#pragma once

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "lib/doorbell.h"
#include "lib/list.h"
#include "lib/names.h"
#include "lib/rouse.h"

struct rouse_async;

#define CACHE_LINE 64

struct rouse_hub {
        /* Senders write these. */
        alignas(CACHE_LINE) _Atomic(struct rouse_async *) pending; /* last sent first */
        struct doorbell bell;

        /* Anybody reads these. */
        alignas(CACHE_LINE) pthread_t thread;
        /* The time as the loop thread knows it while it is awake, 0 while it may sleep. For that
         * thread alone, and signal handlers on it. */
        _Atomic uint64_t now_ns;
        _Atomic size_t n_refs; /* on the memory: one a handle, one for the hub until it is closed */

        /* The loop thread's own. */
        alignas(CACHE_LINE) uv_poll_t poll;
        uv_check_t check;
        uv_prepare_t prepare;
        uv_idle_t idle;
        struct list handles; /* open ones, in order of creation */
        struct list walks;   /* struct walk: rouse_hub_each() that go on */
        struct list endings; /* struct ending, in the order of the calls */
        struct names names;
        size_t n_holds; /* open handles that hold the loop */
        size_t n_limbo; /* closed handles that are still on the pending list */
        unsigned int n_open_uv;
        bool is_passing; /* within a pass */
        bool is_closing;
        bool is_ended; /* the libuv handles are being closed */
        rouse_hub_close_cb close_cb;
        void *close_arg;
};

static inline bool rouse__hub_is_here(const struct rouse_hub *hub) {
        return pthread_equal(hub->thread, pthread_self()) != 0;
}

void rouse__hub_ref(struct rouse_hub *hub);   /* any thread */
void rouse__hub_unref(struct rouse_hub *hub); /* any thread */

/* Puts a handle, whose WORD_PENDING the caller has set, on the pending list, and rings if need be.
 * Any thread, async-signal-safe; something must keep the hub's memory during the call. */
void rouse__hub_post(struct rouse_hub *hub, struct rouse_async *async);

/* Below: loop thread. */

/* Keeps the loop alive, or not, after n_holds or the endings changed. */
void rouse__hub_hold(struct rouse_hub *hub);
/* A handle leaves the list of the open ones. */
void rouse__hub_remove(struct rouse_hub *hub, struct list *link);
/* An ending was appended: the loop must not sleep before it has seen to it. */
void rouse__hub_stir(struct rouse_hub *hub);
