/* Signals as people write them. Pure. */
#pragma once

/* Reads "HUP", "SIGHUP", "1", "RTMIN+3" or "RTMAX-2". The signal's number, or -EINVAL. */
int signal_from_string(const char *text);
/* The known name nearest to `word`, without "SIG"; or NULL. */
const char *signal_nearest(const char *word);
