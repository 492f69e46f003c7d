/* A directory whose entries are watched, alone or with everything below it. */
#pragma once

#include <stdbool.h>

struct notifier_user;
struct watch_tree;

/* A change at `name` below the directory ("" is the directory itself). by_event: it happened before
 * the events were read that are told now; else it may have happened since. */
typedef void (*watch_tree_changed_cb)(void *arg, const char *name, bool by_event);
/* Nothing is told any more: the directory has gone, or is another one now. */
typedef void (*watch_tree_lost_cb)(void *arg);

/* The callbacks must not free the tree. `path` has no symbolic link in it. Nothing is told of what
 * is there already. Directories below that cannot be watched are left out, see watch_tree_error().
 * Negative errno of inotify_add_watch(2) for the directory itself. */
int watch_tree_new(struct notifier_user *user, const char *path, bool recursive,
                   watch_tree_changed_cb changed, watch_tree_lost_cb lost, void *arg,
                   struct watch_tree **ret);
struct watch_tree *watch_tree_free(struct watch_tree *tree); /* returns NULL */

bool watch_tree_is_on(const struct watch_tree *tree);
/* Why some directory below could not be watched, the last of them: negative errno, -E2BIG for
 * LIMIT_WATCHED_DIRS; 0: all are. */
int watch_tree_error(const struct watch_tree *tree);

/* Whether an entry that was just created is a file that its maker has yet to write: then its
 * closing will be told too, and the creation says nothing that is worth a look. */
bool watch_is_unwritten(const char *path);
