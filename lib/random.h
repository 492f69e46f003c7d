/* Numbers that nobody can guess, for the keys of hashes. Any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Never waits and never fails. */
void rouse__random(uint64_t *numbers, size_t n);
