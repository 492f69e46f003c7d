/* Runs a command. */
#pragma once

struct action_kind;

extern const struct action_kind action_kind_run;
