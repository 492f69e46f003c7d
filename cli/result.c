/* An answer that lacks something is shown without it: a newer daemon may say less than this knows,
 * and an older one, too. */

#include "cli/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "lib/cleanup.h"

void result_print(struct json_text value) {
        out_bytes(value.at, value.n);
        out("\n");
}

/* A string, or of a longer one as much as there is room for and a mark. */
static bool read_string(struct json_text value, char *text, size_t n_text) {
        static const char mark[] = "…";
        _cleanup_free_ char *whole = malloc(value.n + 1);
        size_t n;

        /* Without its quotes it is never longer than with them. */
        if (!whole || rouse__json_string(value, whole, value.n + 1, &n) < 0)
                return false;
        if (n >= n_text) {
                n = n_text - sizeof(mark);
                while (n > 0 && ((unsigned char)whole[n] & 0xc0) == 0x80)
                        n--;
                memcpy(whole + n, mark, sizeof(mark));
                n += sizeof(mark) - 1;
        }
        memcpy(text, whole, n + 1);
        return true;
}

void result_text(struct json_text value, char *text, size_t n_text) {
        static const char *const words[] = {[JSON_TYPE_NOTHING] = "",
                                            [JSON_TYPE_NULL] = "",
                                            [JSON_TYPE_TRUE] = "yes",
                                            [JSON_TYPE_FALSE] = "-"};
        enum json_type type = rouse__json_kind(value);

        if (type == JSON_TYPE_STRING && read_string(value, text, n_text))
                return;
        if (type == JSON_TYPE_STRING || type == JSON_TYPE_NUMBER || type == JSON_TYPE_OBJECT ||
            type == JSON_TYPE_ARRAY)
                snprintf(text, n_text, "%.*s", (int)value.n, value.at);
        else
                snprintf(text, n_text, "%s", words[type]);
}

struct json_text result_member(struct json_text object, const char *member) {
        struct json_text value = JSON_TEXT_NULL;

        if (rouse__json_find(object, member, &value) && rouse__json_kind(value) == JSON_TYPE_NULL)
                return (struct json_text)JSON_TEXT_NULL;
        return value;
}

uint64_t result_u64(struct json_text object, const char *member) {
        uint64_t number;

        return rouse__json_whole(result_member(object, member), &number) == 0 ? number : 0;
}

bool result_is_true(struct json_text object, const char *member) {
        return rouse__json_kind(result_member(object, member)) == JSON_TYPE_TRUE;
}
