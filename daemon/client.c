/*
 * A client is a stream of lines, a conversation in JSON-RPC over it, and a subscription to wakes.
 *
 * It goes when the other end is gone, or says no more and has been told everything it asked for.
 * Who watches wakes is told of them until it hangs up.
 *
 * Invariants: closing ends conversation, subscription and attachments at once, so that nothing of
 * the daemon points to the client any more; its memory goes when the loop has let go of its
 * descriptor, so methods may close any client, their own too.
 */

#include "daemon/client.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/configuration.h"
#include "daemon/core.h"
#include "daemon/handle.h"
#include "daemon/limits.h"
#include "daemon/rpc-call.h"
#include "daemon/rpc-error.h"
#include "lib/cleanup.h"

struct client *client_of(const struct rpc_call *call) {
        return container_of(call->rpc, struct client, rpc);
}

bool client_may(const struct client *client, const struct handle *handle, enum access_right right) {
        return core_allows(client->set->core, &client->peer, handle, right);
}

/* Closes a client that has no reason to stay. */
static void settle(struct client *client) {
        bool is_waiting = client->rpc.n_deferred > 0 || client->subscription.n_patterns > 0 ||
                          client->n_attachments > 0;

        if (stream_n_unsent(&client->stream) > 0)
                return;
        if (client->is_leaving || (client->has_ended && !is_waiting))
                client_close(client);
}

static bool turn_is_over(struct rpc *rpc) {
        return stream_turn_is_over(&container_of(rpc, struct client, rpc)->stream);
}

/* It says what there is, and changes nothing. */
static bool is_question(const struct rpc_method *method) {
        return method->scope == RPC_FREE || method->right == ACCESS_READ;
}

static bool admit(struct rpc_call *call) {
        const struct rpc_method *method = call->method;

        if (client_of(call)->stream.is_deaf && is_question(method)) {
                rpc_fail_errno(call, -EPIPE); /* nobody reads this, or anything else of it */
                return false;
        }
        if (method->scope != RPC_GLOBAL || client_may(client_of(call), NULL, method->right))
                return true;
        rpc_fail(call, &rpc_permission_denied, NULL, "Permission denied: %s needs the right to %s",
                 method->name, access_right_to_string(method->right));
        return false;
}

/* Answers of a batch are with the conversation until it is complete. */
static void count_batches(struct client *client) {
        stream_hold(&client->stream, client->rpc.n_batch_bytes);
}

static bool has_room(struct rpc *rpc) {
        struct client *client = container_of(rpc, struct client, rpc);

        count_batches(client);
        return !stream_is_greedy(&client->stream);
}

bool client_is_behind(struct client *client) {
        count_batches(client);
        return client->user->account.unsent.n > client->user->account.unsent.max;
}

static void answered(struct rpc *rpc) {
        struct client *client = container_of(rpc, struct client, rpc);

        count_batches(client);
        stream_flush_later(&client->stream);
}

static const struct rpc_host rpc_host = {
        .turn_is_over = turn_is_over,
        .admit = admit,
        .has_room = has_room,
        .answered = answered,
};

static bool on_line(struct stream *stream, const char *line, size_t n) {
        struct client *client = container_of(stream, struct client, stream);
        bool is_done = rpc_take(&client->rpc, line, n);

        count_batches(client);
        return is_done;
}

static void on_too_long(struct stream *stream, size_t n_max) {
        rpc_take_too_long(&container_of(stream, struct client, stream)->rpc, n_max);
}

static bool on_fill(struct stream *stream) {
        return subscription_write(&container_of(stream, struct client, stream)->subscription);
}

static void on_drained(struct stream *stream) {
        settle(container_of(stream, struct client, stream));
}

static void on_ended(struct stream *stream, int error) {
        struct client *client = container_of(stream, struct client, stream);

        client->has_ended = true;
        if (error < 0)
                client_close(client);
        else
                settle(client);
}

static void on_closed(struct stream *stream) {
        struct client *client = container_of(stream, struct client, stream);
        struct client_set *set = client->set;

        rpc_deinit(&client->rpc);
        peer_deinit(&client->peer);
        client_user_put(client->user);
        free(client);
        surplus_user_went(&set->surplus);
}

static const struct stream_ops stream_ops = {
        .line = on_line,
        .too_long = on_too_long,
        .fill = on_fill,
        .drained = on_drained,
        .ended = on_ended,
        .closed = on_closed,
};

int client_new_consume_fd(struct client_set *set, int fd, const struct peer *peer) {
        struct client *client = calloc(1, sizeof(*client));
        int r;

        if (!client) {
                close_fd(fd);
                return -ENOMEM;
        }
        client->set = set;
        client->user =
                client_user_get(&set->users, peer->uid,
                                access_is_master(core_access(set->core), peer), &set->streams.all);
        if (!client->user) {
                free(client);
                close_fd(fd);
                return -ENOMEM;
        }
        r = stream_init_consume_fd(&client->stream, &set->streams, &client->user->account, fd,
                                   &stream_ops, LIMIT_REQUEST_BYTES, LIMIT_REPLY_BYTES);
        if (r < 0) {
                client_user_put(client->user);
                free(client);
                return r;
        }
        rpc_init(&client->rpc, &set->table, &rpc_host, &set->counters, &client->stream.out);
        subscription_init(&client->subscription, &set->subscriptions, &client->stream,
                          &client->peer);
        client->peer = *peer;
        list_append(&set->clients, &client->link);
        set->n_clients++;
        client->user->n_clients++;
        surplus_user_came(&set->surplus);
        return 0;
}

const char *client_attach_limit(const struct client *client) {
        if (client->n_attachments == LIMIT_ATTACHMENTS)
                return "This connection has as many attachments as it may have";
        if (access_is_master(core_access(client->set->core), &client->peer))
                return NULL;
        return client->user->n_attachments < LIMIT_ATTACHMENTS_PER_UID
                       ? NULL
                       : "This user has as many attachments as he may have";
}

void client_add_attachment(struct client *client, struct attachment *attachment) {
        client->attachments[client->n_attachments++] = attachment;
        client->user->n_attachments++;
}

static bool will_stay(const struct handle *handle, const void *arg) {
        return handle_is_created(handle) || configuration_find_handle(arg, handle_name(handle));
}

void client_take_attached(struct client *client, const struct configuration *next) {
        for (size_t i = 0; i < client->n_attachments; i++) {
                attachment_take(client->attachments[i]);
                attachment_revoke(client->attachments[i], will_stay, next);
        }
}

static bool may_send(const struct handle *handle, const void *arg) {
        return client_may(arg, handle, ACCESS_SEND);
}

void client_check_attached(struct client *client) {
        for (size_t i = 0; i < client->n_attachments; i++)
                attachment_revoke(client->attachments[i], may_send, client);
}

static void close_attachments(struct client *client) {
        client->user->n_attachments -= client->n_attachments;
        while (client->n_attachments > 0)
                attachment_close(client->attachments[--client->n_attachments]);
}

void client_close(struct client *client) {
        struct client_set *set = client->set;

        if (!list_is_linked(&client->link))
                return;
        list_remove(&client->link);
        set->n_clients--;
        client->user->n_clients--;
        rpc_end(&client->rpc);
        subscription_deinit(&client->subscription);
        close_attachments(client);
        stream_close(&client->stream);
        set->left(set);
}

void client_shut_down(struct client *client) {
        rpc_refuse(&client->rpc, &rpc_shutting_down);
        close_attachments(client);
        stream_stop_reading(&client->stream);
        client->is_leaving = true;
        /* Not at once: it may be this client's request that is being answered. */
        stream_flush_later(&client->stream);
}
