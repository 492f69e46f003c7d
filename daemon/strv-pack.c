/* The number of strings, unaligned, and the strings, each with its NUL. */

#include "daemon/strv-pack.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t strv_packed_size(char *const *strv) {
        size_t n = sizeof(uint32_t);

        for (; *strv; strv++)
                n += strlen(*strv) + 1;
        return n;
}

void strv_pack(char *const *strv, char *to) {
        char *text = to + sizeof(uint32_t);
        uint32_t n = 0;

        for (; strv[n]; n++)
                text = stpcpy(text, strv[n]) + 1;
        memcpy(to, &n, sizeof(n));
}

const char *strv_packed_first(const char *packed) {
        return packed + sizeof(uint32_t);
}

size_t strv_packed_count(const char *packed) {
        uint32_t n = 0;

        if (packed)
                memcpy(&n, packed, sizeof(n));
        return n;
}

char **strv_unpack(const char *packed) {
        size_t n = strv_packed_count(packed);
        char **strv = reallocarray(NULL, n + 1, sizeof(*strv));
        const char *text = packed ? strv_packed_first(packed) : NULL;

        if (!strv)
                return NULL;
        for (size_t i = 0; i < n; i++) {
                strv[i] = (char *)text;
                text += strlen(text) + 1;
        }
        strv[n] = NULL;
        return strv;
}

bool strv_packed_equal(const char *a, const char *b) {
        size_t n = strv_packed_count(a);

        if (!a || !b)
                return a == b;
        if (n != strv_packed_count(b))
                return false;
        a = strv_packed_first(a);
        b = strv_packed_first(b);
        for (; n > 0; n--) {
                if (strcmp(a, b) != 0)
                        return false;
                a += strlen(a) + 1;
                b += strlen(b) + 1;
        }
        return true;
}
