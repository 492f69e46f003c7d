/* The inside of a client, for the files that add calls to it. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#include "lib/buffer.h"
#include "lib/json-value.h"
#include "lib/names.h"
#include "lib/rouse-client.h"
#include "lib/stream.h"

#define POKE_SOCKET    "poke.sock"
#define CONTROL_SOCKET "control.sock"

struct rouse_client {
        char dir[PATH_MAX];

        /* Datagram sockets, connected; each -1 until it is needed. */
        int ack_fd;   /* has an address, so that replies come */
        int mute_fd;  /* has none, so that none come */
        int probe_fd; /* left from looking for the user's daemon; becomes one of the others */

        struct stream control;
        uint64_t last_id; /* of the last request */
        bool watching;
        char wake_name[NAME_MAX_BYTES + 1]; /* what the name of a wake or an event points to */
        char outcome[32];                   /* what rouse_client_event_t.outcome points to */

        rouse_client_error_t error;
        char message[PATH_MAX + 1024];
        char reason[64];
        struct buffer error_data; /* its `data`, with a NUL */
};

/* Notes what failed and returns `error`, for `return rouse__client_fail(…)`. */
int rouse__client_fail(rouse_client_t *client, int error, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/* The same for a refusal of the daemon. rpc_code is 0, and strings are empty, where it says
 * nothing; `subject` (may be NULL) is what it refused, for the sentence. */
int rouse__client_refused(rouse_client_t *client, int rpc_code, const char *reason,
                          const char *message, const char *subject);

/* The address of one of the client's sockets. *ret_dir_fd is written to only if the address leads
 * through that descriptor; it is closed once the address was used. 0 or negative errno. */
int rouse__client_address(const rouse_client_t *client, const char *socket_name, int *ret_dir_fd,
                          struct sockaddr_un *ret);
/* Connects a datagram socket to poke.sock. 0 or negative errno. */
int rouse__client_connect_poke(const rouse_client_t *client, int fd);
/* That no daemon is there, or that it may not be reached. */
int rouse__client_unreachable(rouse_client_t *client, int error, const char *socket_name);

/* Sends a request and takes its answer; params is the text of an array or object, or NULL. The
 * result points into the stream's buffer, until the next line is read. On failure the error is
 * noted. */
int rouse__client_request(rouse_client_t *client, const char *method, const char *params,
                          size_t n_params, uint64_t deadline_ns, struct json_text *ret_result);
/* What it is made of, for a request that is more than one call. */
/* Adds a call, with an id of its own, the next one. */
void rouse__client_compose(rouse_client_t *client, struct buffer *line, const char *method,
                           const char *params, size_t n_params);
/* Sends the line, adding its end. */
int rouse__client_say(rouse_client_t *client, struct buffer *line, uint64_t deadline_ns);
/* Reads lines up to the answer to the last request: an object that has the last id, or an array. It
 * lies in the stream's buffer, as above. */
int rouse__client_hear(rouse_client_t *client, uint64_t deadline_ns, enum json_type kind,
                       struct json_text *ret_answer);
/* The result of an answer, or the refusal that it is. */
int rouse__client_take(rouse_client_t *client, struct json_text answer,
                       struct json_text *ret_result);
/* Closes the connection to control.sock, notes why and returns `error`. */
int rouse__client_broken(rouse_client_t *client, int error);
