/*
 * Giving back goes through all that is free, so it is done when it is likely to bring something:
 * the users have become half as many as there were, and the process has some MiB more than it is
 * known to need. Then it costs little beside what the others had to do to leave. One user who comes
 * and goes costs a look at the size of the process.
 *
 * What is taken for needed becomes less when less remains, and more only if nothing was to be had:
 * then it is really in use, or what remains of some users stands between. So it holds until half of
 * those have gone.
 */

#include "daemon/surplus.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/cleanup.h"

#define SLACK_BYTES (4U << 20) /* more than what is needed */
#define WORTH_BYTES (1U << 20)

/* Memory of the process alone; 0: that cannot be found out. */
static size_t own_bytes(void) {
        _cleanup_close_ int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
        size_t n_resident, n_shared;
        char text[128];
        ssize_t n;

        if (fd < 0)
                return 0;
        n = read(fd, text, sizeof(text) - 1);
        if (n <= 0)
                return 0;
        text[n] = '\0';
        if (sscanf(text, "%*u %zu %zu", &n_resident, &n_shared) != 2 || n_shared > n_resident)
                return 0;
        return (n_resident - n_shared) * (size_t)sysconf(_SC_PAGESIZE);
}

void surplus_give_back(void) {
#ifdef __GLIBC__
        (void)malloc_trim(0);
#endif
}

void surplus_user_came(struct surplus *surplus) {
        if (++surplus->n_users > surplus->n_peak)
                surplus->n_peak = surplus->n_users;
}

void surplus_user_went(struct surplus *surplus) {
        size_t n_before, n_after;

        if (--surplus->n_users > surplus->n_peak / 2)
                return;
        surplus->n_peak = surplus->n_users;
        n_before = own_bytes();
        if (n_before <= surplus->n_needed + SLACK_BYTES &&
            2 * surplus->n_users >= surplus->n_needing)
                return;
        surplus_give_back();
        n_after = own_bytes();
        if (n_after < surplus->n_needed || n_before < n_after + WORTH_BYTES) {
                surplus->n_needed = n_after;
                surplus->n_needing = surplus->n_users;
        }
}
