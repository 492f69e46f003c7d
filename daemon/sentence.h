/* Why a handle waits, in a sentence for people. */
#pragma once

#include <stdint.h>

struct handle_why;

#define SENTENCE_MAX 400

/* Says it at these times, of the monotonic and of the wall clock. Returns text. */
const char *sentence_why(const struct handle_why *why, uint64_t now_ns, int64_t realtime_ms,
                         char text[SENTENCE_MAX]);
