/* The inside of the control socket, for the files that make it up. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <uv.h>

#include "daemon/attachment.h"
#include "daemon/control.h"
#include "daemon/deadline.h"
#include "daemon/rpc.h"
#include "daemon/stream.h"
#include "lib/list.h"

struct peer;

struct control {
        struct daemon *daemon;
        int listen_fd; /* -1: closed */
        uv_poll_t listen;
        bool is_accepting;
        bool was_short; /* of descriptors, and said so */
        bool is_shutting_down;
        struct stream_set streams;
        struct list clients;
        struct attachment_set attachments;
        size_t n_clients;
        struct rpc_table table;
        struct rpc_counters counters;
        struct control_stats stats; /* what is counted elsewhere is filled in on request */
        struct deadline_queue *deadlines;
        struct deadline deadline; /* to accept again; while shutting down: to go */
        unsigned int n_open;      /* of listener and streams */
        void (*closed_cb)(void *arg);
        void *closed_arg;
};

/* Root or the daemon's own user, for whom some limits do not hold. */
bool control_is_privileged(const struct peer *peer);
/* A client is gone: there may be room for others. */
void control_client_closed(struct control *control);
