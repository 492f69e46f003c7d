/* What clients are shown of a handle, as JSON. */
#pragma once

#include <stdint.h>

struct buffer;
struct handle;
struct handle_stats;
struct histogram;
struct run_result;

/* An object: name, is_active, has_ref, pending, paused, state, seq, description. */
void view_handle(struct buffer *out, const struct handle *handle);
/* The same of a handle that is not there any more. */
void view_gone(struct buffer *out, const char *name, uint64_t seq);
/* The same with why it waits, the run that goes on and the last one. */
void view_status(struct buffer *out, const struct handle *handle);
/* An object: what came of a run. `complaint` is why it failed, or NULL. */
void view_run(struct buffer *out, const struct run_result *run, const char *complaint);
/* Members of an object that is open. */
void view_stats(struct buffer *out, const struct handle_stats *stats);
