/* An answer that lacks something is shown without it: a newer daemon may say less than this knows,
 * and an older one, too. */

#include "cli/result.h"

#include <stdio.h>
#include <string.h>

#include "cli/output.h"

void result_print(struct json value) {
        out_bytes(value.text, value.n);
        out("\n");
}

void result_text(struct json value, char *text, size_t n_text) {
        static const char *const words[] = {[JSON_NOTHING] = "",
                                            [JSON_NULL_VALUE] = "",
                                            [JSON_TRUE] = "yes",
                                            [JSON_FALSE] = "-"};
        enum json_type type = rouse__json_type(value);

        if (type == JSON_STRING && rouse__json_string(value, text, n_text, NULL) == 0)
                return;
        if (type == JSON_STRING || type == JSON_NUMBER || type == JSON_OBJECT || type == JSON_ARRAY)
                snprintf(text, n_text, "%.*s", (int)value.n, value.text);
        else
                snprintf(text, n_text, "%s", words[type]);
}

struct json result_member(struct json object, const char *member) {
        struct json value = JSON_NULL;

        if (rouse__json_find(object, member, &value) && rouse__json_type(value) == JSON_NULL_VALUE)
                return (struct json)JSON_NULL;
        return value;
}

uint64_t result_u64(struct json object, const char *member) {
        uint64_t number;

        return rouse__json_u64(result_member(object, member), &number) == 0 ? number : 0;
}

bool result_is_true(struct json object, const char *member) {
        return rouse__json_type(result_member(object, member)) == JSON_TRUE;
}
