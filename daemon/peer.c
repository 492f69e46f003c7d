/*
 * The kernel stores the credentials of a connection's other end when it connects, with the
 * supplementary groups of that moment (SO_PEERGROUPS, Linux 4.13). A datagram carries only pid, uid
 * and gid.
 */
#include "daemon/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "daemon/user-names.h"
#include "lib/cleanup.h"

#define N_GROUPS_FIRST 32
#define N_GROUPS_MAX   65536 /* NGROUPS_MAX of Linux */

void peer_deinit(struct peer *peer) {
        free(peer->groups);
        *peer = (struct peer)PEER_NULL;
}

/* The groups of a socket's other end. A kernel that does not know the option knows no groups. */
static int groups_of_socket(int fd, gid_t **ret_groups, size_t *ret_n_groups) {
        _cleanup_free_ gid_t *groups = NULL;
        socklen_t n_bytes = N_GROUPS_FIRST * sizeof(*groups);

        for (;;) {
                gid_t *larger = realloc(groups, n_bytes ?: sizeof(*groups));

                if (!larger)
                        return -ENOMEM;
                groups = larger;
                if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &n_bytes) == 0)
                        break;
                if (errno == ENOPROTOOPT || errno == ENODATA) {
                        n_bytes = 0;
                        break;
                }
                if (errno != ERANGE || n_bytes > N_GROUPS_MAX * sizeof(*groups))
                        return -errno;
        }
        *ret_groups = steal_ptr(groups);
        *ret_n_groups = n_bytes / sizeof(gid_t);
        return 0;
}

int peer_init_from_socket(struct peer *peer, int fd) {
        struct ucred credentials;
        socklen_t n_bytes = sizeof(credentials);
        gid_t *groups = NULL;
        size_t n_groups = 0;
        int r;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &n_bytes) < 0)
                return -errno;
        r = groups_of_socket(fd, &groups, &n_groups);
        if (r < 0)
                return r;
        *peer = (struct peer){
                .pid = credentials.pid,
                .uid = credentials.uid,
                .gid = credentials.gid,
                .groups = groups,
                .n_groups = n_groups,
        };
        return 0;
}

int peer_init_from_ids(struct peer *peer, pid_t pid, uid_t uid, gid_t gid) {
        gid_t *groups = NULL, main_gid; /* which stands among the groups */
        size_t n_groups = 0;
        int r;

        r = user_groups(uid, true, &main_gid, &groups, &n_groups);
        if (r < 0 && r != -ESRCH)
                return r;
        *peer = (struct peer){
                .pid = pid,
                .uid = uid,
                .gid = gid,
                .groups = groups,
                .n_groups = n_groups,
        };
        return 0;
}
