/* Times that come again and again, at the same distance. */
#pragma once

#include <stdint.h>

/* The first time after `now_ns` in the row that `due_ns` and `period_ns` (not 0) make. However late
 * somebody comes, the row stays where it was. UINT64_MAX: beyond all time. */
static inline uint64_t period_next(uint64_t due_ns, uint64_t period_ns, uint64_t now_ns) {
        uint64_t last_ns;

        if (now_ns < due_ns)
                return due_ns;
        last_ns = now_ns - (now_ns - due_ns) % period_ns;
        return period_ns < UINT64_MAX - last_ns ? last_ns + period_ns : UINT64_MAX;
}
