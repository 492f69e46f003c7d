/*
 * Goes through the text byte by byte, with a table for the plain ones. The sequences are those
 * of RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF. The control characters
 * are those that YAML 1.2 (5.1) does not allow.
 */
#include "daemon/conf-utf8.h"

#include <stdbool.h>
#include <stdint.h>

/* Bytes that need no closer look: printable ASCII, tab, newline and carriage return. */
static const bool is_plain[256] = {
        ['\t'] = true,
        ['\n'] = true,
        ['\r'] = true,
        [' ' ... '~'] = true,
};

/* The length of the sequence at p, or 0 if it is none. */
static size_t sequence(const unsigned char *p, size_t n) {
        uint32_t c, least;
        size_t len;

        if (p[0] >= 0xc2 && p[0] <= 0xdf) {
                len = 2, c = p[0] & 0x1f, least = 0x80;
        } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
                len = 3, c = p[0] & 0x0f, least = 0x800;
        } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
                len = 4, c = p[0] & 0x07, least = 0x10000;
        } else {
                return 0;
        }
        if (len > n)
                return 0;
        for (size_t i = 1; i < len; i++) {
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (p[i] & 0x3f);
        }
        if (c < least || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
                return 0;
        return len;
}

/* C1 controls but NEL, and the non-characters U+FFFE and U+FFFF. */
static bool is_control(const unsigned char *p) {
        return (p[0] == 0xc2 && p[1] < 0xa0 && p[1] != 0x85) ||
               (p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe);
}

static bool is_byte_order_mark(const unsigned char *p) {
        return p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf;
}

const char *conf_utf8_find_bad(const char *text, size_t n_text, const char **ret_what) {
        static const char control[] = "a control character is not allowed here";
        const unsigned char *p = (const unsigned char *)text, *end = p + n_text;

        for (;;) {
                size_t n;

                while (p < end && is_plain[*p])
                        p++;
                if (p == end)
                        return NULL;
                if (*p < 0x80) {
                        *ret_what = *p == 0 ? "a NUL byte is not allowed here" : control;
                        return (const char *)p;
                }
                n = sequence(p, (size_t)(end - p));
                if (n == 0) {
                        *ret_what = "this is not UTF-8";
                        return (const char *)p;
                }
                if (is_control(p) || (is_byte_order_mark(p) && (const char *)p != text)) {
                        *ret_what = control;
                        return (const char *)p;
                }
                p += n;
        }
}
