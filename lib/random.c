/* Early at boot, when there is nothing random yet, the numbers are merely different each time. */

#include "lib/random.h"

#include <errno.h>
#include <sys/random.h>

#include "lib/clock.h"

/* splitmix64, as S. Vigna has it, from what differs from time to time. */
static void make_up(uint64_t *numbers, size_t n) {
        uint64_t state = clock_now_ns() ^ (uint64_t)(uintptr_t)numbers;

        for (size_t i = 0; i < n; i++) {
                uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

                z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
                z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
                numbers[i] = z ^ (z >> 31);
        }
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
