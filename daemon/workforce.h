/* All workers of the daemon, as the configuration wants them. Loop thread. */
#pragma once

#include "lib/rouse.h"

struct configuration;
struct mailbox;
struct workforce;

int workforce_new(rouse_hub_t *hub, struct mailbox *mailbox, struct workforce **ret);
/* Starts and stops workers, and in those that stay, the sources that are not the same as before or
 * whose handle was made anew. All others go on untouched. A worker that cannot be started or
 * changed is logged, and stays as it is; the next time tries again. 0; negative errno of the first
 * that could not be. */
int workforce_apply(struct workforce *workforce, const struct configuration *configuration);
/* Stops and joins all. Accepts and returns NULL. */
struct workforce *workforce_free(struct workforce *workforce);
