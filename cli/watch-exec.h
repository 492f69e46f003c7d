/* Runs a command for wakes that are watched. */
#pragma once

struct session;

/* The client watches already. `command` is ended by NULL. Runs until INT, TERM or the end of the
 * connection; returns an exit code. */
int watch_exec(struct session *session, char **command);
