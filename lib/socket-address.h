/* Where a socket stands in a directory, as the kernel wants to be told. */
#pragma once

#include <sys/un.h>

/* The address of the socket `name` in `dir`. A path that does not fit into one goes by way of the
 * directory's descriptor, which has to stay open until the address was used. 0; -ENAMETOOLONG: it
 * does not fit, and dir_fd is negative. */
int rouse__socket_address(const char *dir, int dir_fd, const char *name, struct sockaddr_un *ret);
