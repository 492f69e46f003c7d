/* What the sockets ask of the daemon as a whole. Loop thread. Tests put another one in its place.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/registry-setup.h"
#include "lib/rouse.h"

struct access_rules;
struct conf_errors;
struct daemon;
struct poke;
struct registry;

uv_loop_t *daemon_loop(struct daemon *daemon);
rouse_hub_t *daemon_hub(struct daemon *daemon);
struct registry *daemon_registry(struct daemon *daemon);
const struct poke *daemon_poke(const struct daemon *daemon);           /* for its counters */
const struct access_rules *daemon_access(const struct daemon *daemon); /* as configured now */
uint64_t daemon_started_ns(const struct daemon *daemon);               /* monotonic */

struct reload_result {
        struct registry_changes changes; /* names of handles */
};
void reload_result_deinit(struct reload_result *result);

/* Reads the configuration again and swaps it in; on -EINVAL `errors` says why and nothing changed.
 * It logs what came of it. The caller deinits both. */
int daemon_reload(struct daemon *daemon, struct conf_errors *errors, struct reload_result *ret);

/* Begins the orderly stop; returns at once. */
void daemon_shutdown(struct daemon *daemon);
