/* JSON schemas of what methods answer, by the names that the methods' rows refer to. */
#pragma once

#include "daemon/openrpc.h"

/* Ended by a row without a name. */
extern const struct openrpc_schema schemas[];
