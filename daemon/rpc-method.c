/*
 * Parameters are bound by the table that also describes them, so that what is documented and what
 * is accepted cannot differ.
 *
 * Strings stay where they came in unless they have escapes. Memory for those, and for the items of
 * arrays, is reserved for the whole request at once: what was bound never moves afterwards.
 */

#include "daemon/rpc-method.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buffer.h"
#include "daemon/rpc-error.h"

static int compare_methods(const void *a, const void *b) {
        const struct rpc_method *const *x = a, *const *y = b;

        return strcmp((*x)->name, (*y)->name);
}

int rpc_table_init(struct rpc_table *table, const struct rpc_method *const *groups) {
        const struct rpc_method **methods;
        size_t n = 0, i = 0;

        for (size_t g = 0; groups[g]; g++)
                for (const struct rpc_method *m = groups[g]; m->name; m++)
                        n++;
        methods = calloc(n ?: 1, sizeof(*methods));
        if (!methods)
                return -ENOMEM;
        for (size_t g = 0; groups[g]; g++)
                for (const struct rpc_method *m = groups[g]; m->name; m++)
                        methods[i++] = m;
        qsort(methods, n, sizeof(*methods), compare_methods);
        *table = (struct rpc_table){.methods = methods, .n_methods = n};
        return 0;
}

void rpc_table_deinit(struct rpc_table *table) {
        free(table->methods);
        *table = (struct rpc_table)RPC_TABLE_NULL;
}

const struct rpc_method *rpc_table_find(const struct rpc_table *table, const char *name, size_t n) {
        size_t low = 0, high = table->n_methods;

        while (low < high) {
                size_t middle = (low + high) / 2;
                const struct rpc_method *method = table->methods[middle];
                size_t n_method = strlen(method->name);
                int c = memcmp(name, method->name, n < n_method ? n : n_method);

                if (c == 0 && n == n_method)
                        return method;
                if (c < 0 || (c == 0 && n < n_method))
                        high = middle;
                else
                        low = middle + 1;
        }
        return NULL;
}

static const char *const expectations[] = {
        [RPC_STRING] = "a string",
        [RPC_STRINGS] = "an array of strings",
        [RPC_STRING_OR_ARRAY] = "a string or an array of strings",
        [RPC_BOOLEAN] = "true or false",
        [RPC_INTEGER] = "an integer from 0 to 18446744073709551615",
};

static int bad_param(struct rpc_bad_param *reterr, const struct rpc_error *error, const char *name,
                     size_t n) {
        *reterr = (struct rpc_bad_param){.error = error};
        if (n >= sizeof(reterr->name))
                n = sizeof(reterr->name) - 1;
        memcpy(reterr->name, name, n);
        return -EINVAL;
}

static int wrong_type(struct rpc_bad_param *reterr, const struct rpc_param *param) {
        size_t n = 0;

        (void)bad_param(reterr, &rpc_wrong_type, param->name, strlen(param->name));
        if (param->type != RPC_CHOICE)
                snprintf(reterr->expected, sizeof(reterr->expected), "%s",
                         expectations[param->type]);
        for (size_t i = 0; param->type == RPC_CHOICE && param->choices[i]; i++)
                if (n < sizeof(reterr->expected))
                        n += (size_t)snprintf(reterr->expected + n, sizeof(reterr->expected) - n,
                                              "%s\"%s\"", i > 0 ? " or " : "", param->choices[i]);
        return -EINVAL;
}

/* Decodes one string; the room for it was reserved. */
static bool bind_string(struct json_text value, const struct rpc_scratch *scratch,
                        struct json_text *ret) {
        return rouse__json_type(value) == JSON_TYPE_STRING &&
               rouse__json_decode(value, scratch->strings, ret) == 0;
}

static bool bind_strings(struct json_text value, const struct rpc_scratch *scratch,
                         struct rpc_arg *arg) {
        struct buffer *items = scratch->items;
        const struct json_text *first = (void *)(items->data + items->n);
        struct json_text item, string;
        const char *at;
        size_t n = 0;

        if (rouse__json_type(value) != JSON_TYPE_ARRAY)
                return false;
        at = rouse__json_enter(value);
        while (rouse__json_next_item(&at, &item)) {
                if (!bind_string(item, scratch, &string))
                        return false;
                buffer_add(items, &string, sizeof(string));
                n++;
        }
        arg->strings.items = first;
        arg->strings.n = n;
        return true;
}

static bool bind_choice(struct json_text value, const struct rpc_param *param,
                        struct rpc_arg *arg) {
        if (rouse__json_type(value) != JSON_TYPE_STRING)
                return false;
        for (size_t i = 0; param->choices[i]; i++)
                if (rouse__json_is(value, param->choices[i], strlen(param->choices[i]))) {
                        arg->integer = i;
                        return true;
                }
        return false;
}

/* Some languages have no other numbers than 1000.0, and JSON's schema takes that for an integer. */
static bool bind_integer(struct json_text value, uint64_t *ret) {
        size_t n = value.n;

        if (rouse__json_type(value) != JSON_TYPE_NUMBER)
                return false;
        while (n > 0 && value.at[n - 1] == '0')
                n--;
        if (n > 0 && value.at[n - 1] == '.')
                value.n = n - 1;
        return rouse__json_u64(value, ret) == 0;
}

static bool bind_value(struct json_text value, const struct rpc_param *param,
                       const struct rpc_scratch *scratch, struct rpc_arg *arg) {
        switch (param->type) {
        case RPC_STRING:
                return bind_string(value, scratch, &arg->string);
        case RPC_STRING_OR_ARRAY:
                if (rouse__json_type(value) == JSON_TYPE_STRING) {
                        struct json_text *item = (void *)(scratch->items->data + scratch->items->n);

                        if (!bind_string(value, scratch, item))
                                return false;
                        scratch->items->n += sizeof(*item);
                        arg->strings.items = item;
                        arg->strings.n = 1;
                        return true;
                }
                return bind_strings(value, scratch, arg);
        case RPC_STRINGS:
                return bind_strings(value, scratch, arg);
        case RPC_BOOLEAN:
                arg->boolean = rouse__json_type(value) == JSON_TYPE_TRUE;
                return arg->boolean || rouse__json_type(value) == JSON_TYPE_FALSE;
        case RPC_INTEGER:
                return bind_integer(value, &arg->integer);
        case RPC_CHOICE:
                return bind_choice(value, param, arg);
        }
        return false;
}

/* Reserves what binding can need. An item takes at least three bytes of the request ("",) and a
 * text without a backslash needs no decoding. */
static int reserve(const struct rpc_method *method, struct json_text params,
                   const struct rpc_scratch *scratch) {
        scratch->strings->n = scratch->items->n = 0;
        if (memchr(params.at, '\\', params.n) && !buffer_reserve(scratch->strings, params.n))
                return -ENOMEM;
        for (const struct rpc_param *p = method->params; p && p->name; p++)
                if (p->type == RPC_STRINGS || p->type == RPC_STRING_OR_ARRAY)
                        return buffer_reserve(scratch->items,
                                              (params.n / 3 + 1) * sizeof(struct json_text))
                                       ? 0
                                       : -ENOMEM;
        return 0;
}

/* The place of the parameter that an object's key names; n_params if there is none. */
static size_t find_param(const struct rpc_method *method, size_t n_params, struct json_text key) {
        size_t i = 0;

        while (i < n_params &&
               !rouse__json_is(key, method->params[i].name, strlen(method->params[i].name)))
                i++;
        return i;
}

static int bind_one(const struct rpc_param *param, struct json_text value,
                    const struct rpc_scratch *scratch, struct rpc_arg *arg,
                    struct rpc_bad_param *reterr) {
        if (rouse__json_type(value) == JSON_TYPE_NULL && !param->required)
                return 0;
        if (!bind_value(value, param, scratch, arg))
                return wrong_type(reterr, param);
        arg->text = value;
        return 0;
}

static int bind_members(const struct rpc_method *method, size_t n_params, struct json_text params,
                        const struct rpc_scratch *scratch, struct rpc_arg *args,
                        struct rpc_bad_param *reterr) {
        const char *at = rouse__json_enter(params);
        struct json_text key, value;
        unsigned int seen = 0;
        int r;

        while (rouse__json_next_member(&at, &key, &value)) {
                size_t i = find_param(method, n_params, key);

                if (i == n_params)
                        return bad_param(reterr, &rpc_unknown_param, key.at + 1, key.n - 2);
                if (seen & 1U << i)
                        return bad_param(reterr, &rpc_repeated_param, key.at + 1, key.n - 2);
                seen |= 1U << i;
                r = bind_one(&method->params[i], value, scratch, &args[i], reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int bind_items(const struct rpc_method *method, size_t n_params, struct json_text params,
                      const struct rpc_scratch *scratch, struct rpc_arg *args,
                      struct rpc_bad_param *reterr) {
        const char *at = rouse__json_enter(params);
        struct json_text value;
        size_t i = 0;
        int r;

        while (rouse__json_next_item(&at, &value)) {
                if (i == n_params)
                        return bad_param(reterr, &rpc_too_many_params, "", 0);
                r = bind_one(&method->params[i], value, scratch, &args[i], reterr);
                if (r < 0)
                        return r;
                i++;
        }
        return 0;
}

int rpc_params_bind(const struct rpc_method *method, struct json_text params,
                    const struct rpc_scratch *scratch, struct rpc_arg *ret_args,
                    struct rpc_bad_param *reterr) {
        size_t n_params = 0;
        int r = 0;

        while (method->params && method->params[n_params].name)
                n_params++;
        memset(ret_args, 0, RPC_MAX_PARAMS * sizeof(*ret_args));
        if (params.at) {
                r = reserve(method, params, scratch);
                if (r < 0)
                        return r;
                if (rouse__json_type(params) == JSON_TYPE_OBJECT)
                        r = bind_members(method, n_params, params, scratch, ret_args, reterr);
                else
                        r = bind_items(method, n_params, params, scratch, ret_args, reterr);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < n_params; i++)
                if (method->params[i].required && !rpc_arg_is_given(&ret_args[i]))
                        return bad_param(reterr, &rpc_missing_param, method->params[i].name,
                                         strlen(method->params[i].name));
        return 0;
}
