/* Users and groups as people write them. These calls may block in the user database (a network
 * directory, perhaps): not for the loop, but for reading a configuration. */
#pragma once

#include <sys/types.h>

/* A number, or a name of the user database. 0; -ESRCH: there is none; -ENOMEM, or another negative
 * errno: the database could not be asked. */
int user_from_string(const char *text, uid_t *ret);
int group_from_string(const char *text, gid_t *ret);
