/*
 * stdio would do, but costs an fstat() and an allocation that `rouse send` can do without, and
 * hides which write failed. SIGPIPE is ignored from the first write on, so that a closed pipe is an
 * error like any other.
 */

#include "config.h"

#include "cli/output.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/exit-code.h"
#include "cli/message.h"
#include "lib/buffer.h"
#include "lib/utf8.h"

static struct {
        char bytes[16384];
        size_t n;
        int error;
        bool wrote;
} output;

bool out_flush(void) {
        const char *p = output.bytes;

        if (!output.wrote && output.n > 0) {
                signal(SIGPIPE, SIG_IGN);
                output.wrote = true;
        }
        while (output.n > 0 && !output.error) {
                ssize_t n = write(STDOUT_FILENO, p, output.n);

                if (n >= 0) {
                        p += n;
                        output.n -= (size_t)n;
                } else if (errno != EINTR) {
                        output.error = -errno;
                }
        }
        output.n = 0;
        return output.error == 0;
}

bool out_is_closed(void) {
        if (output.error != -EPIPE)
                return false;
        output.error = 0;
        return true;
}

int out_end(int code) {
        if (out_flush())
                return code;
        message("cannot write to standard output: %s", strerror(-output.error));
        return EXIT_FAILED;
}

void out_bytes(const void *bytes, size_t n) {
        const char *p = bytes;

        while (n > 0) {
                size_t room = sizeof(output.bytes) - output.n, n_now = n < room ? n : room;

                memcpy(output.bytes + output.n, p, n_now);
                output.n += n_now;
                p += n_now;
                n -= n_now;
                if (output.n == sizeof(output.bytes))
                        (void)out_flush();
        }
}

void out(const char *text) {
        out_bytes(text, strlen(text));
}

void out_u64(uint64_t number) {
        char digits[20];
        size_t at = sizeof(digits);

        do
                digits[--at] = (char)('0' + number % 10);
        while (number /= 10);
        out_bytes(digits + at, sizeof(digits) - at);
}

void out_text(const char *text, size_t width) {
        size_t n_left = strlen(text), n_columns = 0;

        for (; n_left > 0; n_columns++) {
                size_t n = rouse__utf8_sequence(text, n_left);
                bool harmless = n > 0 && rouse__utf8_control(text, n) == 0;

                if (n == 0)
                        n = 1;
                out_bytes(harmless ? text : "?", harmless ? n : 1);
                text += n;
                n_left -= n;
        }
        for (; n_columns < width; n_columns++)
                out_bytes(" ", 1);
}

void out_json_string(const char *text) {
        struct buffer buffer = BUFFER_NULL;

        buffer_add_json_string(&buffer, text);
        if (buffer.failed)
                output.error = output.error ?: -ENOMEM;
        else
                out_bytes(buffer.data, buffer.n);
        rouse__buffer_deinit(&buffer);
}

void outf(const char *format, ...) {
        char *text;
        va_list args;
        int n;

        va_start(args, format);
        n = vasprintf(&text, format, args);
        va_end(args);
        if (n < 0) {
                output.error = output.error ?: -ENOMEM;
                return;
        }
        out_bytes(text, (size_t)n);
        free(text);
}
