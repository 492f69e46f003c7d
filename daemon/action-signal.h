/* Signals a process that a file names. */
#pragma once

struct action_kind;

extern const struct action_kind action_kind_signal;
