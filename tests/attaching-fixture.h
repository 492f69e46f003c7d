/* Clients of librouse-client that attach to a real roused. */
#pragma once

#include <stdint.h>

#include "lib/rouse-client.h"
#include "tests/harness.h"
#include "tests/support.h"

#define PATIENCE_MS ((int64_t)test_slow_ms(20000))

extern struct roused roused; /* the test starts it */

/* A configuration with handles a, b and c. */
extern const char abc_config[];
/* The first two of them. */
extern const char *const ab_names[2];

rouse_client_t *new_client(void);
/* To a and b. */
rouse_attachment_t *attach(rouse_client_t *client);
/* Waits until a handle has so many sends, all of them woken; it gets not one more. NULL: all
 * handles together, those that are gone, too. */
void expect_sends(const char *name, uint64_t n_sends);
