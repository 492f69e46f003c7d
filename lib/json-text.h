/* Reads JSON (RFC 8259) where it stands: no copy, no tree. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;

/* A value, without the white space around it; `at` is NULL where there is none. */
struct json_text {
        const char *at;
        size_t n;
};

#define JSON_TEXT_NULL \
        { 0 }

enum json_type {
        JSON_TYPE_OBJECT,
        JSON_TYPE_ARRAY,
        JSON_TYPE_STRING,
        JSON_TYPE_NUMBER,
        JSON_TYPE_TRUE,
        JSON_TYPE_FALSE,
        JSON_TYPE_NULL,
        JSON_TYPE_NOTHING, /* no value at all; never of one that was read */
};

/* Looks at all n bytes of `text`, which must be one value in UTF-8 with white space around it, not
 * nested deeper than max_depth. 0 and the value; -EINVAL: not JSON; -E2BIG: too deep, as far as it
 * was read; then *reterr_at (may be NULL) is where it stopped. Everything below takes only what
 * this has let pass. */
int rouse__json_check(const char *text, size_t n, unsigned int max_depth, struct json_text *ret,
                      size_t *reterr_at);

enum json_type rouse__json_type(struct json_text value);

/* Walks over the items of an array or the members of an object:
 *
 *         const char *at = rouse__json_enter(array);
 *         while (rouse__json_next_item(&at, &item))
 *                 …
 */
const char *rouse__json_enter(struct json_text container);
bool rouse__json_next_item(const char **at, struct json_text *ret_item);
bool rouse__json_next_member(const char **at, struct json_text *ret_key,
                             struct json_text *ret_value);

/* Whether the string `value` means exactly the n bytes at `s`, which hold no backslash, no quote
 * and no control character. */
bool rouse__json_is(struct json_text value, const char *s, size_t n);

/* What the string `value` means: in place where it has no escapes, else decoded to the end of
 * `arena`, where the caller has reserved value.n bytes. There may be NULs in it. -EINVAL: half of a
 * surrogate pair, which means nothing. */
int rouse__json_decode(struct json_text value, struct buffer *arena, struct json_text *ret);
/* A number that is an integer of at most 64 bits without a sign, fraction or exponent. -ERANGE:
 * another one. */
int rouse__json_u64(struct json_text value, uint64_t *ret);
