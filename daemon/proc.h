/* What /proc tells of the signals of a process that was not reaped yet. Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* If /proc cannot be read both say yes: who asks does once too often then what he must not leave
 * out. */

/* Whether it may have been on its way out by now, so that signals are taken and forgotten. */
bool proc_may_be_exiting(pid_t pid);
/* Whether one of these signals may wait for it, sent to the process as a whole. Of one that has
 * ended that is what it did not take. */
bool proc_may_have_pending(pid_t pid, uint64_t signals);

/* In a set of signals, as /proc writes them. */
static inline uint64_t proc_signal_bit(int signal) {
        return UINT64_C(1) << (signal - 1);
}
