/* The daemon's log: lines on standard error, with a level prefix where the journal reads them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum log_level {
        LOG_LEVEL_ERROR = 3,
        LOG_LEVEL_WARNING = 4,
        LOG_LEVEL_NOTICE = 5,
        LOG_LEVEL_INFO = 6,
        LOG_LEVEL_DEBUG = 7,
};

extern enum log_level log_max_level; /* written by log_init() */

/* Before any other thread runs. Everything above `max_level` is left out. */
void log_init(enum log_level max_level);

/* Any thread; a line is written whole or not at all (a long one to a pipe may be cut off), and
 * never blocks for long. `format` has no newline and no trailing full stop: "cannot open %s: %s".
 */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)  log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, __VA_ARGS__)
static inline bool log_is_verbose(void) {
        return __builtin_expect(log_max_level >= LOG_LEVEL_DEBUG, 0);
}

/* Costs a look where it is left out, arguments and all. */
#define log_debug(...)                                           \
        do {                                                     \
                if (log_is_verbose())                            \
                        log_write(LOG_LEVEL_DEBUG, __VA_ARGS__); \
        } while (0)

/* A line of a run's output, tagged with the handle's name. Control characters are made harmless. */
void log_output(const char *handle, const char *line, size_t n_line);
