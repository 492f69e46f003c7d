/*
 * The group is looked up in a process of its own. Most systems have it in /etc/group; where it is
 * missing, the C library goes on to the other modules of the user database, and what they load
 * would stay in the daemon for good: a quarter of a small one.
 */

#include "daemon/own-group.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/user-names.h"
#include "lib/cleanup.h"

struct answer {
        int r;
        gid_t gid;
};

int own_group_find(gid_t *ret) {
        _cleanup_close_ int read_fd = -1, write_fd = -1;
        struct answer answer = {.r = -ESRCH};
        int fds[2], r;
        pid_t pid;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        read_fd = fds[0];
        write_fd = fds[1];
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0) {
                answer.r = group_from_string(OWN_GROUP, &answer.gid);
                _exit(write(write_fd, &answer, sizeof(answer)) < 0);
        }
        write_fd = close_fd(write_fd); /* else the read waits for ever if the child dies */
        r = read(read_fd, &answer, sizeof(answer)) == sizeof(answer) ? answer.r : -EIO;
        (void)waitpid(pid, NULL, 0);
        if (r == 0)
                *ret = answer.gid;
        return r;
}
