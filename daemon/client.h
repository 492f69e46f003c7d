/* A client of the control socket: what it says, may, waits for and watches. */
#pragma once

#include <stdbool.h>

#include "daemon/access.h"
#include "daemon/attachment.h"
#include "daemon/client-user.h"
#include "daemon/limits.h"
#include "daemon/peer.h"
#include "daemon/rpc.h"
#include "daemon/stream.h"
#include "daemon/subscription.h"
#include "daemon/surplus.h"
#include "lib/list.h"

struct configuration;
struct core;
struct daemon;
struct deadline_queue;
struct handle;

/* What clients have in common, and what they are served with. Its owner makes the parts. */
struct client_set {
        struct core *core;
        struct daemon *daemon; /* for methods that concern it as a whole */
        struct list clients;
        size_t n_clients;
        struct list users; /* struct client_user */
        struct stream_set streams;
        struct rpc_table table;
        struct rpc_counters counters;
        struct subscription_set subscriptions;
        struct attachment_set attachments;
        struct surplus surplus;               /* memory that clients have left */
        struct deadline_queue *deadlines;     /* of those who wait */
        void (*left)(struct client_set *set); /* a client is gone */
};

struct client {
        struct client_set *set;
        struct list link;
        struct stream stream;
        struct rpc rpc;
        struct peer peer;
        struct client_user *user; /* counted */
        struct subscription subscription;
        struct attachment *attachments[LIMIT_ATTACHMENTS];
        size_t n_attachments;
        bool has_ended;  /* says no more: goes when everything is answered */
        bool is_leaving; /* the daemon stops: goes when everything is written */
};

/* Takes a connected socket and, on success, what `peer` owns. It frees itself when it is closed.
 * On failure the socket is closed. */
int client_new_consume_fd(struct client_set *set, int fd, const struct peer *peer);
/* Closes at once; its calls are cancelled. May be repeated. */
void client_close(struct client *client);
/* Ends what waits, and the rest of a batch, with the error shutting_down, and closes when that is
 * written. */
void client_shut_down(struct client *client);

/* Why the client gets no more attachments; NULL: it can have another one. */
const char *client_attach_limit(const struct client *client);
/* Takes an attachment, which lasts as long as the client. */
void client_add_attachment(struct client *client, struct attachment *attachment);
/* Sends all that is pending in its attachments, which lose the handles that `next` will not have.
 */
void client_take_attached(struct client *client, const struct configuration *next);
/* Rights have changed: attachments lose the handles that the client may not send to any more. */
void client_check_attached(struct client *client);

/* The client that a call comes from. */
struct client *client_of(const struct rpc_call *call);
/* Whether this one and the other clients of its user have left too many answers unread. Loop
 * thread. */
bool client_is_behind(struct client *client);
/* As core_allows(). */
bool client_may(const struct client *client, const struct handle *handle, enum access_right right);
