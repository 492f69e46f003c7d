/* A conversation without a socket: texts go in, the test hears what comes out. */
#pragma once

#include <stdbool.h>

#include "daemon/rpc-call.h"
#include "daemon/rpc.h"
#include "lib/buffer.h"

#define RESULT(r) "{\"jsonrpc\":\"2.0\",\"result\":" r ",\"id\":1}"

#define INVALID(id)                                                                         \
        "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\"Invalid Request\"}," \
        "\"id\":" id "}"

#define LIMIT(message, id)                                                       \
        "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32006,\"message\":\"" message \
        "\",\"data\":{\"reason\":\"limit_reached\"}},\"id\":" id "}\n"

extern unsigned int n_answered;
extern bool every_turn_is_over;

struct talk {
        struct rpc rpc;
        struct rpc_table table;
        struct rpc_counters counters;
        struct buffer out;
        char *heard;
};

void talk_init(struct talk *talk);
void talk_deinit(struct talk *talk);
/* Says one text, from memory of exactly its size. */
bool say(struct talk *talk, const char *text);
/* What has been answered since the last call. */
const char *hear(struct talk *talk);
/* Both. */
const char *ask(struct talk *talk, const char *text);
/* Compares values; "" is no answer at all. An answer is one line. */
void assert_answer(const char *text, const char *answer, const char *expected);
