/* A watch on a loop, files below the test's directory, and what is told of them. The kernel queues
 * the events of a call before the call returns, so a test acts and then looks at what a few turns
 * of the loop tell; nothing waits. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <uv.h>

#include "daemon/watch-path.h"
#include "tests/support.h"

#define MAX_TOLD 65536
#define LOST     "(lost)" /* what stands in `told` where no path was told */

#define ok(call) ck_assert_msg((call) >= 0, "%s: %s", #call, strerror(errno))

extern uv_loop_t loop;
extern struct watch_path *watch;
/* What was told since the last look. */
extern char *told[MAX_TOLD];
extern unsigned int n_told;

/* A watch_path_cb; `arg` is `told`. */
void on_change(void *arg, const char *path);

/* Watches a path; that tells nothing. */
void begin(const char *path, unsigned int flags);
void end(void);

void forget(void);
void turn(void);
/* How much is told of all that happened since. */
unsigned int look(void);
bool was_told(const char *path);

/* A path below the test's directory, as all of these take it; valid for the next three calls. */
const char *at(const char *path);
void make_dir(const char *path);
void write_file(const char *path);
void read_file(const char *path);
void move(const char *from, const char *to);
void make_link(const char *target, const char *path);
void drop(const char *path);
