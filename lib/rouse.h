/*
 * librouse: async handles on your own libuv loop.
 *
 * A hub binds any number of handles to one loop. Sending to a handle, from any thread or signal
 * handler, makes its callback run on the loop's thread, and tells it how many sends it covers:
 *
 *     - after every send that succeeded a wake starts, and it sees everything that the sender had
 *       written before it sent;
 *     - N sends before the wake make one wake, and it is told N exactly.
 *
 * Threads. The thread that calls rouse_hub_create() is the hub's loop thread. Each call says where
 * it may be made: "loop" is that thread only, anywhere else the call answers UV_EPERM (or does
 * nothing, where it has no result) and changes nothing; "any" is any thread. Only
 * rouse_async_send() may be called from signal handlers.
 *
 * Ownership. Handles are counted: creation gives one reference to the caller, who gives it back
 * with rouse_async_release(). Whoever uses a handle, in whatever thread, needs somebody's reference
 * that lasts until the call has returned. Closing ends what a handle does, releasing frees it; the
 * two come in any order.
 *
 * Errors are libuv's: 0, or a negative code for uv_strerror(). Outputs are written only on success.
 */
#ifndef ROUSE_H
#define ROUSE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#if defined(__GNUC__)
#define ROUSE_EXPORT __attribute__((visibility("default")))
#else
#define ROUSE_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Handles that share a loop. */
typedef struct rouse_hub rouse_hub_t;
/* What all kinds of handles have in common. */
typedef struct rouse_handle rouse_handle_t;
/* A handle that can be woken. */
typedef struct rouse_async rouse_async_t;

/* A wake, on the loop thread; n_sends, at least 1, is the number of sends that it covers. The
 * handle may be closed and released in it, and so may any other. */
typedef void (*rouse_async_cb)(rouse_async_t *async, uint64_t n_sends);
/* One step of rouse_hub_each(). */
typedef void (*rouse_async_each_cb)(rouse_async_t *async, void *arg);
/* The end of a handle that was closed with a close_wait call. */
typedef void (*rouse_close_cb)(void *arg);
/* The end of a hub. */
typedef void (*rouse_hub_close_cb)(void *arg);

/*
 * Makes a hub on `loop`, which must outlive it. It opens one descriptor and keeps the loop alive
 * only for handles that were started. There may be several hubs on a loop.
 *
 * Thread: the one that runs the loop; it becomes the loop thread.
 * Returns 0, UV_ENOMEM, UV_EMFILE, UV_ENFILE, or another error of eventfd(2).
 */
ROUSE_EXPORT int rouse_hub_create(uv_loop_t *loop, rouse_hub_t **ret_hub);

/*
 * Closes every handle of the hub, then the hub. `cb(arg)` (cb may be NULL) comes from the loop when
 * the last is gone, after every close_wait callback that is still due; the loop is kept alive until
 * then. After it uv_loop_close() returns 0 as far as the hub is concerned, and `hub` must not be
 * used any more. Handles that somebody holds a reference to stay valid: they are closed, and are
 * freed by their last release, on any thread.
 *
 * Thread: loop; in any callback.
 * Returns 0, UV_EPERM, or UV_EBADF when it was closed already.
 */
ROUSE_EXPORT int rouse_hub_close(rouse_hub_t *hub, rouse_hub_close_cb cb, void *arg);

/*
 * The open handle of that name, or NULL, as for a name of NULL. The pointer comes without a
 * reference: take one with rouse_async_retain() while somebody else's is sure to last.
 *
 * Thread: loop, else NULL.
 */
ROUSE_EXPORT rouse_async_t *rouse_hub_find(rouse_hub_t *hub, const char *name);

/*
 * Calls `cb(async, arg)` for each open handle, in order of creation. The callback may close and
 * release any handle: the closed are left out. Handles that it creates are left out too.
 *
 * Thread: loop.
 */
ROUSE_EXPORT void rouse_hub_each(rouse_hub_t *hub, rouse_async_each_cb cb, void *arg);

/*
 * Tells the hub that its loop thread is awake, so that sends need no doorbell until the loop has
 * looked at what is pending, which it does before it sleeps. Worth calling first in a callback of
 * the loop (a socket's, a timer's) that makes many sends; they all wake in one pass. It is never
 * needed, and may be called at any time, also outside of uv_run(): uv_backend_timeout() is 0
 * from then until the loop has looked. The latency of sends that this thread makes after it is
 * counted from this call. (A loop thread that has sent to many handles in one turn is taken to be
 * awake during the next one without it.)
 *
 * Thread: loop.
 */
ROUSE_EXPORT void rouse_hub_awake(rouse_hub_t *hub);

/*
 * Makes a handle. It is active at once, and does not keep the loop alive before it is started.
 *
 * name   1 to 255 bytes of A-Z a-z 0-9 . _ - : @ / and not '-' first, unique among the open
 *        handles of the hub; it is copied. NULL makes an anonymous handle.
 * cb     may be NULL: sends are counted and wake nobody.
 * data   whatever rouse_async_data() shall return; not looked at.
 *
 * Thread: loop. The caller owns one reference.
 * Returns 0; UV_EINVAL: not a legal name; UV_EEXIST: the name is taken; UV_EBADF: the hub was
 * closed; UV_ENOMEM; UV_EPERM.
 */
ROUSE_EXPORT int rouse_async_create(rouse_hub_t *hub, const char *name, rouse_async_cb cb,
                                    void *data, rouse_async_t **ret_async);

/*
 * Take (start) or drop (stop) the handle's hold on the loop: uv_run() goes on while an open handle
 * has one. It is a flag and not a counter. Whether a handle is started changes nothing about sends
 * and wakes while something else runs the loop.
 *
 * Thread: loop.
 * Returns 0, UV_EBADF once closed, or UV_EPERM.
 */
ROUSE_EXPORT int rouse_async_start(rouse_async_t *async);
ROUSE_EXPORT int rouse_async_stop(rouse_async_t *async);

/* The same without a result. Thread: loop. */
ROUSE_EXPORT void rouse_async_ref(rouse_async_t *async);
ROUSE_EXPORT void rouse_async_unref(rouse_async_t *async);

/* Whether the handle holds the loop; false once closed. Thread: any. */
ROUSE_EXPORT bool rouse_async_has_ref(const rouse_async_t *async);

/* Whether it is open. Thread: any. */
ROUSE_EXPORT bool rouse_async_is_active(const rouse_async_t *async);

/*
 * Asks for a wake. The callback runs later on the loop thread, never within this call, and what the
 * caller wrote before it sent is visible there. Sends that no wake has covered yet share one. A
 * send in a callback of the hub wakes in a later pass of the loop, unless the handle is waiting for
 * its turn in this one already. Handles are woken in the order in which they were first sent to.
 *
 * If the loop is not kept alive, the send stays pending until it is run again. Closing drops it.
 *
 * Thread: any, also in a signal handler: it takes no lock, allocates nothing, and preserves errno.
 * Returns 0, or UV_EBADF once closed.
 */
ROUSE_EXPORT int rouse_async_send(rouse_async_t *async);

/*
 * Closes the handle: from the moment of the call on it is neither active nor holds the loop, its
 * name is free, sends are refused, and its callback does not begin any more, not even for sends
 * that were pending. References stay what they were.
 *
 * Thread: loop; in any callback, also its own.
 * Returns 0, UV_EBADF when it was closed already, or UV_EPERM.
 */
ROUSE_EXPORT int rouse_async_close(rouse_async_t *async);

/* The same without a result. Thread: loop. */
ROUSE_EXPORT void rouse_async_close_noerr(rouse_async_t *async);

/*
 * Closes the handle, and calls `cb(arg)` from the loop, in a later phase and never within this
 * call, once no callback of it can run any more and no send is inside it: every send that returned
 * or returns 0 is done with the handle, and one that comes later only learns that it is closed.
 * From then on what `data` points to, and `arg`, may be freed. The callbacks come in the order of
 * the calls, and the loop is kept alive until then. If the call fails, `cb` is not called.
 *
 * Thread: loop; in any callback, also its own.
 * Returns 0; UV_EBADF when it was closed already; UV_ENOMEM, and it is still open; UV_EPERM.
 */
ROUSE_EXPORT int rouse_async_close_wait(rouse_async_t *async, rouse_close_cb cb, void *arg);

/* Takes one more reference, and returns the handle. The caller has a reference, or knows of one
 * that lasts during the call. Thread: any. */
ROUSE_EXPORT rouse_async_t *rouse_async_retain(rouse_async_t *async);

/*
 * Gives a reference back. With the last one the handle is closed, if it is open, and freed: at
 * once on the loop thread, from the loop if it was open and released elsewhere. NULL is ignored.
 *
 * Thread: any.
 */
ROUSE_EXPORT void rouse_async_release(rouse_async_t *async);

/* The handle as its base type; the same object, without a reference of its own. Thread: any. */
ROUSE_EXPORT rouse_handle_t *rouse_async_to_handle(rouse_async_t *async);

/* The name, which lives as long as the handle and survives its closing; NULL if it is anonymous.
 * Thread: any. */
ROUSE_EXPORT const char *rouse_async_name(const rouse_async_t *async);

/* The `data` given to rouse_async_create(). Thread: any. */
ROUSE_EXPORT void *rouse_async_data(const rouse_async_t *async);

/* What a handle has done. */
typedef struct rouse_async_stats {
        uint64_t sends;          /* that succeeded */
        uint64_t wakes;          /* callbacks begun; without a callback: that would have been */
        uint64_t coalesced;      /* sends that shared the wake of another */
        uint64_t pending;        /* sends that no wake has covered yet, or that closing dropped */
        uint64_t latency_ns;     /* first send to callback, of the last wake; 0 before the first */
        uint64_t latency_max_ns; /* of all wakes; both are rounded down by less than 1/1024 */
} rouse_async_stats_t;

/* Takes a snapshot: sends = wakes + coalesced + pending. In the callback of a wake, that wake is
 * part of it. Thread: any. */
ROUSE_EXPORT void rouse_async_stats(const rouse_async_t *async, rouse_async_stats_t *ret_stats);

/* The calls above on the base type, for code that does not care what kind of handle it has. */
ROUSE_EXPORT int rouse_handle_close(rouse_handle_t *handle);
ROUSE_EXPORT void rouse_handle_close_noerr(rouse_handle_t *handle);
ROUSE_EXPORT int rouse_handle_close_wait(rouse_handle_t *handle, rouse_close_cb cb, void *arg);
ROUSE_EXPORT bool rouse_handle_is_active(const rouse_handle_t *handle);
ROUSE_EXPORT void rouse_handle_ref(rouse_handle_t *handle);
ROUSE_EXPORT void rouse_handle_unref(rouse_handle_t *handle);
ROUSE_EXPORT bool rouse_handle_has_ref(const rouse_handle_t *handle);

#ifdef __cplusplus
}
#endif

#endif
