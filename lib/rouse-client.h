/*
 * librouse-client: talk to a roused. Needs libc alone.
 *
 * A client knows the directory of a daemon's sockets. Connections are made when they are first
 * needed and made again after they broke, so that a client outlives restarts of its daemon.
 *
 * Calls return 0 or a negative errno; rouse_client_get_error() has a sentence for the last failure
 * and, where the daemon refused, its own words. Outputs are written only on success. What stands
 * for the daemon's reasons:
 *
 *   no_such_handle  -ENXIO       handle_exists  -EEXIST     permission_denied  -EACCES
 *   timeout         -ETIMEDOUT   closed         -EBADF      limit_reached      -EDQUOT
 *   invalid_config  -EBADMSG     shutting_down  -ESHUTDOWN  no such method     -ENOSYS
 *   bad_name, bad parameters  -EINVAL                       too_long           -EMSGSIZE
 *
 * Others are the kernel's: -ENOENT and -ECONNREFUSED if no daemon is there, -ECONNRESET if it went
 * away, -EACCES if its socket may not be opened, -ENOMEM; -EPROTO is an answer that no roused
 * gives.
 *
 * Times to wait are milliseconds; a negative one has no end. A client belongs to one thread at a
 * time. Nothing here prints, exits or raises SIGPIPE.
 */
#ifndef ROUSE_CLIENT_H
#define ROUSE_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ROUSE_CLIENT_API __attribute__((visibility("default")))

typedef struct rouse_client rouse_client_t;

typedef struct rouse_client_error {
        int code;            /* what the call returned, a negative errno */
        int rpc_code;        /* the daemon's code for it, such as -32001; 0: it has not said one */
        const char *reason;  /* the daemon's word for it, such as "no_such_handle"; or "" */
        const char *message; /* a sentence, without a full stop */
        const char *data;    /* what else the daemon said, JSON text; or NULL */
} rouse_client_error_t;

/* One send of several. */
typedef struct rouse_client_send {
        const char *name;
        const char *key; /* handed to the run: at least one byte, no newline, no carriage
                          * return at the end; NULL: none */

        int result;      /* out: 0 or a negative errno */
        uint64_t ticket; /* out, if result is 0: the number of the wake that covers the send */
} rouse_client_send_t;

typedef struct rouse_client_wake {
        const char *name;  /* valid until the next call with this client */
        uint64_t seq;      /* the number of the wake */
        uint64_t n_sends;  /* how many sends it covers; 0: it is over and nobody knows any more */
        uint64_t n_missed; /* wakes of this handle since the last one reported that were left out */
} rouse_client_wake_t;

/* What a watcher is told of. */
typedef enum rouse_client_event_kind {
        ROUSE_CLIENT_WAKE,
        ROUSE_CLIENT_RUN_STARTED,
        ROUSE_CLIENT_RUN_ENDED,
} rouse_client_event_kind_t;

typedef struct rouse_client_event {
        rouse_client_event_kind_t kind;
        const char *name;  /* valid until the next call with this client */
        uint64_t seq;      /* the number of the wake; of a run, the last wake that it covers */
        uint64_t n_sends;  /* how many sends it covers */
        uint64_t n_missed; /* events of this handle and kind that were left out before it */

        /* With ROUSE_CLIENT_RUN_ENDED. */
        const char *outcome;  /* "exited", "signaled", "timed_out", "not_started"; else NULL */
        int status;           /* the exit code, the signal, or a negative errno */
        int success;          /* boolean */
        uint64_t duration_ms; /* how long it took */
} rouse_client_event_t;

/*
 * Makes a client for the daemon whose sockets are in `dir`. With NULL that is $ROUSE_DIR if it is
 * set, else $XDG_RUNTIME_DIR/roused if a daemon listens there, else /run/roused.
 *
 * Returns 0; -ENAMETOOLONG if no directory can have that path; -ENOMEM. The caller frees the
 * client.
 */
ROUSE_CLIENT_API int rouse_client_create(const char *dir, rouse_client_t **ret_client);

/* Closes the client's connections and frees it. Accepts and returns NULL. */
ROUSE_CLIENT_API rouse_client_t *rouse_client_free(rouse_client_t *client);

/* The directory that was chosen; lives as long as the client. */
ROUSE_CLIENT_API const char *rouse_client_dir(const rouse_client_t *client);

/* The last failure of this client. Its strings are valid until the next failure; code is 0 and
 * message "" before the first one. */
ROUSE_CLIENT_API const rouse_client_error_t *rouse_client_get_error(const rouse_client_t *client);

/* A few words for a result of rouse_client_send_many(), or any other errno of this library. */
ROUSE_CLIENT_API const char *rouse_client_strerror(int error);

/*
 * Sends to the handle `name` and waits for the acknowledgement: the wake numbered *ret_ticket, or
 * an earlier one, starts after this send and covers it. ret_ticket may be NULL.
 *
 * Returns 0 or a negative errno. After -ETIMEDOUT or -ECONNRESET the send may have arrived or not:
 * sending again is harmless.
 */
ROUSE_CLIENT_API int rouse_client_send(rouse_client_t *client, const char *name, int64_t timeout_ms,
                                       uint64_t *ret_ticket);

/* For rouse_client_send_many(): do not wait for acknowledgements. A result of 0 then means that the
 * daemon will read the send, and says nothing of what it makes of it; tickets are 0. */
#define ROUSE_CLIENT_NO_ACK 1U

/*
 * Sends to several handles at once, in order, many of them in one datagram. Every element gets its
 * own result.
 *
 * Returns 0 if all results are 0, else one that is not; rouse_client_get_error() is about that one.
 * -EINVAL: unknown flags, or a name or key that a line cannot carry.
 */
ROUSE_CLIENT_API int rouse_client_send_many(rouse_client_t *client, rouse_client_send_t *sends,
                                            size_t n_sends, unsigned int flags, int64_t timeout_ms);

/*
 * Calls a method of the daemon. `params` is a JSON object or array, or NULL for none. On success
 * *ret_result is the result's JSON text, valid until the next call with this client.
 *
 * Returns 0 or a negative errno: -EINVAL also if `params` is not JSON; -EBUSY if the client
 * watches.
 */
ROUSE_CLIENT_API int rouse_client_call(rouse_client_t *client, const char *method,
                                       const char *params, int64_t timeout_ms,
                                       const char **ret_result);

/* Waits for the next wake of a handle, whenever the sends that made it were. ret_wake may be NULL.
 * Returns 0, -ETIMEDOUT, or another negative errno. */
ROUSE_CLIENT_API int rouse_client_wait(rouse_client_t *client, const char *name, int64_t timeout_ms,
                                       rouse_client_wake_t *ret_wake);

/* The same for the first wake whose number is greater than `seq`; at once if it was there. */
ROUSE_CLIENT_API int rouse_client_wait_after(rouse_client_t *client, const char *name, uint64_t seq,
                                             int64_t timeout_ms, rouse_client_wake_t *ret_wake);

/* The same for the wake that covers the send with this ticket. */
ROUSE_CLIENT_API int rouse_client_wait_ticket(rouse_client_t *client, const char *name,
                                              uint64_t ticket, int64_t timeout_ms,
                                              rouse_client_wake_t *ret_wake);

/*
 * Turns the client into a watcher of all handles whose names match one of the patterns (globs; at
 * least one). From then on it takes rouse_client_next() and sends only: other calls fail with
 * -EBUSY. When the connection breaks, it is no watcher any more.
 *
 * Returns 0 or a negative errno.
 */
ROUSE_CLIENT_API int rouse_client_watch(rouse_client_t *client, const char *const *patterns,
                                        size_t n_patterns, int64_t timeout_ms);

/* The same, to be told of the beginning and the end of runs as well. */
ROUSE_CLIENT_API int rouse_client_watch_runs(rouse_client_t *client, const char *const *patterns,
                                             size_t n_patterns, int64_t timeout_ms);

/*
 * Takes the next wake that the watcher was told of. With 0 milliseconds it does not wait: together
 * with rouse_client_fd() this fits any loop; take wakes until -ETIMEDOUT each time it is readable.
 *
 * Returns 0; -ETIMEDOUT; -EINVAL if the client does not watch; -ECONNRESET once the daemon is gone.
 */
ROUSE_CLIENT_API int rouse_client_next(rouse_client_t *client, int64_t timeout_ms,
                                       rouse_client_wake_t *ret_wake);

/* The same for events of all kinds; rouse_client_next() leaves out those that are no wakes. */
ROUSE_CLIENT_API int rouse_client_next_event(rouse_client_t *client, int64_t timeout_ms,
                                             rouse_client_event_t *ret_event);

/* The descriptor to poll for reading while the client watches; the client keeps it. -1 if it does
 * not watch. */
ROUSE_CLIENT_API int rouse_client_fd(const rouse_client_t *client);

/* Handles that one process sends to through memory which it shares with the daemon. */
typedef struct rouse_attachment rouse_attachment_t;

/*
 * Attaches to the handles with these names (1 to 1024): the daemon hands over memory that both
 * share, and a doorbell. From then on rouse_attachment_send() is an atomic operation, and a system
 * call only if the daemon sleeps. The attachment keeps a connection of its own; it ends with it,
 * with the process, and by rouse_attachment_detach(). Whatever was sent before the end still
 * counts.
 *
 * The attachment is one process's: the child of a fork attaches for itself. The client must last
 * until the attachment is detached.
 *
 * Returns 0 or a negative errno: -ENXIO, -EACCES, -EBADF and -EINVAL for one of the names; -EDQUOT;
 * -EBUSY if the client watches.
 */
ROUSE_CLIENT_API int rouse_client_attach(rouse_client_t *client, const char *const *names,
                                         size_t n_names, int64_t timeout_ms,
                                         rouse_attachment_t **ret_attachment);

/*
 * Sends to the handle whose name was names[index]. A wake starts after this, and sees what the
 * caller wrote before.
 *
 * Any thread, and signal handlers; never waits. While the daemon is away, sends are kept, and
 * rouse_attachment_reattach() hands them on.
 *
 * Returns 0; -EBADF if the handle was closed, or may not be sent to any more; -EINVAL if there is
 * no such index.
 */
ROUSE_CLIENT_API int rouse_attachment_send(rouse_attachment_t *attachment, size_t index);

/* The descriptor of the attachment's connection; the attachment keeps it. It becomes readable when
 * the daemon is gone: then call rouse_attachment_reattach(). -1 after that failed. */
ROUSE_CLIENT_API int rouse_attachment_fd(const rouse_attachment_t *attachment);

/*
 * Attaches to the same names again if the daemon has gone; else it does nothing. What the daemon
 * before had not taken is sent to this one, each send once. Other threads may send meanwhile. It is
 * called by the thread that the client belongs to.
 *
 * Returns 0 or a negative errno, as rouse_client_attach(). After a failure sends are kept on, for
 * the next try.
 */
ROUSE_CLIENT_API int rouse_attachment_reattach(rouse_attachment_t *attachment, int64_t timeout_ms);

/* Ends the attachment and frees it; no other thread may use it any more. The daemon takes what was
 * sent; if there is none, that is lost. Called by the thread that the client belongs to. Accepts
 * and returns NULL. */
ROUSE_CLIENT_API rouse_attachment_t *rouse_attachment_detach(rouse_attachment_t *attachment);

#ifdef __cplusplus
}
#endif

#endif
