/* UTF-8, by RFC 3629. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The length of the sequence that begins at `text`, of which n > 0 bytes are there; 0 if it is cut
 * off, longer than needed, a surrogate, beyond U+10FFFF or not UTF-8 at all. */
static inline size_t rouse__utf8_sequence(const char *text, size_t n) {
        const unsigned char *s = (const unsigned char *)text;
        uint32_t code;
        size_t length;

        if (s[0] < 0x80)
                return 1;
        if (s[0] >= 0xc2 && s[0] <= 0xdf)
                length = 2;
        else if (s[0] >= 0xe0 && s[0] <= 0xef)
                length = 3;
        else if (s[0] >= 0xf0 && s[0] <= 0xf4)
                length = 4;
        else
                return 0;
        if (n < length)
                return 0;
        code = s[0] & (0x7fU >> length);
        for (size_t i = 1; i < length; i++) {
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
                code = code << 6 | (s[i] & 0x3f);
        }
        if (length == 3 && (code < 0x800 || (code >= 0xd800 && code <= 0xdfff)))
                return 0;
        if (length == 4 && (code < 0x10000 || code > 0x10ffff))
                return 0;
        return length;
}

/* How many bytes a control character has, C0, DEL or C1, that begins at `text`, of which n > 0
 * bytes are there; 0: another one begins there. Such could steer a terminal. */
static inline size_t rouse__utf8_control(const char *text, size_t n) {
        const unsigned char *s = (const unsigned char *)text;

        if (s[0] < 0x20 || s[0] == 0x7f)
                return 1;
        return n > 1 && s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0 ? 2 : 0;
}

/* Writes a code point that is no surrogate; at most 4 bytes. Returns how many. */
static inline size_t rouse__utf8_encode(uint32_t code, char out[4]) {
        if (code < 0x80) {
                out[0] = (char)code;
                return 1;
        }
        if (code < 0x800) {
                out[0] = (char)(0xc0 | code >> 6);
                out[1] = (char)(0x80 | (code & 0x3f));
                return 2;
        }
        if (code < 0x10000) {
                out[0] = (char)(0xe0 | code >> 12);
                out[1] = (char)(0x80 | (code >> 6 & 0x3f));
                out[2] = (char)(0x80 | (code & 0x3f));
                return 3;
        }
        out[0] = (char)(0xf0 | code >> 18);
        out[1] = (char)(0x80 | (code >> 12 & 0x3f));
        out[2] = (char)(0x80 | (code >> 6 & 0x3f));
        out[3] = (char)(0x80 | (code & 0x3f));
        return 4;
}
