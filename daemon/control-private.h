/* The inside of the control socket, for the files that make it up. */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "daemon/client.h"
#include "daemon/control.h"
#include "daemon/deadline.h"

struct control {
        struct client_set set;
        int listen_fd; /* -1: closed */
        uv_poll_t listen;
        bool is_accepting;
        bool was_short; /* of descriptors, and said so */
        bool is_shutting_down;
        struct control_stats stats; /* what is counted elsewhere is filled in on request */
        struct deadline deadline;   /* to accept again; while shutting down: to go */
        unsigned int n_open;        /* of listener and streams */
};

/* The one that a client has come through. */
static inline const struct control *control_of(const struct client *client) {
        return container_of(client->set, struct control, set);
}
