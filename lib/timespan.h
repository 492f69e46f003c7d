/* Lengths of time as people write them: "200ms", "1h 30s". Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TIMESPAN_INFINITY UINT64_MAX
#define TIMESPAN_TEXT_MAX 64

/* Reads a length of time as systemd.time(7) defines it: numbers, each with a unit (ns, us, ms, s,
 * min, h, d, w, month, y and their long names; without one it means seconds), added up; or
 * "infinity". Numbers may have a fraction. 0; -EINVAL: not a length of time; -ERANGE: longer than
 * 2^64 - 2 ns, which are 584 years. */
int timespan_parse(const char *text, uint64_t *ret_ns);

/* Writes a length of time so that timespan_parse() reads the same value again; returns buffer. */
const char *timespan_format(uint64_t ns, char buffer[TIMESPAN_TEXT_MAX]);
