/* Signals as people write them. Pure. */
#pragma once

#define SIGNAL_TEXT_MAX 16

/* Reads "HUP", "SIGHUP", "1", "RTMIN+3" or "RTMAX-2". The signal's number, or -EINVAL. */
int signal_from_string(const char *text);
/* Writes "SIGHUP", "SIGRTMIN+3", or the number of an unknown one; returns buffer. */
const char *signal_to_string(int signo, char buffer[SIGNAL_TEXT_MAX]);
/* The known name nearest to `word`, without "SIG"; or NULL. */
const char *signal_nearest(const char *word);
