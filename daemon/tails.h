/* What processes that a run has left behind go on to write. Loop thread. */
#pragma once

#include <stddef.h>

#include "lib/list.h"

struct line_reader;

struct tails {
        struct list list; /* struct tail, the oldest first */
        size_t n;
};

void tails_init(struct tails *tails);
/* Reads on until nobody can write any more, and logs it with the handle's name. Takes the reader.
 * Where there are too many it is closed, and the log says so. */
void tails_take(struct tails *tails, const char *handle, struct line_reader *reader);
/* Logs what was written until now; from then on writing fails. May be repeated. */
void tails_close(struct tails *tails);
