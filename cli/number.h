/* Numbers of the command line. */
#pragma once

#include <stdint.h>

/* Reads the value of an option. 0, or EXIT_USAGE after a message. */
int number_read(const char *option, const char *text, uint64_t *ret);
