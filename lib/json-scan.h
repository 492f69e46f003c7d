/* Reads JSON text in place, strictly by RFC 8259 and without memory of its own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_MAX_DEPTH 64

/* The text of one whole value, no white space around it. Points into somebody else's text. */
struct json {
        const char *text;
        size_t n;
};

#define JSON_NULL \
        { 0 }

enum json_type {
        JSON_NOTHING, /* a struct json without text */
        JSON_OBJECT,
        JSON_ARRAY,
        JSON_STRING,
        JSON_NUMBER,
        JSON_TRUE,
        JSON_FALSE,
        JSON_NULL_VALUE,
};

/* Reads text that holds one value and white space. 0; -EBADMSG: it is not JSON, and *ret_at (if
 * not NULL) is the offset where that shows; -E2BIG: nested deeper than JSON_MAX_DEPTH. */
int rouse__json_parse(const char *text, size_t n, struct json *ret, size_t *ret_at);

/* The calls below take values that came from rouse__json_parse(), and values within them. */

enum json_type rouse__json_type(struct json value);

/* The value of an object's first member of that name. False if there is none, or no object. */
bool rouse__json_find(struct json object, const char *name, struct json *ret);

/* Walks through an array or object. Begin with an iterator of zeros but for `whole`. */
struct json_iterator {
        struct json whole;
        size_t at;         /* where to go on */
        struct json key;   /* out: the member's name, a string; for objects */
        struct json value; /* out */
};
bool rouse__json_next(struct json_iterator *it);

/* Decodes a string to UTF-8 with a NUL after it. 0 and *ret_n (may be NULL) is its length; -EINVAL:
 * no string; -ENOBUFS: has no room; -EILSEQ: has U+0000 in it. */
int rouse__json_string(struct json value, char *buffer, size_t n_buffer, size_t *ret_n);
bool rouse__json_string_is(struct json value, const char *string);

/* Whole numbers, written without fraction or exponent. 0; -EINVAL: not one; -ERANGE. */
int rouse__json_u64(struct json value, uint64_t *ret);
int rouse__json_int(struct json value, int *ret);
