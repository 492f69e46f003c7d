/* All workers of the daemon, as the configuration wants them. Loop thread. */
#pragma once

#include "lib/rouse.h"

struct configuration;
struct mailbox;
struct workforce;

int workforce_new(rouse_hub_t *hub, struct mailbox *mailbox, struct workforce **ret);
/* Stops workers that are not configured any more or differently, or whose handles were made anew,
 * and starts those that are missing. The others go on untouched. What cannot start is logged. */
void workforce_apply(struct workforce *workforce, struct configuration *configuration);
/* Stops and joins all. Accepts and returns NULL. */
struct workforce *workforce_free(struct workforce *workforce);
