/*
 * The document is written from the rows of the methods, so that it cannot say anything else than
 * what the daemon does. Errors stand in `components` once, and methods refer to them.
 */

#include "daemon/openrpc.h"

#include <string.h>

#include "daemon/access.h"
#include "daemon/json-write.h"
#include "daemon/rpc-error.h"
#include "daemon/rpc-method.h"

#define A_STRING "{\"type\":\"string\"}"
#define AN_ARRAY "{\"type\":\"array\",\"items\":" A_STRING "}"

static void write_string(struct buffer *out, const char *key, const char *value) {
        json_write_key(out, key);
        json_write_string(out, value);
}

static void write_raw(struct buffer *out, const char *key, const char *json) {
        json_write_key(out, key);
        json_write_raw(out, json, strlen(json));
}

static void write_choices(struct buffer *out, const struct rpc_param *param) {
        json_write_open(out, '{');
        json_write_key(out, "enum");
        json_write_open(out, '[');
        for (size_t i = 0; param->choices[i]; i++)
                json_write_string(out, param->choices[i]);
        json_write_close(out, ']');
        json_write_close(out, '}');
}

static void write_param(struct buffer *out, const struct rpc_param *param) {
        static const char *const types[] = {
                [RPC_STRING] = A_STRING,
                [RPC_STRINGS] = AN_ARRAY,
                [RPC_STRING_OR_ARRAY] = "{\"oneOf\":[" A_STRING "," AN_ARRAY "]}",
                [RPC_BOOLEAN] = "{\"type\":\"boolean\"}",
                [RPC_INTEGER] = "{\"type\":\"integer\",\"minimum\":0}",
        };

        json_write_open(out, '{');
        write_string(out, "name", param->name);
        if (param->description)
                write_string(out, "description", param->description);
        json_write_key(out, "required");
        json_write_bool(out, param->required);
        if (param->type == RPC_CHOICE) {
                json_write_key(out, "schema");
                write_choices(out, param);
        } else {
                write_raw(out, "schema", types[param->type]);
        }
        json_write_close(out, '}');
}

static void write_errors(struct buffer *out, const struct rpc_method *method) {
        json_write_key(out, "errors");
        json_write_open(out, '[');
        for (size_t i = 0; method->errors && method->errors[i]; i++) {
                json_write_open(out, '{');
                json_write_key(out, "$ref");
                buffer_add_literal(out, "\"#/components/errors/");
                buffer_add(out, method->errors[i]->reason, strlen(method->errors[i]->reason));
                buffer_add_byte(out, '"');
                json_write_close(out, '}');
        }
        json_write_close(out, ']');
}

static void write_method(struct buffer *out, const struct rpc_method *method) {
        json_write_open(out, '{');
        write_string(out, "name", method->name);
        write_string(out, "summary", method->description);
        write_string(out, "paramStructure", "either");
        json_write_key(out, "params");
        json_write_open(out, '[');
        for (const struct rpc_param *p = method->params; p && p->name; p++)
                write_param(out, p);
        json_write_close(out, ']');
        json_write_key(out, "result");
        json_write_open(out, '{');
        write_string(out, "name", "result");
        write_raw(out, "schema", method->result);
        json_write_close(out, '}');
        write_errors(out, method);
        write_string(out, "x-right",
                     method->scope == RPC_FREE ? NULL : access_right_to_string(method->right));
        json_write_close(out, '}');
}

static void write_error(struct buffer *out, const struct rpc_error *error) {
        json_write_key(out, error->reason);
        json_write_open(out, '{');
        json_write_key(out, "code");
        json_write_i64(out, error->code);
        write_string(out, "message", error->message);
        json_write_key(out, "data");
        json_write_open(out, '{');
        write_string(out, "reason", error->reason);
        json_write_close(out, '}');
        json_write_close(out, '}');
}

static void write_components(struct buffer *out, const struct openrpc_schema *schemas) {
        json_write_key(out, "components");
        json_write_open(out, '{');
        json_write_key(out, "schemas");
        json_write_open(out, '{');
        for (; schemas->name; schemas++)
                write_raw(out, schemas->name, schemas->text);
        json_write_close(out, '}');
        json_write_key(out, "errors");
        json_write_open(out, '{');
        for (size_t i = 0; rpc_errors[i]; i++)
                if (rpc_errors[i]->reason)
                        write_error(out, rpc_errors[i]);
        json_write_close(out, '}');
        json_write_close(out, '}');
}

void openrpc_write(struct buffer *out, const struct rpc_table *table, const char *title,
                   const char *version, const struct openrpc_schema *schemas) {
        json_write_open(out, '{');
        write_string(out, "openrpc", "1.3.2");
        json_write_key(out, "info");
        json_write_open(out, '{');
        write_string(out, "title", title);
        write_string(out, "version", version);
        json_write_close(out, '}');
        json_write_key(out, "methods");
        json_write_open(out, '[');
        for (size_t i = 0; i < table->n_methods; i++)
                write_method(out, table->methods[i]);
        json_write_close(out, ']');
        write_components(out, schemas);
        json_write_close(out, '}');
}
