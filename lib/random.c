/* Early at boot, when there is nothing random yet, the numbers are merely different each time. */

#include "lib/random.h"

#include <errno.h>
#include <sys/random.h>

#include "lib/clock.h"

/* From what differs from time to time. */
static void make_up(uint64_t *numbers, size_t n) {
        uint64_t state = clock_now_ns() ^ (uint64_t)(uintptr_t)numbers;

        for (size_t i = 0; i < n; i++)
                numbers[i] = rouse__random_next(&state);
}

void rouse__random(uint64_t *numbers, size_t n) {
        char *bytes = (char *)numbers;
        size_t n_bytes = n * sizeof(*numbers), n_got = 0;

        while (n_got < n_bytes) {
                ssize_t r = getrandom(bytes + n_got, n_bytes - n_got, GRND_NONBLOCK);

                if (r > 0) {
                        n_got += (size_t)r;
                } else if (errno != EINTR) {
                        make_up(numbers, n);
                        return;
                }
        }
}
