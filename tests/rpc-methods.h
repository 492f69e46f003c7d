/* The methods that the examples of the JSON-RPC 2.0 specification call, and one that waits. */
#pragma once

#include "daemon/rpc-method.h"

struct rpc_call;

extern const struct rpc_method *const example_methods[];

/* Calls of `later` that wait, in the order in which they came. */
#define EXAMPLE_MAX_LATER 2048
extern struct rpc_call *example_later[EXAMPLE_MAX_LATER];
extern unsigned int example_n_later, example_n_cancelled, example_n_updates;

/* Answers one of them with its place. */
void example_answer(unsigned int i);
