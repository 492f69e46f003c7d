/* Memory that was freed and that the C library keeps, in case: given back to the system. */
#pragma once

#include <stddef.h>

/* Those who come, need memory and go. Zero-initialised. */
struct surplus {
        size_t n_users, n_peak; /* … since something was looked for */
        size_t n_needed;        /* bytes that are in use, as far as is known … */
        size_t n_needing;       /* … with so many users */
};

/* Somebody comes. */
void surplus_user_came(struct surplus *surplus);
/* Somebody has gone, and freed what was his. Gives back what is left over, if it is worth it. */
void surplus_user_went(struct surplus *surplus);

/* Gives back at once, whatever it costs. */
void surplus_give_back(void);
