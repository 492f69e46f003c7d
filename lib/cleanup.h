/* Ownership in local variables: acquire into one of these, hand over with a steal. */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn) __attribute__((cleanup(fn)))

/* Defines `fn`p, which calls fn on the variable if it holds something. */
#define DEFINE_CLEANUP(type, fn)            \
        static inline void fn##p(type *p) { \
                if (*p)                     \
                        (void)fn(*p);       \
        }

static inline void cleanup_freep(void *p) {
        free(*(void **)p);
}
#define _cleanup_free_ _cleanup_(cleanup_freep)

static inline int close_fd(int fd) {
        if (fd >= 0)
                close(fd); /* never again after EINTR: Linux has closed it */
        return -1;
}
static inline void cleanup_closep(int *fd) {
        close_fd(*fd);
}
#define _cleanup_close_ _cleanup_(cleanup_closep)

#define steal_ptr(p)                       \
        ({                                 \
                __typeof__(p) *_pp = &(p); \
                __typeof__(p) _v = *_pp;   \
                *_pp = NULL;               \
                _v;                        \
        })

static inline int steal_fd(int *fd) {
        int v = *fd;
        *fd = -1;
        return v;
}
