/* Clients of a control socket over the handles "a1", "a2", "b1", which everybody may read and send
 * to, and "secret", which nobody may read. */
#pragma once

#include "tests/control-fixture.h"

extern struct daemon d;

void begin(void);
void finish(void);
/* The only one, from inside. */
struct client *the_client(void);

#define PING REQUEST("ping", "[]", "1")
#define PONG "{\"jsonrpc\":\"2.0\",\"result\":\"pong\",\"id\":1}"
