/*
 * The listener and its clients. It takes a few clients a turn, so that a flood of connections
 * leaves room for the rest; who cannot be taken is told why, and let go.
 *
 * When descriptors run out, accepting stops until a client has gone, or a while has passed: the
 * connections wait in the kernel's queue meanwhile. That is logged once, until one was accepted
 * again.
 *
 * Invariants: no more than LIMIT_CLIENTS at once, and of those the last few are kept for root and
 * the daemon's own user, so that the administrator gets in when the house is full. The memory goes
 * when the loop has let go of the listener and of every client.
 */

#include "daemon/control.h"

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/control-private.h"
#include "daemon/core.h"
#include "daemon/limits.h"
#include "daemon/log.h"
#include "daemon/methods.h"
#include "daemon/peer.h"
#include "daemon/rpc-call.h"
#include "daemon/rpc-error.h"
#include "lib/cleanup.h"
#include "lib/clock.h"

#define ACCEPTS_PER_TURN 16
#define ACCEPT_AGAIN_NS  NS_PER_S /* after descriptors ran out */
#define FAREWELL_NS      NS_PER_S /* for answers to be read while shutting down */

static void on_connection(uv_poll_t *poll, int status, int events);

static void start_accepting(struct control *control) {
        if (control->is_accepting || control->listen_fd < 0)
                return;
        control->is_accepting = uv_poll_start(&control->listen, UV_READABLE, on_connection) == 0;
}

static void on_accept_again(struct deadline *deadline, uint64_t now_ns) {
        (void)now_ns;
        start_accepting(container_of(deadline, struct control, deadline));
}

static void pause_accepting(struct control *control, int error) {
        if (!control->was_short)
                log_warning("cannot accept clients: %s; they wait", strerror(error));
        control->was_short = true;
        control->is_accepting = false;
        uv_poll_stop(&control->listen);
        (void)deadline_set(control->set.deadlines, &control->deadline,
                           deadline_now(control->set.deadlines) + ACCEPT_AGAIN_NS, on_accept_again);
}

/* There may be room for others. */
static void on_left(struct client_set *set) {
        struct control *control = container_of(set, struct control, set);

        if (!control->is_shutting_down)
                start_accepting(control);
}

/* Why a client cannot be taken; NULL: it can. */
static const char *refusal(const struct control *control, const struct peer *peer) {
        const struct client_user *user = client_user_find(&control->set.users, peer->uid);

        if (control->set.n_clients >= LIMIT_CLIENTS)
                return "Too many clients are connected";
        if (access_is_master(core_access(control->set.core), peer))
                return NULL;
        if (control->set.n_clients >= LIMIT_CLIENTS - LIMIT_CLIENTS_RESERVED)
                return "Too many clients are connected";
        if (user && user->n_clients >= LIMIT_CLIENTS_PER_UID)
                return "Too many clients of this user are connected";
        return NULL;
}

/* A new connection has room for a line, so this does not block; and if not, it is let go anyway. */
static void refuse(struct control *control, int fd, const char *why) {
        static const struct rpc_host host = {0};
        struct buffer out = BUFFER_NULL;
        struct rpc rpc;
        struct rpc_call call = {.rpc = &rpc, .id = {"null", 4}};

        control->stats.clients_refused++;
        rpc_init(&rpc, &control->set.table, &host, &control->set.counters, &out);
        rpc_fail(&call, &rpc_limit_reached, NULL, "%s", why);
        if (!out.failed)
                (void)send(fd, out.data, out.n, MSG_DONTWAIT | MSG_NOSIGNAL);
        rpc_deinit(&rpc);
        rouse__buffer_deinit(&out);
}

static void take_client(struct control *control, int fd) {
        _cleanup_close_ int owned_fd = fd;
        struct peer peer = PEER_NULL;
        const char *why;
        int r;

        r = peer_init_from_socket(&peer, fd);
        if (r == 0) {
                why = refusal(control, &peer);
                if (why) {
                        refuse(control, fd, why);
                        peer_deinit(&peer);
                        return;
                }
                r = client_new_consume_fd(&control->set, steal_fd(&owned_fd), &peer);
        }
        if (r < 0) {
                log_warning("cannot serve a client: %s", strerror(-r));
                peer_deinit(&peer);
                return;
        }
        control->stats.clients_total++;
}

static void on_connection(uv_poll_t *poll, int status, int events) {
        struct control *control = container_of(poll, struct control, listen);

        (void)status; /* an error shows in accept */
        (void)events;
        for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
                int fd = accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

                if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
                        continue;
                if (fd < 0) {
                        if (errno != EAGAIN)
                                pause_accepting(control, errno);
                        return;
                }
                control->was_short = false;
                take_client(control, fd);
        }
}

static void on_lines(struct stream_set *streams) {
        rouse_hub_awake(container_of(streams, struct client_set, streams)->core->hub);
}

static void part_closed(struct control *control) {
        if (--control->n_open > 0)
                return;
        rpc_table_deinit(&control->set.table);
        free(control);
}

static void on_listen_closed(uv_handle_t *handle) {
        part_closed(container_of((uv_poll_t *)handle, struct control, listen));
}

static void on_streams_closed(struct stream_set *streams) {
        part_closed(container_of(streams, struct control, set.streams));
}

static void close_listen(struct control *control) {
        if (control->listen_fd < 0)
                return;
        uv_close((uv_handle_t *)&control->listen, on_listen_closed);
        control->listen_fd = close_fd(control->listen_fd);
        control->is_accepting = false;
        deadline_clear(control->set.deadlines, &control->deadline);
}

int control_new_consume_fd(struct core *core, struct daemon *daemon, int listen_fd,
                           struct control **ret) {
        _cleanup_close_ int fd = listen_fd;
        struct control *control = calloc(1, sizeof(*control));
        int r;

        if (!control)
                return -ENOMEM;
        r = rpc_table_init(&control->set.table, methods);
        if (r < 0)
                goto free_control;
        r = deadline_queue_new(&core->loop, NULL, &control->set.deadlines);
        if (r < 0)
                goto free_table;
        /* Its own deadline finds room at least while no wait has one. Who waits is a client, and
         * when that leaves, others are accepted, too. */
        r = deadline_reserve(control->set.deadlines, 1);
        if (r < 0)
                goto close_deadlines;
        r = attachment_set_init(&control->set.attachments, &core->loop, core->hub);
        if (r < 0)
                goto close_deadlines;
        r = uv_poll_init(&core->loop, &control->listen, fd);
        if (r < 0)
                goto deinit_attachments;
        control->set.core = control->set.subscriptions.core = core;
        control->set.daemon = daemon;
        control->set.left = on_left;
        control->listen_fd = steal_fd(&fd);
        control->n_open = 2;
        list_init(&control->set.clients);
        list_init(&control->set.users);
        stream_set_init(&control->set.streams, &core->loop, LIMIT_REPLIES_BYTES,
                        LIMIT_REQUESTS_BYTES);
        control->set.streams.awake = on_lines;
        start_accepting(control);
        *ret = control;
        return 0;

deinit_attachments:
        attachment_set_deinit(&control->set.attachments);
close_deadlines:
        deadline_queue_close(control->set.deadlines);
free_table:
        rpc_table_deinit(&control->set.table);
free_control:
        free(control);
        return r;
}

/* What is called may close clients, but only the one it is called for. */
static void for_each_client(struct control *control, void (*fn)(struct client *client)) {
        list_for_each_safe (link, &control->set.clients)
                fn(container_of(link, struct client, link));
}

static void on_farewell(struct deadline *deadline, uint64_t now_ns) {
        (void)now_ns;
        for_each_client(container_of(deadline, struct control, deadline), client_close);
}

void control_shut_down(struct control *control) {
        if (control->is_shutting_down)
                return;
        control->is_shutting_down = true;
        close_listen(control);
        for_each_client(control, client_shut_down);
        (void)deadline_set(control->set.deadlines, &control->deadline,
                           deadline_now(control->set.deadlines) + FAREWELL_NS, on_farewell);
}

struct control *control_close(struct control *control) {
        if (!control)
                return NULL;
        control->is_shutting_down = true;
        close_listen(control);
        for_each_client(control, client_close);
        attachment_set_deinit(&control->set.attachments);
        control->set.deadlines = deadline_queue_close(control->set.deadlines);
        stream_set_close(&control->set.streams, on_streams_closed);
        return NULL;
}

void control_take_attached(struct control *control, const struct configuration *next) {
        list_for_each (link, &control->set.clients)
                client_take_attached(container_of(link, struct client, link), next);
}

void control_check_attached(struct control *control) {
        for_each_client(control, client_check_attached);
}

void control_get_stats(const struct control *control, struct control_stats *ret) {
        *ret = control->stats;
        ret->clients = control->set.n_clients;
        ret->notifications = control->set.subscriptions.n_notifications;
        ret->missed = control->set.subscriptions.n_missed;
        ret->watched = control->set.subscriptions.n_entries;
        ret->requests = control->set.counters.requests;
        ret->errors = control->set.counters.errors;
        list_for_each (link, &control->set.clients)
                ret->attachments += container_of(link, struct client, link)->n_attachments;
}
