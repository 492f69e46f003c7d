/* control.sock: JSON-RPC for clients. Loop thread. */
#pragma once

#include <uv.h>

struct configuration;
struct control;
struct core;
struct daemon;

/* Takes a listening stream socket (closes it in the end, does not remove its path). What clients
 * ask of the daemon as a whole goes to `daemon`. */
int control_new_consume_fd(struct core *core, struct daemon *daemon, int listen_fd,
                           struct control **ret);
/* Takes no more clients and no more requests but those that are being answered: waiting requests
 * get the error shutting_down, and what was written is flushed for a short while. */
void control_shut_down(struct control *control);
/* Closes everything at once; its memory goes from the loop. NULL: nothing. Returns NULL. */
struct control *control_close(struct control *control);

/* Before a reload: sends all that clients have pending in memory they share with the daemon, and
 * takes no more there for handles that are going to be removed. */
void control_take_attached(struct control *control, const struct configuration *next);
/* Who has which rights may have changed. */
void control_check_attached(struct control *control);

struct control_stats {
        uint64_t clients, clients_total, clients_refused, requests, errors, notifications, missed;
        uint64_t watched, attachments; /* now; watched: handles, once for each who watches */
};
void control_get_stats(const struct control *control, struct control_stats *ret);
