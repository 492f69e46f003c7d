/* An address has 108 bytes, and a path may have 4096. What /proc has for a descriptor is short, and
 * leads to the directory wherever it stands. */

#include "lib/socket-address.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

int rouse__socket_address(const char *dir, int dir_fd, const char *name, struct sockaddr_un *ret) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int n;

        n = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", dir, name);
        if (n >= (int)sizeof(address.sun_path) && dir_fd >= 0)
                n = snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s",
                             dir_fd, name);
        if (n < 0 || n >= (int)sizeof(address.sun_path))
                return -ENAMETOOLONG;
        *ret = address;
        return 0;
}
