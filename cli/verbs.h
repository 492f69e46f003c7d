/* Every verb, each in a file named after it or its group. */
#pragma once

struct verb;

extern const struct verb verb_send, verb_wait, verb_watch;
extern const struct verb verb_list, verb_status, verb_runs, verb_stats, verb_top;
extern const struct verb verb_start, verb_stop, verb_ref, verb_unref, verb_pause, verb_resume,
        verb_create, verb_close, verb_is_active, verb_has_ref;
extern const struct verb verb_reload, verb_check, verb_call, verb_version, verb_help;
