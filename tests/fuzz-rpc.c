/*
 * Whatever one client sends: lines of any bytes. The promises: nothing is read outside of the text,
 * and every answer is a line that jansson can read, with exactly one of result and error.
 *
 * Built with -fsanitize=fuzzer it is a libFuzzer target; `make check` replays its corpus instead.
 */

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json-text.h"
#include "daemon/rpc-call.h"
#include "daemon/rpc.h"
#include "tests/fuzz.h"
#include "tests/rpc-methods.h"

static bool turn_is_over(struct rpc *rpc) {
        return rpc->counters->requests % 3 == 0;
}

static const struct rpc_host host = {.turn_is_over = turn_is_over};

static void check_answer(const json_t *answer) {
        const char *version = json_string_value(json_object_get(answer, "jsonrpc"));
        const json_t *result = json_object_get(answer, "result");
        const json_t *error = json_object_get(answer, "error");

        if (json_object_size(answer) != 3 || !version || strcmp(version, "2.0") != 0 ||
            !json_object_get(answer, "id") || !result == !error)
                abort();
        if (error && (!json_is_number(json_object_get(error, "code")) ||
                      !json_is_string(json_object_get(error, "message"))))
                abort();
}

/* Ids may be numbers and strings that jansson has no room for; all else it must read. */
static void check_line(const char *line, size_t n) {
        struct json_text value;
        json_t *json;

        if (rouse__json_check(line, n, 128, &value, NULL) != 0)
                abort();
        json = json_loadb(line, n, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
        if (!json)
                return;
        if (json_is_array(json)) {
                if (json_array_size(json) == 0)
                        abort();
                for (size_t i = 0; i < json_array_size(json); i++)
                        check_answer(json_array_get(json, i));
        } else {
                check_answer(json);
        }
        json_decref(json);
}

static void take(struct rpc *rpc, const char *line, size_t n) {
        char *copy = malloc(n ?: 1);

        if (!copy)
                abort();
        memcpy(copy, line, n);
        while (!rpc_take(rpc, copy, n))
                ;
        free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        const char *at = (const char *)data, *end = at + n, *newline;
        struct buffer out = BUFFER_NULL;
        struct rpc_counters counters = {0};
        struct rpc_table table;
        struct rpc rpc;

        if (rpc_table_init(&table, example_methods) < 0)
                abort();
        rpc_init(&rpc, &table, &host, &counters, &out);
        for (; at < end; at = newline + 1) {
                newline = memchr(at, '\n', (size_t)(end - at)) ?: end;
                take(&rpc, at, (size_t)(newline - at));
        }
        for (unsigned int i = 0; i < example_n_later; i++)
                if (i % 2 == 0)
                        example_answer(i);
        rpc_deinit(&rpc);
        example_n_later = 0;
        if (out.failed)
                abort();
        if (!buffer_reserve(&out, 1))
                abort();
        for (at = out.data, end = at + out.n; at < end; at = newline + 1) {
                newline = memchr(at, '\n', (size_t)(end - at));
                if (!newline)
                        abort();
                check_line(at, (size_t)(newline - at));
        }
        rouse__buffer_deinit(&out);
        rpc_table_deinit(&table);
        return 0;
}
