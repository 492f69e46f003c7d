/* Finding many handles of a hub by name, at once. */
#pragma once

#include <stddef.h>

#include "lib/names.h"
#include "lib/rouse.h"

/* rouse_hub_find() for each of at most NAMES_AT_ONCE names. Loop thread. */
void rouse__hub_find_many(rouse_hub_t *hub, const struct rouse__text *names, size_t n,
                          rouse_async_t **ret);
