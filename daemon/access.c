/*
 * Three lists of numbers. Root and the daemon's own user are asked first, so a question about them
 * costs nothing; anybody else costs a walk over lists that are as short as their configuration.
 */
#include "daemon/access.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "daemon/conf-node.h"
#include "daemon/conf-schema.h"
#include "daemon/own-group.h"
#include "daemon/peer.h"
#include "daemon/user-names.h"
#include "lib/cleanup.h"

struct grant {
        bool is_set;
        bool everybody;
        uid_t *uids;
        size_t n_uids;
        gid_t *gids;
        size_t n_gids;
};

struct access_rules {
        struct grant grants[N_ACCESS_RIGHTS];
        uid_t own_uid; /* the daemon's: geteuid() is a system call */
};

DEFINE_CLEANUP(struct access_rules *, access_rules_free)

static const char *const right_names[] = {
        [ACCESS_READ] = "read",
        [ACCESS_SEND] = "send",
        [ACCESS_ADMIN] = "admin",
};

const char *access_right_to_string(enum access_right right) {
        return right_names[right];
}

struct access_rules *access_rules_free(struct access_rules *rules) {
        if (!rules)
                return NULL;
        for (int right = 0; right < N_ACCESS_RIGHTS; right++) {
                free(rules->grants[right].uids);
                free(rules->grants[right].gids);
        }
        free(rules);
        return NULL;
}

static int access_rules_new(struct access_rules **ret) {
        struct access_rules *rules = calloc(1, sizeof(*rules));

        if (!rules)
                return -ENOMEM;
        rules->own_uid = geteuid();
        *ret = rules;
        return 0;
}

static int grant_uid(struct grant *grant, uid_t uid) {
        uid_t *uids = reallocarray(grant->uids, grant->n_uids + 1, sizeof(*uids));

        if (!uids)
                return -ENOMEM;
        grant->uids = uids;
        grant->uids[grant->n_uids++] = uid;
        return 0;
}

static int grant_gid(struct grant *grant, gid_t gid) {
        gid_t *gids = reallocarray(grant->gids, grant->n_gids + 1, sizeof(*gids));

        if (!gids)
                return -ENOMEM;
        grant->gids = gids;
        grant->gids[grant->n_gids++] = gid;
        return 0;
}

/* One of the list: a user, "@group", or "*". */
static int read_subject(struct conf_errors *errors, const struct conf_node *node,
                        struct grant *grant) {
        const char *text;
        uid_t uid;
        gid_t gid;
        int r;

        r = conf_text(errors, node, &text);
        if (r < 0)
                return r;
        if (strcmp(text, "*") == 0) {
                grant->everybody = true;
                return 0;
        }
        r = text[0] == '@' ? group_from_string(text + 1, &gid) : user_from_string(text, &uid);
        if (r == -ENOMEM)
                return r;
        if (r == -ESRCH && strcmp(text, "@" OWN_GROUP) == 0)
                return 0; /* the default may be written out: without the group, nobody */
        if (r == -ESRCH)
                return conf_error(errors, node, "there is no %s '%s'",
                                  text[0] == '@' ? "group" : "user",
                                  text[0] == '@' ? text + 1 : text);
        if (r < 0)
                return conf_error(errors, node, "cannot look up '%s': %s", text, strerror(-r));
        return text[0] == '@' ? grant_gid(grant, gid) : grant_uid(grant, uid);
}

static int read_grant(struct conf_errors *errors, const struct conf_node *node, void *field) {
        struct grant *grant = field;
        int result = 0;

        grant->is_set = true;
        if (node->type != CONF_SEQUENCE) {
                if (node->type != CONF_SCALAR || conf_node_is_null(node))
                        return conf_error_expected(errors, node,
                                                   "a list of users, \"@group\" or \"*\"");
                return read_subject(errors, node, grant);
        }
        for (size_t i = 0; i < node->n; i++)
                if (conf_errors_note(errors, read_subject(errors, node->items[i], grant)) < 0)
                        result = -EINVAL;
        return result;
}

static const struct conf_key access_keys[] = {
        {"read", read_grant, offsetof(struct access_rules, grants[ACCESS_READ])},
        {"send", read_grant, offsetof(struct access_rules, grants[ACCESS_SEND])},
        {"admin", read_grant, offsetof(struct access_rules, grants[ACCESS_ADMIN])},
        {NULL},
};

int access_rules_parse(struct conf_errors *errors, const struct conf_node *node, void *field) {
        _cleanup_(access_rules_freep) struct access_rules *rules = NULL;
        const struct conf_key *table = access_keys;
        void *target;
        int r;

        r = access_rules_new(&rules);
        if (r < 0)
                return r;
        target = rules;
        r = conf_map(errors, node, &table, &target, 1);
        if (r < 0)
                return r;
        access_rules_free(*(struct access_rules **)field);
        *(struct access_rules **)field = steal_ptr(rules);
        return 0;
}

int access_rules_fill(struct access_rules *rules) {
        struct grant *send = &rules->grants[ACCESS_SEND];
        gid_t gid;
        int r;

        if (!rules->grants[ACCESS_READ].is_set)
                rules->grants[ACCESS_READ].everybody = true;
        if (!send->is_set) {
                r = own_group_find(&gid);
                if (r == 0)
                        r = grant_gid(send, gid);
                if (r == -ENOMEM)
                        return r;
                /* No such group, or no user database to ask: nobody has the right. */
        }
        for (int right = 0; right < N_ACCESS_RIGHTS; right++)
                rules->grants[right].is_set = true;
        return 0;
}

int access_rules_new_default(struct access_rules **ret) {
        _cleanup_(access_rules_freep) struct access_rules *rules = NULL;
        int r;

        r = access_rules_new(&rules);
        if (r == 0)
                r = access_rules_fill(rules);
        if (r < 0)
                return r;
        *ret = steal_ptr(rules);
        return 0;
}

static bool grant_equal(const struct grant *a, const struct grant *b) {
        return a->is_set == b->is_set && a->everybody == b->everybody && a->n_uids == b->n_uids &&
               a->n_gids == b->n_gids &&
               (a->n_uids == 0 || memcmp(a->uids, b->uids, a->n_uids * sizeof(*a->uids)) == 0) &&
               (a->n_gids == 0 || memcmp(a->gids, b->gids, a->n_gids * sizeof(*a->gids)) == 0);
}

bool access_rules_equal(const struct access_rules *a, const struct access_rules *b) {
        if (!a || !b)
                return a == b;
        for (int right = 0; right < N_ACCESS_RIGHTS; right++)
                if (!grant_equal(&a->grants[right], &b->grants[right]))
                        return false;
        return true;
}

static bool has_gid(const struct peer *peer, gid_t gid) {
        if (peer->gid == gid)
                return true;
        for (size_t i = 0; i < peer->n_groups; i++)
                if (peer->groups[i] == gid)
                        return true;
        return false;
}

static bool grant_covers(const struct grant *grant, const struct peer *peer) {
        if (grant->everybody)
                return true;
        for (size_t i = 0; i < grant->n_uids; i++)
                if (grant->uids[i] == peer->uid)
                        return true;
        for (size_t i = 0; i < grant->n_gids; i++)
                if (has_gid(peer, grant->gids[i]))
                        return true;
        return false;
}

bool access_is_master(const struct access_rules *global, const struct peer *peer) {
        return peer->uid == 0 || peer->uid == global->own_uid;
}

bool access_allows(const struct access_rules *global, const struct access_rules *own,
                   const struct peer *peer, enum access_right right) {
        const struct access_rules *rules;

        if (access_is_master(global, peer))
                return true;
        rules = own && own->grants[right].is_set ? own : global;
        if (grant_covers(&rules->grants[right], peer))
                return true;
        rules = own && own->grants[ACCESS_ADMIN].is_set ? own : global;
        return grant_covers(&rules->grants[ACCESS_ADMIN], peer);
}

bool access_is_open(const struct access_rules *global, const struct access_rules *own,
                    enum access_right right) {
        const struct access_rules *rules = own && own->grants[right].is_set ? own : global;

        return rules->grants[right].everybody;
}
