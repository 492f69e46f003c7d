/* Sends through control.sock, and waits for what comes of them. */
#pragma once

#include <stdint.h>

struct arguments;
struct session;

/* `until` is "wake", "run" or NULL for neither. Prints tickets; returns an exit code. */
int send_control(struct session *session, const struct arguments *arguments, const char *until,
                 int64_t timeout_ms);
