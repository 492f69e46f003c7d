/* The linker sends calls of log_write() here. Messages that find no room are counted only. */

#include "tests/log-recorder.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/log.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char text[16384];
static unsigned int n_messages;

void __wrap_log_write(enum log_level level, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

void __wrap_log_write(enum log_level level, const char *format, ...) {
        size_t n;
        va_list args;

        if (level > LOG_LEVEL_NOTICE)
                return;
        pthread_mutex_lock(&lock);
        n = strlen(text);
        va_start(args, format);
        vsnprintf(text + n, sizeof(text) - n, format, args);
        va_end(args);
        n_messages++;
        pthread_mutex_unlock(&lock);
}

unsigned int log_recorder_count(void) {
        unsigned int n;

        pthread_mutex_lock(&lock);
        n = n_messages;
        pthread_mutex_unlock(&lock);
        return n;
}

void log_recorder_clear(void) {
        pthread_mutex_lock(&lock);
        text[0] = '\0';
        n_messages = 0;
        pthread_mutex_unlock(&lock);
}

bool log_recorder_has(const char *part) {
        bool has;

        pthread_mutex_lock(&lock);
        has = strstr(text, part);
        pthread_mutex_unlock(&lock);
        return has;
}
