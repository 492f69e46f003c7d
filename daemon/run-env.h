/* The environment that runs inherit from the daemon. */
#pragma once

/* The daemon's own without what concerns the daemon alone (its notification socket, handed-over
 * descriptors, watchdog), and with ROUSE_DIR: the absolute path of `dir`, which is there. A list
 * ended by NULL. */
int run_env_new(const char *dir, char ***ret);
char **run_env_free(char **env); /* accepts and returns NULL */
