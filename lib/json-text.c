/*
 * JSON is read in two steps. rouse__json_check() goes over the bytes once and knows the whole
 * grammar; what comes after it relies on that, and finds its way by brackets and quotes alone.
 *
 * Requests are read here and not into a tree because most are short and hot, and because an id must
 * go back as it came: a number in a tree is rounded, or refused when it is too big.
 *
 * Invariants: rouse__json_check() reads no byte behind text + n; it nests no deeper than max_depth,
 * whatever the text says. The walkers stop at the closing bracket, so that they need no end.
 */

#include "lib/json-text.h"

#include <errno.h>
#include <string.h>

#include "lib/buffer.h"
#include "lib/utf8.h"

struct scanner {
        const char *at, *end;
        unsigned int depth_left;
};

static int scan_value(struct scanner *s);

static inline bool is_space(char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

static inline int hex_digit(char c) {
        if (is_digit(c))
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

static void scan_space(struct scanner *s) {
        while (s->at < s->end && is_space(*s->at))
                s->at++;
}

static bool scan_char(struct scanner *s, char c) {
        if (s->at == s->end || *s->at != c)
                return false;
        s->at++;
        return true;
}

static int scan_escape(struct scanner *s) {
        if (s->at == s->end)
                return -EINVAL;
        if (*s->at != 'u')
                return strchr("\"\\/bfnrt", *s->at++) && s->at[-1] ? 0 : -EINVAL;
        s->at++;
        if (s->end - s->at < 4)
                return -EINVAL;
        for (int i = 0; i < 4; i++)
                if (hex_digit(*s->at++) < 0)
                        return -EINVAL;
        return 0;
}

static int scan_string(struct scanner *s) {
        int r;

        if (!scan_char(s, '"'))
                return -EINVAL;
        while (s->at < s->end) {
                unsigned char c = (unsigned char)*s->at;

                if (c == '"') {
                        s->at++;
                        return 0;
                }
                if (c < 0x20)
                        return -EINVAL;
                if (c == '\\') {
                        s->at++;
                        r = scan_escape(s);
                        if (r < 0)
                                return r;
                } else {
                        size_t n = rouse__utf8_sequence(s->at, (size_t)(s->end - s->at));

                        if (n == 0)
                                return -EINVAL;
                        s->at += n;
                }
        }
        return -EINVAL;
}

static bool scan_digits(struct scanner *s) {
        const char *first = s->at;

        while (s->at < s->end && is_digit(*s->at))
                s->at++;
        return s->at > first;
}

static int scan_number(struct scanner *s) {
        scan_char(s, '-');
        if (!scan_char(s, '0') && !scan_digits(s))
                return -EINVAL;
        if (scan_char(s, '.') && !scan_digits(s))
                return -EINVAL;
        if (scan_char(s, 'e') || scan_char(s, 'E')) {
                if (!scan_char(s, '-'))
                        scan_char(s, '+');
                if (!scan_digits(s))
                        return -EINVAL;
        }
        return 0;
}

static int scan_word(struct scanner *s, const char *word) {
        for (; *word; word++)
                if (!scan_char(s, *word))
                        return -EINVAL;
        return 0;
}

static int scan_container(struct scanner *s, bool object, char close) {
        int r;

        if (s->depth_left == 0)
                return -E2BIG;
        s->depth_left--;
        s->at++;
        scan_space(s);
        if (!scan_char(s, close))
                for (;;) {
                        if (object) {
                                scan_space(s);
                                r = scan_string(s);
                                if (r < 0)
                                        return r;
                                scan_space(s);
                                if (!scan_char(s, ':'))
                                        return -EINVAL;
                        }
                        r = scan_value(s);
                        if (r < 0)
                                return r;
                        if (scan_char(s, close))
                                break;
                        if (!scan_char(s, ','))
                                return -EINVAL;
                }
        s->depth_left++;
        return 0;
}

/* A value with the white space around it. */
static int scan_value(struct scanner *s) {
        int r;

        scan_space(s);
        if (s->at == s->end)
                return -EINVAL;
        switch (*s->at) {
        case '{':
                r = scan_container(s, true, '}');
                break;
        case '[':
                r = scan_container(s, false, ']');
                break;
        case '"':
                r = scan_string(s);
                break;
        case 't':
                r = scan_word(s, "true");
                break;
        case 'f':
                r = scan_word(s, "false");
                break;
        case 'n':
                r = scan_word(s, "null");
                break;
        default:
                r = scan_number(s);
                break;
        }
        if (r < 0)
                return r;
        scan_space(s);
        return 0;
}

int rouse__json_check(const char *text, size_t n, unsigned int max_depth, struct json_text *ret,
                      size_t *reterr_at) {
        struct scanner s = {.at = text, .end = text + n, .depth_left = max_depth};
        const char *end = text + n;
        int r;

        r = scan_value(&s);
        if (r == 0 && s.at < s.end)
                r = -EINVAL;
        if (r < 0) {
                if (reterr_at)
                        *reterr_at = (size_t)(s.at - text);
                return r;
        }
        while (is_space(*text))
                text++;
        while (is_space(end[-1]))
                end--;
        *ret = (struct json_text){.at = text, .n = (size_t)(end - text)};
        return 0;
}

enum json_type rouse__json_type(struct json_text value) {
        switch (*value.at) {
        case '{':
                return JSON_TYPE_OBJECT;
        case '[':
                return JSON_TYPE_ARRAY;
        case '"':
                return JSON_TYPE_STRING;
        case 't':
                return JSON_TYPE_TRUE;
        case 'f':
                return JSON_TYPE_FALSE;
        case 'n':
                return JSON_TYPE_NULL;
        default:
                return JSON_TYPE_NUMBER;
        }
}

static const char *skip_space(const char *at) {
        while (is_space(*at))
                at++;
        return at;
}

static const char *skip_string(const char *at) {
        for (at++; *at != '"'; at++)
                if (*at == '\\')
                        at++;
        return at + 1;
}

static const char *skip_container(const char *at) {
        size_t depth = 0;

        for (;;)
                switch (*at) {
                case '"':
                        at = skip_string(at);
                        break;
                case '{':
                case '[':
                        depth++;
                        at++;
                        break;
                case '}':
                case ']':
                        at++;
                        if (--depth == 0)
                                return at;
                        break;
                default:
                        at++;
                        break;
                }
}

static const char *skip_value(const char *at) {
        if (*at == '"')
                return skip_string(at);
        if (*at == '{' || *at == '[')
                return skip_container(at);
        while (*at != ',' && *at != '}' && *at != ']' && !is_space(*at))
                at++;
        return at;
}

const char *rouse__json_enter(struct json_text container) {
        return skip_space(container.at + 1);
}

bool rouse__json_next_item(const char **at, struct json_text *ret_item) {
        const char *first = *at, *end;

        if (*first == ']' || *first == '}')
                return false;
        end = skip_value(first);
        *ret_item = (struct json_text){.at = first, .n = (size_t)(end - first)};
        end = skip_space(end);
        *at = *end == ',' ? skip_space(end + 1) : end;
        return true;
}

bool rouse__json_next_member(const char **at, struct json_text *ret_key,
                             struct json_text *ret_value) {
        struct json_text key;
        const char *end;

        if (**at == '}')
                return false;
        end = skip_string(*at);
        key = (struct json_text){.at = *at, .n = (size_t)(end - *at)};
        *at = skip_space(skip_space(end) + 1);
        if (!rouse__json_next_item(at, ret_value))
                return false;
        *ret_key = key;
        return true;
}

static unsigned int hex4(const char *at) {
        unsigned int c = 0;

        for (int i = 0; i < 4; i++)
                c = c << 4 | (unsigned int)hex_digit(at[i]);
        return c;
}

/* Decodes the escape behind a backslash at *at, and moves *at behind it. NULL: no character. */
static char *decode_escape(const char **at, char *to) {
        static const char from[] = "bfnrt", into[] = "\b\f\n\r\t";
        char c = *(*at)++;
        const char *simple;
        unsigned int high, low;

        if (c != 'u') {
                simple = strchr(from, c);
                *to++ = simple ? into[simple - from] : c;
                return to;
        }
        high = hex4(*at);
        *at += 4;
        if (high < 0xd800 || high > 0xdfff)
                return to + rouse__utf8_encode(high, to);
        if (high > 0xdbff || (*at)[0] != '\\' || (*at)[1] != 'u')
                return NULL;
        low = hex4(*at + 2);
        if (low < 0xdc00 || low > 0xdfff)
                return NULL;
        *at += 6;
        return to + rouse__utf8_encode(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00), to);
}

int rouse__json_decode(struct json_text value, struct buffer *arena, struct json_text *ret) {
        const char *at = value.at + 1, *end = value.at + value.n - 1;
        char *to, *first;

        if (!memchr(at, '\\', (size_t)(end - at))) {
                *ret = (struct json_text){.at = at, .n = (size_t)(end - at)};
                return 0;
        }
        first = to = arena->data + arena->n;
        while (at < end) {
                if (*at != '\\') {
                        *to++ = *at++;
                        continue;
                }
                at++;
                to = decode_escape(&at, to);
                if (!to)
                        return -EINVAL;
        }
        arena->n += (size_t)(to - first);
        *ret = (struct json_text){.at = first, .n = (size_t)(to - first)};
        return 0;
}

bool rouse__json_is(struct json_text value, const char *s, size_t n) {
        const char *at = value.at + 1, *end = value.at + value.n - 1, *s_end = s + n;
        char decoded[4], *decoded_end;

        if ((size_t)(end - at) == n && memcmp(at, s, n) == 0)
                return true;
        while (at < end && s < s_end) {
                if (*at != '\\') {
                        if (*at++ != *s++)
                                return false;
                        continue;
                }
                at++;
                decoded_end = decode_escape(&at, decoded);
                if (!decoded_end || s_end - s < decoded_end - decoded ||
                    memcmp(s, decoded, (size_t)(decoded_end - decoded)) != 0)
                        return false;
                s += decoded_end - decoded;
        }
        return at == end && s == s_end;
}

int rouse__json_u64(struct json_text value, uint64_t *ret) {
        uint64_t u = 0;

        for (size_t i = 0; i < value.n; i++)
                if (!is_digit(value.at[i]) || __builtin_mul_overflow(u, 10, &u) ||
                    __builtin_add_overflow(u, (uint64_t)(value.at[i] - '0'), &u))
                        return -ERANGE;
        *ret = u;
        return 0;
}
