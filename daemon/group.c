/*
 * First come, first served: who leaves a place and asks again stands behind those that wait. So no
 * handle of a group can starve another one, however often it is sent to.
 */

#include "daemon/group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"

struct group {
        unsigned int n_refs;
        uint32_t max;
        uint32_t n_running;
        struct list waiting;
        bool is_granting;
        char name[];
};

int group_new(const char *name, uint32_t max, struct group **ret) {
        size_t n = strlen(name) + 1;
        struct group *group = calloc(1, sizeof(*group) + n);

        if (!group)
                return -ENOMEM;
        group->n_refs = 1;
        group->max = max;
        list_init(&group->waiting);
        memcpy(group->name, name, n);
        *ret = group;
        return 0;
}

struct group *group_ref(struct group *group) {
        group->n_refs++;
        return group;
}

struct group *group_unref(struct group *group) {
        if (group && --group->n_refs == 0)
                free(group);
        return NULL;
}

const char *group_name(const struct group *group) {
        return group->name;
}

/* Gives free places away. A member that is granted one may leave it within the call; the loop that
 * is under way takes care of that place, too. */
static void grant(struct group *group) {
        if (group->is_granting)
                return;
        group->is_granting = true;
        group_ref(group);
        while (group->n_running < group->max && !list_is_empty(&group->waiting)) {
                struct group_member *member =
                        container_of(list_first(&group->waiting), struct group_member, link);

                list_remove(&member->link);
                member->is_running = true;
                group->n_running++;
                member->granted(member);
        }
        group->is_granting = false;
        group_unref(group);
}

void group_set_max(struct group *group, uint32_t max) {
        group->max = max;
        grant(group);
}

bool group_enter(struct group *group, struct group_member *member) {
        member->group = group_ref(group);
        member->is_running = group->n_running < group->max && list_is_empty(&group->waiting);
        if (member->is_running) {
                group->n_running++;
        } else {
                list_init(&member->link);
                list_append(&group->waiting, &member->link);
        }
        return member->is_running;
}

void group_pass_on(struct group_member *from, struct group_member *to) {
        if (!from->is_running)
                return;
        to->group = steal_ptr(from->group);
        to->is_running = true;
        from->is_running = false;
}

void group_leave(struct group_member *member) {
        struct group *group = member->group;

        if (!group)
                return;
        member->group = NULL;
        list_remove(&member->link);
        if (member->is_running) {
                member->is_running = false;
                group->n_running--;
                grant(group);
        }
        group_unref(group);
}
