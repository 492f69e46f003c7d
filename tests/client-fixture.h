/* The client library against a daemon that answers as it is told. */
#pragma once

#include "lib/rouse-client.h"
#include "tests/fake-roused.h"

#define PATIENCE_MS 20000

rouse_client_t *new_client(const char *dir);
/* What the last call of it failed with. */
void check_error(const rouse_client_t *client, int code, const char *message);
/* Stops the daemon and checks what it was told. */
void check_received(struct fake *fake, const char *expected);
