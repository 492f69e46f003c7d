/* What JSON says, for those who need little of it. Values come from rouse__json_check(). */
#pragma once

#include "lib/json-text.h"

#define JSON_MAX_DEPTH 64

/* The same as rouse__json_type(), and JSON_TYPE_NOTHING where there is no value. */
enum json_type rouse__json_kind(struct json_text value);

/* Reads text that holds one value and white space, nested no deeper than JSON_MAX_DEPTH. 0;
 * -EINVAL: it is not JSON, and *reterr_at (if not NULL) is the offset where that shows; -E2BIG. */
int rouse__json_parse(const char *text, size_t n, struct json_text *ret, size_t *reterr_at);

/* The value of an object's first member of that name. False if there is none, or no object. */
bool rouse__json_find(struct json_text object, const char *name, struct json_text *ret);

/* Walks through an array or object. Begin with an iterator of zeros but for `whole`. */
struct json_iterator {
        struct json_text whole;
        const char *at;         /* where to go on; NULL: at the beginning */
        struct json_text key;   /* out: the member's name, a string; for objects */
        struct json_text value; /* out */
};
bool rouse__json_next(struct json_iterator *it);

/* Decodes a string to UTF-8 with a NUL after it. 0 and *ret_n (may be NULL) is its length; -EINVAL:
 * no string; -ENOBUFS: has no room; -EILSEQ: has U+0000 in it; -ENOMEM. */
int rouse__json_string(struct json_text value, char *buffer, size_t n_buffer, size_t *ret_n);
bool rouse__json_string_is(struct json_text value, const char *string);

/* Whole numbers, written without fraction or exponent. 0; -EINVAL: not a number; -ERANGE: another
 * one. The text of the first need not have been checked. */
int rouse__json_whole(struct json_text value, uint64_t *ret);
int rouse__json_int(struct json_text value, int *ret);
