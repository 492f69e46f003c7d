/*
 * Goes through the text byte by byte, with a short way for printable ASCII. The sequences are those
 * of RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF. The control characters
 * are those that YAML 1.2 (5.1) does not allow.
 */
#include "daemon/conf-utf8.h"

#include <stdint.h>

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

const char *conf_utf8_find_bad(const char *text, size_t n_text, const char **ret_what) {
        const unsigned char *p = (const unsigned char *)text, *end = p + n_text;

        while (p < end) {
                size_t len = 1;

                if (*p >= 0x80) {
                        len = sequence(p, (size_t)(end - p));
                        if (len == 0) {
                                *ret_what = "this is not UTF-8";
                                return (const char *)p;
                        }
                        /* C1 controls but NEL, the byte order mark inside, and non-characters. */
                        if ((p[0] == 0xc2 && p[1] < 0xa0 && p[1] != 0x85) ||
                            (p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe) ||
                            (p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf &&
                             (const char *)p != text)) {
                                *ret_what = "a control character is not allowed here";
                                return (const char *)p;
                        }
                } else if (*p == 0) {
                        *ret_what = "a NUL byte is not allowed here";
                        return (const char *)p;
                } else if ((*p < 0x20 && *p != '\t' && *p != '\n' && *p != '\r') || *p == 0x7f) {
                        *ret_what = "a control character is not allowed here";
                        return (const char *)p;
                }
                p += len;
        }
        return NULL;
}
