/* Users and groups as people write them. These calls may block in the user database (a network
 * directory, perhaps): not for the loop, but for reading a configuration, and for answers
 * that are kept. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A number, or a name of the user database. 0; -ESRCH: there is none; -ENOMEM, or another negative
 * errno: the database could not be asked. */
int user_from_string(const char *text, uid_t *ret);
int group_from_string(const char *text, gid_t *ret);
/* The groups that a user is in, the main one among them: that of the database if wants_gid, which
 * then goes to *gid, else *gid. A user whom the database does not know is in *gid alone, or, if
 * wants_gid, -ESRCH. *ret_groups is to be freed. */
int user_groups(uid_t uid, bool wants_gid, gid_t *gid, gid_t **ret_groups, size_t *ret_n);
