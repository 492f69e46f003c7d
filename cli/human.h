/* Numbers as people read them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/json-value.h"
#include "lib/timespan.h"

/* A length of time in its two largest units at most: "1min 3s", "1.25ms". Returns buffer. */
const char *human_span(uint64_t ns, char buffer[TIMESPAN_TEXT_MAX]);

/* "1 send", "2 sends". Returns buffer. */
#define HUMAN_COUNT_MAX 48
const char *human_count(uint64_t n, const char *noun, char buffer[HUMAN_COUNT_MAX]);

/* A point in time of the wall clock, local. Returns buffer. */
#define HUMAN_TIME_MAX 40
const char *human_time(uint64_t realtime_ms, char buffer[HUMAN_TIME_MAX]);

/* What came of a run, from its JSON: "ended with exit code 3". Returns buffer. */
#define HUMAN_OUTCOME_MAX 80
const char *human_outcome(struct json_text run, char buffer[HUMAN_OUTCOME_MAX]);
