/* What clients may ask of the daemon as a whole. Loop thread. Tests put another one in its place.
 */
#pragma once

#include "daemon/registry-setup.h"

struct conf_errors;
struct daemon;
struct poke;

const struct poke *daemon_poke(const struct daemon *daemon); /* for its counters */

struct reload_result {
        struct registry_changes changes; /* names of handles */
        int error;                       /* why not all of it could be applied; 0: it was */
        char complaint[200];             /* the same for people */
};
void reload_result_deinit(struct reload_result *result);

/* Reads the configuration again and swaps it in; on -EINVAL `errors` says why and nothing changed.
 * When memory or descriptors were short, some handles or workers may be missing then, and `ret`
 * says so: the next reload makes them. It logs what came of it. The caller deinits both. */
int daemon_reload(struct daemon *daemon, struct conf_errors *errors, struct reload_result *ret);

/* Begins the orderly stop; returns at once. */
void daemon_shutdown(struct daemon *daemon);
