/*
 * Lines on standard error.
 *
 * Under systemd standard error is the journal's socket, which JOURNAL_STREAM names by device and
 * inode; then each line begins with a level in angle brackets. Elsewhere it begins with the time of
 * day.
 *
 * A line is one write(2), so that threads do not mix theirs. If standard error takes nothing for
 * PATIENCE_MS, the line is dropped and counted, because a daemon that stops for its log stops
 * everything; and so is at once what comes after it, until something is taken again. The next line
 * that gets through says how many are missing.
 *
 * A pipe that is ready has room for PIPE_BUF bytes, and makes who writes more wait. So a line that
 * is longer goes there in pieces; if the pipe is full in the middle, it is cut off, and counts as
 * lost.
 */

#include "daemon/log.h"

#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/utf8.h"

#define PATIENCE_MS   100
#define MAX_LINE      16384
#define MAX_PREFIX    48
#define MAX_LOST_LINE 64

enum log_level log_max_level = LOG_LEVEL_INFO;
static bool log_is_journal, log_is_pipe;
/* Relaxed: for people, they order nothing. */
static atomic_uint log_n_lost;
static atomic_bool log_is_cut; /* the last line has no end */

void log_init(enum log_level max_level) {
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long device, inode;
        struct stat st;

        log_max_level = max_level;
        log_is_pipe = log_is_journal = false;
        if (fstat(STDERR_FILENO, &st) < 0)
                return;
        log_is_pipe = S_ISFIFO(st.st_mode);
        log_is_journal = stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
                         st.st_dev == device && st.st_ino == inode;
}

static size_t put_prefix(char *buffer, enum log_level level) {
        static const char *const words[] = {
                [LOG_LEVEL_ERROR] = "error: ", [LOG_LEVEL_WARNING] = "warning: ",
                [LOG_LEVEL_NOTICE] = "",       [LOG_LEVEL_INFO] = "",
                [LOG_LEVEL_DEBUG] = "debug: ",
        };
        struct timespec ts;
        struct tm tm;

        if (log_is_journal)
                return (size_t)snprintf(buffer, MAX_PREFIX, "<%d>", level);
        clock_gettime(CLOCK_REALTIME, &ts);
        localtime_r(&ts.tv_sec, &tm);
        return (size_t)snprintf(buffer, MAX_PREFIX, "%02d:%02d:%02d.%03ld %s", tm.tm_hour % 24,
                                tm.tm_min % 60, tm.tm_sec % 61, ts.tv_nsec / 1000000 % 1000,
                                words[level]);
}

static bool put_out(const char *line, size_t n, int patience_ms) {
        uint64_t until_ns = deadline_in_ms(patience_ms);
        size_t n_piece = log_is_pipe ? PIPE_BUF : n, n_out = 0;

        while (n_out < n) {
                ssize_t r;

                /* A write that has to wait could wait for ever, whatever interrupts it. */
                if (rouse__deadline_poll(until_ns, STDERR_FILENO, POLLOUT, -1) <= 0)
                        break;
                r = write(STDERR_FILENO, line + n_out, n - n_out < n_piece ? n - n_out : n_piece);
                if (r <= 0)
                        break;
                n_out += (size_t)r;
        }
        if (n_out > 0)
                atomic_store_explicit(&log_is_cut, n_out < n, memory_order_relaxed);
        return n_out == n;
}

/* `line` has room for the newline behind its n bytes. */
static void put_line(char *line, size_t n) {
        unsigned int n_lost = atomic_load_explicit(&log_n_lost, memory_order_relaxed);

        line[n] = '\n';
        if (n_lost) {
                char lost[1 + MAX_PREFIX + MAX_LOST_LINE];
                size_t n_text = 0;

                if (atomic_load_explicit(&log_is_cut, memory_order_relaxed))
                        lost[n_text++] = '\n';
                n_text += put_prefix(lost + n_text, LOG_LEVEL_WARNING);
                n_text += (size_t)snprintf(lost + n_text, MAX_LOST_LINE,
                                           "%u lines of the log were lost\n", n_lost);
                if (put_out(lost, n_text, 0))
                        atomic_fetch_sub_explicit(&log_n_lost, n_lost, memory_order_relaxed);
        }
        if (!put_out(line, n + 1, n_lost ? 0 : PATIENCE_MS))
                atomic_fetch_add_explicit(&log_n_lost, 1, memory_order_relaxed);
}

void log_write(enum log_level level, const char *format, ...) {
        char line[MAX_LINE + 1];
        size_t n;
        int n_text;
        va_list args;

        if (level > log_max_level)
                return;
        n = put_prefix(line, level);
        va_start(args, format);
        n_text = vsnprintf(line + n, MAX_LINE - n, format, args);
        va_end(args);
        if (n_text < 0)
                return;
        n += (size_t)n_text;
        if (n >= MAX_LINE)
                n = MAX_LINE - 1;
        put_line(line, n);
}

void log_output(const char *handle, const char *text, size_t n_text) {
        char line[MAX_LINE + 1];
        size_t n;

        if (LOG_LEVEL_INFO > log_max_level)
                return;
        n = put_prefix(line, LOG_LEVEL_INFO);
        n += (size_t)snprintf(line + n, MAX_LINE - n, "[%s] ", handle);
        for (size_t i = 0; i < n_text && n < MAX_LINE; i++) {
                size_t n_control = text[i] == '\t' ? 0 : rouse__utf8_control(text + i, n_text - i);

                line[n++] = n_control ? '?' : text[i];
                i += n_control > 1; /* it has a second byte */
        }
        put_line(line, n);
}
