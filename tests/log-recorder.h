/* Keeps what is logged, for tests that are linked with --wrap=log_write. Any thread. */
#pragma once

#include <stdbool.h>

/* How many messages there were, notices and worse. */
unsigned int log_recorder_count(void);
void log_recorder_clear(void);
/* Whether one of them held this text. */
bool log_recorder_has(const char *text);
