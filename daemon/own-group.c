/*
 * The group is looked up by getent(1), a process of its own. Most systems have it in /etc/group;
 * where it is missing, the C library goes on to the other modules of the user database, and what
 * they load would stay in the daemon for good: a quarter of a small one. A fork() would not do, as
 * the child of a process with threads may find the locks of others locked for ever.
 *
 * Where there is no getent, the memory is spent.
 */

#include "daemon/own-group.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "daemon/user-names.h"

#define NOT_FOUND 2 /* what getent exits with */

/* "name:password:number:members". */
static int read_gid(const char *line, gid_t *ret) {
        const char *colon = strchr(line, ':');

        if (colon)
                colon = strchr(colon + 1, ':');
        if (!colon || colon[1] < '0' || colon[1] > '9')
                return -EIO;
        *ret = (gid_t)strtoul(colon + 1, NULL, 10);
        return 0;
}

int own_group_find(gid_t *ret) {
        FILE *stream = popen("exec getent group " OWN_GROUP " 2>/dev/null", "re");
        char line[256];
        int r = -EIO, status;

        if (stream) {
                if (fgets(line, sizeof(line), stream))
                        r = read_gid(line, ret);
                status = pclose(stream);
                if (r == 0)
                        return 0;
                if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND)
                        return -ESRCH;
        }
        return group_from_string(OWN_GROUP, ret);
}
