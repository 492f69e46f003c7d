/* A method as a row of a table: its parameters, what it answers, who may call it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/json-text.h"

struct buffer;
struct rpc_call;
struct rpc_error;

enum rpc_type {
        RPC_STRING,
        RPC_STRINGS,         /* an array of strings */
        RPC_STRING_OR_ARRAY, /* the same, or a string alone, which means an array of one */
        RPC_BOOLEAN,
        RPC_INTEGER, /* from 0 to 2^64-1 */
        RPC_CHOICE,  /* one of some strings */
};

struct rpc_param {
        const char *name;
        enum rpc_type type;
        bool required;
        const char *const *choices; /* of a RPC_CHOICE, ended by NULL */
        const char *description;
};

/* What was given for a parameter; valid until the method returns. */
struct rpc_arg {
        struct json_text text; /* as it came; none where the parameter was left out, or null */
        union {
                struct json_text string; /* RPC_STRING: n bytes, without quotes and NUL */
                struct {
                        const struct json_text *items;
                        size_t n;
                } strings;
                bool boolean;
                uint64_t integer; /* RPC_CHOICE: its place among the choices */
        };
};

static inline bool rpc_arg_is_given(const struct rpc_arg *arg) {
        return arg->text.at;
}

#define RPC_MAX_PARAMS 8U

enum rpc_scope {
        RPC_FREE,       /* everybody who could connect may call it */
        RPC_GLOBAL,     /* needs the right for the daemon as a whole */
        RPC_PER_HANDLE, /* needs the right for the handles that it names */
};

struct rpc_method {
        const char *name;
        const char *description;
        const struct rpc_param *params;        /* ended by a row without a name; NULL: none */
        const char *result;                    /* JSON schema of the result */
        const struct rpc_error *const *errors; /* its own ones, ended by NULL; NULL: none */
        uint8_t scope;                         /* enum rpc_scope */
        uint8_t right;                         /* enum access_right, unless the scope is free */

        /* Answers the call, now or later. There is an arg for each parameter. */
        void (*fn)(struct rpc_call *call, const struct rpc_arg *args);
};

/* Methods by name, from tables of rows. */
struct rpc_table {
        const struct rpc_method **methods; /* sorted */
        size_t n_methods;
};

#define RPC_TABLE_NULL \
        { 0 }

/* `groups` is a list, ended by NULL, of tables, each ended by a row without a name. 0 or -ENOMEM.
 */
int rpc_table_init(struct rpc_table *table, const struct rpc_method *const *groups);
void rpc_table_deinit(struct rpc_table *table);
const struct rpc_method *rpc_table_find(const struct rpc_table *table, const char *name, size_t n);

/* Where strings with escapes, and lists, are kept while a method runs. */
struct rpc_scratch {
        struct buffer *strings, *items;
};

struct rpc_bad_param {
        const struct rpc_error *error;
        char name[64];     /* of the parameter, as much as fits; "" where none is meant */
        char expected[96]; /* with rpc_wrong_type: "a string" */
};

/* Reads `params`, an object, an array, or none, as `method` declares them. RPC_MAX_PARAMS args are
 * written. 0; -EINVAL and the reason; -ENOMEM. */
int rpc_params_bind(const struct rpc_method *method, struct json_text params,
                    const struct rpc_scratch *scratch, struct rpc_arg *ret_args,
                    struct rpc_bad_param *reterr);
