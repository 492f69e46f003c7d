/* Sends through control.sock, and waits for what comes of them. */
#pragma once

#include <stdint.h>

struct arguments;
struct session;

/* The key that option number i says; NULL: it is another option. */
const char *send_key(const struct arguments *arguments, int i);
/* The line of a send that was accepted. */
void send_print_ticket(const struct session *session, const char *name, uint64_t ticket);

/* `until` is "wake", "run" or NULL for neither; the session is open. Prints tickets; returns an
 * exit code. */
int send_control(struct session *session, const struct arguments *arguments, const char *until,
                 int64_t timeout_ms);
