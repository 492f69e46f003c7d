/* Who is at the other end of a socket, as the kernel tells it. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct peer {
        pid_t pid;
        uid_t uid;
        gid_t gid;
        gid_t *groups; /* beside gid, which may be among them; owned */
        size_t n_groups;
};

#define PEER_NULL \
        { .pid = 0, .uid = (uid_t)-1, .gid = (gid_t)-1 }

/* Of a connected stream socket (SO_PEERCRED, SO_PEERGROUPS). 0, or negative errno. */
int peer_init_from_socket(struct peer *peer, int fd);
/* Of a datagram's credentials: the groups beside `gid` are those that the user database gives the
 * uid, the main one among them, because the sender may be gone already. May block in that database:
 * the caller keeps the answer for each uid. A uid that it does not know is in `gid` alone. 0, or
 * negative errno: it could not be asked.
 */
int peer_init_from_ids(struct peer *peer, pid_t pid, uid_t uid, gid_t gid);
void peer_deinit(struct peer *peer); /* may be repeated */
