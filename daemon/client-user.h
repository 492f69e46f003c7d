/* The users whose clients are connected, and what all clients of one have together. Loop thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "daemon/stream.h"
#include "lib/list.h"

struct client_user {
        struct list link;
        unsigned int n_refs;
        uid_t uid;
        size_t n_clients, n_attachments;
        struct stream_account account;
};

/* The user, with a reference. `all` counts what he has, too. is_master: he is bounded by what he
 * has himself, and not by what others have. NULL: out of memory. */
struct client_user *client_user_get(struct list *users, uid_t uid, bool is_master,
                                    struct stream_account *all);
void client_user_put(struct client_user *user);
/* NULL: he has no client. */
const struct client_user *client_user_find(const struct list *users, uid_t uid);
