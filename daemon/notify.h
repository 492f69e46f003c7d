/* What the service manager is told, and what it hands over. When no service manager asks,
 * every call does nothing and succeeds. */
#pragma once

#include <stdint.h>
#include <uv.h>

struct notify_watchdog;

/* Any thread. Whether the message arrived is of no consequence to us, so nothing is returned. */
void notify_ready(void);
/* A reload begins; notify_ready() says that it is over, whatever came of it. */
void notify_reloading(void);
void notify_stopping(void);
/* One line of text that `systemctl status` shows. */
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Loop thread. Tells the service manager from the loop that the loop still turns, twice in each
 * interval that it asked for. It does not hold the loop. *ret is NULL if nobody asked. */
int notify_watchdog_new(uv_loop_t *loop, struct notify_watchdog **ret);
/* Loop thread. The loop has to run once more to release the memory. Accepts and returns NULL. */
struct notify_watchdog *notify_watchdog_free(struct notify_watchdog *watchdog);

/* The sockets that the service manager has opened for us; -1 for each that it has not. They are
 * close-on-exec and non-blocking, and belong to the caller. To be called once, before any other
 * thread runs. 0; -EPROTOTYPE: a descriptor is neither of the two; -EEXIST: one of them came twice;
 * or another negative errno. On error all descriptors that were handed over are closed. */
int notify_take_sockets(int *ret_poke_fd, int *ret_control_fd);
