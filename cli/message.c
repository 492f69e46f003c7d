/* A message is one write, so that those of several processes do not mix. A failure to write it has
 * nobody to be told to. */

#include "cli/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void say(const char *prefix, const char *format, va_list args)
        __attribute__((format(printf, 2, 0)));

static void say(const char *prefix, const char *format, va_list args) {
        char text[8192];
        size_t n = strlen(prefix);
        int r;

        memcpy(text, prefix, n);
        r = vsnprintf(text + n, sizeof(text) - n - 1, format, args);
        if (r < 0)
                return;
        for (; text[n]; n++)
                if ((unsigned char)text[n] < 0x20 || text[n] == 0x7f)
                        text[n] = '?';
        text[n++] = '\n';
        if (write(STDERR_FILENO, text, n) < 0)
                return;
}

void message(const char *format, ...) {
        va_list args;

        va_start(args, format);
        say("rouse: ", format, args);
        va_end(args);
}

void message_plain(const char *format, ...) {
        va_list args;

        va_start(args, format);
        say("", format, args);
        va_end(args);
}
