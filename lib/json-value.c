/* All of this is made of the reader of json-text.c; a value of another kind is no mistake here, but
 * an answer that this version does not know. */

#include "lib/json-value.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "lib/buffer.h"

enum json_type rouse__json_kind(struct json_text value) {
        return value.n ? rouse__json_type(value) : JSON_TYPE_NOTHING;
}

int rouse__json_parse(const char *text, size_t n, struct json_text *ret, size_t *reterr_at) {
        return rouse__json_check(text, n, JSON_MAX_DEPTH, ret, reterr_at);
}

bool rouse__json_next(struct json_iterator *it) {
        enum json_type kind = rouse__json_kind(it->whole);

        if (kind != JSON_TYPE_OBJECT && kind != JSON_TYPE_ARRAY)
                return false;
        if (!it->at)
                it->at = rouse__json_enter(it->whole);
        if (kind == JSON_TYPE_OBJECT)
                return rouse__json_next_member(&it->at, &it->key, &it->value);
        return rouse__json_next_item(&it->at, &it->value);
}

bool rouse__json_find(struct json_text object, const char *name, struct json_text *ret) {
        struct json_iterator it = {.whole = object};

        if (rouse__json_kind(object) != JSON_TYPE_OBJECT)
                return false;
        while (rouse__json_next(&it))
                if (rouse__json_string_is(it.key, name)) {
                        *ret = it.value;
                        return true;
                }
        return false;
}

int rouse__json_string(struct json_text value, char *buffer, size_t n_buffer, size_t *ret_n) {
        struct buffer arena = BUFFER_NULL;
        struct json_text string;
        int r;

        if (rouse__json_kind(value) != JSON_TYPE_STRING)
                return -EINVAL;
        if (!buffer_reserve(&arena, value.n))
                return -ENOMEM;
        r = rouse__json_decode(value, &arena, &string);
        if (r == 0 && memchr(string.at, '\0', string.n))
                r = -EILSEQ;
        if (r == 0 && string.n >= n_buffer)
                r = -ENOBUFS;
        if (r == 0) {
                memcpy(buffer, string.at, string.n);
                buffer[string.n] = '\0';
                if (ret_n)
                        *ret_n = string.n;
        }
        rouse__buffer_deinit(&arena);
        return r;
}

bool rouse__json_string_is(struct json_text value, const char *string) {
        return rouse__json_kind(value) == JSON_TYPE_STRING &&
               rouse__json_is(value, string, strlen(string));
}

int rouse__json_whole(struct json_text value, uint64_t *ret) {
        if (rouse__json_kind(value) != JSON_TYPE_NUMBER)
                return -EINVAL;
        return rouse__json_u64(value, ret);
}

int rouse__json_int(struct json_text value, int *ret) {
        bool negative = value.n > 1 && value.at[0] == '-';
        uint64_t number;
        int r;

        if (rouse__json_kind(value) != JSON_TYPE_NUMBER)
                return -EINVAL;
        if (negative) {
                value.at++;
                value.n--;
        }
        r = rouse__json_u64(value, &number);
        if (r < 0)
                return r;
        if (number > INT_MAX)
                return -ERANGE;
        *ret = negative ? -(int)number : (int)number;
        return 0;
}
