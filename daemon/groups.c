#include "daemon/groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/configuration.h"
#include "daemon/group.h"

void groups_deinit(struct groups *groups) {
        while (groups->n > 0)
                group_unref(groups->groups[--groups->n]);
        free(groups->groups);
        groups->groups = NULL;
}

struct group *groups_find(const struct groups *groups, const char *name) {
        for (size_t i = 0; name && i < groups->n; i++)
                if (strcmp(group_name(groups->groups[i]), name) == 0)
                        return group_ref(groups->groups[i]);
        return NULL;
}

int groups_configure(struct groups *groups, const struct group_conf *confs, size_t n) {
        struct groups next = {calloc(n ?: 1, sizeof(struct group *)), 0};

        if (!next.groups)
                return -ENOMEM;
        for (; next.n < n; next.n++) {
                const struct group_conf *conf = &confs[next.n];
                struct group **group = &next.groups[next.n];

                *group = groups_find(groups, conf->name);
                if (!*group && group_new(conf->name, conf->max, group) < 0) {
                        groups_deinit(&next);
                        return -ENOMEM;
                }
        }
        for (size_t i = 0; i < n; i++)
                group_set_max(next.groups[i], confs[i].max);
        groups_deinit(groups);
        *groups = next;
        return 0;
}
