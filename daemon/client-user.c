#include "daemon/client-user.h"

#include <stdlib.h>

#include "daemon/limits.h"

static struct client_user *find(const struct list *users, uid_t uid) {
        list_for_each (link, users) {
                struct client_user *user = container_of(link, struct client_user, link);

                if (user->uid == uid)
                        return user;
        }
        return NULL;
}

const struct client_user *client_user_find(const struct list *users, uid_t uid) {
        return find(users, uid);
}

static struct stream_sum share(struct stream_sum *all, size_t max, bool is_master) {
        return (struct stream_sum){
                .max = is_master ? all->max : max,
                .also = all,
                .is_alone = is_master,
        };
}

struct client_user *client_user_get(struct list *users, uid_t uid, bool is_master,
                                    struct stream_account *all) {
        struct client_user *user = find(users, uid);

        if (!user) {
                user = calloc(1, sizeof(*user));
                if (!user)
                        return NULL;
                user->uid = uid;
                user->account = (struct stream_account){
                        .unsent = share(&all->unsent, LIMIT_USER_REPLY_BYTES, is_master),
                        .untaken = share(&all->untaken, LIMIT_USER_REQUEST_BYTES, is_master),
                };
                list_append(users, &user->link);
        }
        user->n_refs++;
        return user;
}

void client_user_put(struct client_user *user) {
        if (--user->n_refs > 0)
                return;
        list_remove(&user->link);
        free(user);
}
