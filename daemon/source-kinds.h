/* The kinds of sources, for their table. */
#pragma once

struct source_kind;

extern const struct source_kind source_every;
extern const struct source_kind source_cron;
extern const struct source_kind source_watch;
extern const struct source_kind source_signal;
extern const struct source_kind source_fifo;
