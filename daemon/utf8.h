/* Which bytes are UTF-8. */
#pragma once

#include <stddef.h>

/* The length, 1 to 4, of the character at `at`, which stands before `end`; 0 if no valid one begins
 * there: overlong forms, surrogates and what lies above U+10FFFF are not valid (RFC 3629). */
static inline size_t utf8_char(const char *at, const char *end) {
        const unsigned char *p = (const unsigned char *)at;
        size_t n_left = (size_t)(end - at), n;
        unsigned char min = 0x80, max = 0xbf; /* of the second byte */

        if (p[0] < 0x80)
                return 1;
        if (p[0] < 0xc2 || p[0] > 0xf4)
                return 0;
        n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
        if (n_left < n)
                return 0;
        if (p[0] == 0xe0)
                min = 0xa0;
        else if (p[0] == 0xed)
                max = 0x9f;
        else if (p[0] == 0xf0)
                min = 0x90;
        else if (p[0] == 0xf4)
                max = 0x8f;
        if (p[1] < min || p[1] > max)
                return 0;
        for (size_t i = 2; i < n; i++)
                if (p[i] < 0x80 || p[i] > 0xbf)
                        return 0;
        return n;
}
