/* Describes methods in an OpenRPC document (https://spec.open-rpc.org, version 1.3.2). */
#pragma once

struct buffer;
struct rpc_table;

struct openrpc_schema {
        const char *name;
        const char *text; /* JSON */
};

/* `schemas`, ended by a row without a name, are what the methods' results refer to. */
void openrpc_write(struct buffer *out, const struct rpc_table *table, const char *title,
                   const char *version, const struct openrpc_schema *schemas);
