/*
 * A recursive descent over the text, bounded by JSON_MAX_DEPTH. The whole text is checked once, by
 * rouse__json_parse(); looking for something in it walks over the same grammar again, so a value
 * needs no more room than a pointer and a length, and nothing trusts that the check was made.
 *
 * A cursor never goes beyond its end, and after a failure it stays where the text went wrong.
 */

#include "lib/json-scan.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "lib/utf8.h"

struct cursor {
        const char *p, *end;
        int error; /* why it cannot go on */
};

static bool fail(struct cursor *c, int error) {
        c->error = error;
        return false;
}

static bool take(struct cursor *c, char wanted) {
        if (c->p == c->end || *c->p != wanted)
                return false;
        c->p++;
        return true;
}

static void skip_space(struct cursor *c) {
        while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\n' || *c->p == '\r'))
                c->p++;
}

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

/* The four digits of \uXXXX. */
static bool take_hex(struct cursor *c, uint32_t *ret) {
        uint32_t code = 0;

        for (int i = 0; i < 4; i++) {
                int digit = c->p < c->end ? hex_digit(*c->p) : -1;

                if (digit < 0)
                        return fail(c, -EBADMSG);
                code = code << 4 | (uint32_t)digit;
                c->p++;
        }
        *ret = code;
        return true;
}

/* What follows "\u": one code point, of two halves if the first is a surrogate. */
static bool take_unicode(struct cursor *c, uint32_t *ret) {
        uint32_t high, low;

        if (!take_hex(c, &high))
                return false;
        if (high < 0xd800 || high > 0xdfff) {
                *ret = high;
                return true;
        }
        if (high > 0xdbff || !take(c, '\\') || !take(c, 'u') || !take_hex(c, &low) ||
            low < 0xdc00 || low > 0xdfff)
                return fail(c, -EBADMSG);
        *ret = 0x10000 + ((high - 0xd800) << 10 | (low - 0xdc00));
        return true;
}

/* One character of a string: its bytes in UTF-8, and how many. */
static bool take_character(struct cursor *c, char out[4], size_t *ret_n) {
        static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
        const char *name;
        uint32_t code;
        size_t n;

        if (c->p == c->end || (unsigned char)*c->p < 0x20)
                return fail(c, -EBADMSG);
        if (*c->p != '\\') {
                n = rouse__utf8_sequence(c->p, (size_t)(c->end - c->p));
                if (n == 0)
                        return fail(c, -EBADMSG);
                memcpy(out, c->p, n);
                c->p += n;
                *ret_n = n;
                return true;
        }
        c->p++;
        if (take(c, 'u')) {
                if (!take_unicode(c, &code))
                        return false;
                *ret_n = rouse__utf8_encode(code, out);
                return true;
        }
        name = c->p < c->end && *c->p ? strchr(names, *c->p) : NULL;
        if (!name)
                return fail(c, -EBADMSG);
        c->p++;
        out[0] = meant[name - names];
        *ret_n = 1;
        return true;
}

static bool skip_string(struct cursor *c) {
        char character[4];
        size_t n;

        if (!take(c, '"'))
                return fail(c, -EBADMSG);
        while (!take(c, '"'))
                if (!take_character(c, character, &n))
                        return false;
        return true;
}

static bool skip_digits(struct cursor *c) {
        const char *start = c->p;

        while (c->p < c->end && *c->p >= '0' && *c->p <= '9')
                c->p++;
        return c->p > start || fail(c, -EBADMSG);
}

static bool skip_number(struct cursor *c) {
        (void)take(c, '-');
        if (!take(c, '0') && !skip_digits(c))
                return false;
        if (take(c, '.') && !skip_digits(c))
                return false;
        if (take(c, 'e') || take(c, 'E')) {
                if (!take(c, '+'))
                        (void)take(c, '-');
                return skip_digits(c);
        }
        return true;
}

static bool skip_word(struct cursor *c, const char *word) {
        for (; *word; word++)
                if (!take(c, *word))
                        return fail(c, -EBADMSG);
        return true;
}

static bool skip_value(struct cursor *c, unsigned int depth);

/* The rest of an object or array after its first bracket. */
static bool skip_members(struct cursor *c, char close, bool named, unsigned int depth) {
        if (depth == 0)
                return fail(c, -E2BIG);
        skip_space(c);
        if (take(c, close))
                return true;
        for (;;) {
                skip_space(c);
                if (named) {
                        if (!skip_string(c))
                                return false;
                        skip_space(c);
                        if (!take(c, ':'))
                                return fail(c, -EBADMSG);
                        skip_space(c);
                }
                if (!skip_value(c, depth - 1))
                        return false;
                skip_space(c);
                if (take(c, close))
                        return true;
                if (!take(c, ','))
                        return fail(c, -EBADMSG);
        }
}

static bool skip_value(struct cursor *c, unsigned int depth) {
        if (c->p == c->end)
                return fail(c, -EBADMSG);
        switch (*c->p) {
        case '{':
                c->p++;
                return skip_members(c, '}', true, depth);
        case '[':
                c->p++;
                return skip_members(c, ']', false, depth);
        case '"':
                return skip_string(c);
        case 't':
                return skip_word(c, "true");
        case 'f':
                return skip_word(c, "false");
        case 'n':
                return skip_word(c, "null");
        default:
                return skip_number(c);
        }
}

int rouse__json_parse(const char *text, size_t n, struct json *ret, size_t *ret_at) {
        struct cursor c = {.p = text, .end = text + n};
        struct json value = JSON_NULL;

        skip_space(&c);
        value.text = c.p;
        if (skip_value(&c, JSON_MAX_DEPTH)) {
                value.n = (size_t)(c.p - value.text);
                skip_space(&c);
                if (c.p < c.end)
                        (void)fail(&c, -EBADMSG);
        }
        if (c.error) {
                if (ret_at)
                        *ret_at = (size_t)(c.p - text);
                return c.error;
        }
        *ret = value;
        return 0;
}

enum json_type rouse__json_type(struct json value) {
        if (value.n == 0)
                return JSON_NOTHING;
        switch (value.text[0]) {
        case '{':
                return JSON_OBJECT;
        case '[':
                return JSON_ARRAY;
        case '"':
                return JSON_STRING;
        case 't':
                return JSON_TRUE;
        case 'f':
                return JSON_FALSE;
        case 'n':
                return JSON_NULL_VALUE;
        default:
                return JSON_NUMBER;
        }
}

bool rouse__json_next(struct json_iterator *it) {
        enum json_type type = rouse__json_type(it->whole);
        struct json key = JSON_NULL;
        struct cursor c = {.error = 0};
        const char *start;

        if (type != JSON_OBJECT && type != JSON_ARRAY)
                return false;
        c.p = it->whole.text + it->at;
        c.end = it->whole.text + it->whole.n;
        if (it->at == 0)
                c.p++; /* the bracket; after that, `at` is behind a value */
        skip_space(&c);
        if (it->at > 0 && !take(&c, ','))
                return false;
        skip_space(&c);
        if (type == JSON_OBJECT) {
                start = c.p;
                if (!skip_string(&c))
                        return false;
                key = (struct json){.text = start, .n = (size_t)(c.p - start)};
                skip_space(&c);
                if (!take(&c, ':'))
                        return false;
                skip_space(&c);
        }
        start = c.p;
        if (!skip_value(&c, JSON_MAX_DEPTH))
                return false;
        it->key = key;
        it->value = (struct json){.text = start, .n = (size_t)(c.p - start)};
        it->at = (size_t)(c.p - it->whole.text);
        return true;
}

bool rouse__json_find(struct json object, const char *name, struct json *ret) {
        struct json_iterator it = {.whole = object};

        if (rouse__json_type(object) != JSON_OBJECT)
                return false;
        while (rouse__json_next(&it))
                if (rouse__json_string_is(it.key, name)) {
                        *ret = it.value;
                        return true;
                }
        return false;
}

int rouse__json_string(struct json value, char *buffer, size_t n_buffer, size_t *ret_n) {
        size_t n = 0, n_character;
        struct cursor c = {.error = 0};
        char character[4];

        if (rouse__json_type(value) != JSON_STRING)
                return -EINVAL;
        c.p = value.text + 1;
        c.end = value.text + value.n;
        /* First the length, so that a failure leaves the buffer as it was. */
        for (struct cursor ahead = c; !take(&ahead, '"'); n += n_character) {
                if (!take_character(&ahead, character, &n_character))
                        return -EINVAL;
                if (character[0] == '\0')
                        return -EILSEQ;
        }
        if (n >= n_buffer)
                return -ENOBUFS;
        for (n = 0; !take(&c, '"'); n += n_character) {
                (void)take_character(&c, character, &n_character);
                memcpy(buffer + n, character, n_character);
        }
        buffer[n] = '\0';
        if (ret_n)
                *ret_n = n;
        return 0;
}

bool rouse__json_string_is(struct json value, const char *string) {
        size_t n_left = strlen(string), n;
        struct cursor c = {.error = 0};
        char character[4];

        if (rouse__json_type(value) != JSON_STRING)
                return false;
        c.p = value.text + 1;
        c.end = value.text + value.n;
        while (!take(&c, '"')) {
                if (!take_character(&c, character, &n) || n > n_left ||
                    memcmp(string, character, n) != 0)
                        return false;
                string += n;
                n_left -= n;
        }
        return n_left == 0;
}

int rouse__json_u64(struct json value, uint64_t *ret) {
        uint64_t number = 0;

        if (rouse__json_type(value) != JSON_NUMBER)
                return -EINVAL;
        for (size_t i = 0; i < value.n; i++) {
                unsigned int digit = (unsigned int)value.text[i] - '0';

                if (digit > 9)
                        return -EINVAL;
                if (__builtin_mul_overflow(number, 10, &number) ||
                    __builtin_add_overflow(number, digit, &number))
                        return -ERANGE;
        }
        *ret = number;
        return 0;
}

int rouse__json_int(struct json value, int *ret) {
        bool negative = value.n > 0 && value.text[0] == '-';
        uint64_t number;
        int r;

        if (rouse__json_type(value) != JSON_NUMBER)
                return -EINVAL;
        if (negative) {
                value.text++;
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
