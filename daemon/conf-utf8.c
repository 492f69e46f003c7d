/*
 * Goes through the text byte by byte, with a table for the plain ones. The sequences are those
 * of RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF. The control characters
 * are those that YAML 1.2 (5.1) does not allow.
 */
#include "daemon/conf-utf8.h"

#include <stdbool.h>
#include <stdint.h>

#include "lib/utf8.h"

/* Bytes that need no closer look: printable ASCII, tab, newline and carriage return. */
static const bool is_plain[256] = {
        ['\t'] = true,
        ['\n'] = true,
        ['\r'] = true,
        [' ' ... '~'] = true,
};

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
                n = rouse__utf8_sequence((const char *)p, (size_t)(end - p));
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
