/* A wait that is interrupted, or too long for poll(2), goes on with what is left of its time. */

#include "lib/deadline.h"

#include <errno.h>
#include <limits.h>

static int left_ms(uint64_t deadline_ns) {
        uint64_t now_ns, ms;

        if (deadline_ns == DEADLINE_NEVER)
                return -1;
        now_ns = clock_now_ns();
        if (now_ns >= deadline_ns)
                return 0;
        ms = (deadline_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
        return ms > INT_MAX ? INT_MAX : (int)ms;
}

int rouse__deadline_poll(uint64_t deadline_ns, int fd, short events, int most_ms) {
        uint64_t until_ns = deadline_in_ms(most_ms);
        struct pollfd pollfd = {.fd = fd, .events = events};
        int r;

        if (until_ns > deadline_ns)
                until_ns = deadline_ns;
        for (;;) {
                int ms = left_ms(until_ns);

                r = poll(&pollfd, 1, ms);
                if (r > 0)
                        return r;
                if (r < 0 && errno != EINTR)
                        return -errno;
                if (r == 0 && ms < INT_MAX)
                        return 0;
        }
}
