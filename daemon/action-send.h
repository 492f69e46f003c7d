/* Sends to other handles. */
#pragma once

struct action_kind;

extern const struct action_kind action_kind_send;
