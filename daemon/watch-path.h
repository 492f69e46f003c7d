/* Tells when what a path leads to changes, whatever becomes of the path itself. */
#pragma once

#include <stdbool.h>
#include <uv.h>

struct watch_path;

enum watch_path_flags {
        WATCH_PATH_RECURSIVE = 1 << 0, /* a directory with all that is below it */
        WATCH_PATH_NAME_ONLY = 1 << 1, /* what stands there, or could; not its contents */
};

/* `path` says what changed: the one that is watched, or one below it; NULL: changes were lost, it
 * may be anything. The watch must not be freed in it. */
typedef void (*watch_path_cb)(void *arg, const char *path);

/* Watches an absolute path, which need not exist. Nothing is told about the beginning; what appears
 * later is a change. On the loop's thread, outside of any watch's callback. What cannot be watched
 * for now is logged with `place` (not copied), and tried again. -ENOMEM, -EMFILE, -ENFILE. */
int watch_path_new(uv_loop_t *loop, const char *path, unsigned int flags, const char *place,
                   watch_path_cb cb, void *arg, struct watch_path **ret);
/* Tells within the call what has happened until now; outside of any watch's callback. */
void watch_path_catch_up(struct watch_path *watch);
struct watch_path *watch_path_free(struct watch_path *watch); /* returns NULL */
