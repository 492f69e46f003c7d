/*
 * A list that owns its texts, so that errors outlive the nodes that they were found in. What stands
 * in a file may be quoted in a message and end up on a terminal: control characters, also those of
 * C1 in UTF-8, become question marks.
 */
#include "daemon/conf-error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf-node.h"
#include "daemon/limits.h"
#include "lib/cleanup.h"
#include "lib/utf8.h"

#define MESSAGE_BYTES 1024U

static void conf_error_deinit(struct conf_error *error) {
        free(error->file);
        free(error->message);
        *error = (struct conf_error){0};
}

void conf_errors_deinit(struct conf_errors *errors) {
        for (size_t i = 0; i < errors->n_items; i++)
                conf_error_deinit(&errors->items[i]);
        free(errors->items);
        *errors = (struct conf_errors)CONF_ERRORS_NULL;
}

bool conf_errors_full(const struct conf_errors *errors) {
        return errors->n_items >= LIMIT_CONF_ERRORS;
}

int conf_errors_result(const struct conf_errors *errors) {
        if (errors->no_memory)
                return -ENOMEM;
        return errors->n_items > 0 ? -EINVAL : 0;
}

static void make_harmless(char *text) {
        for (size_t n_left = strlen(text); n_left > 0; text++, n_left--)
                memset(text, '?', rouse__utf8_control(text, n_left));
}

/* Marks a message that was cut off, at the boundary of a character. */
static void cut_off(char *text, size_t n_text) {
        static const char mark[] = "…";
        size_t n = n_text - sizeof(mark);

        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
                n--;
        memcpy(text + n, mark, sizeof(mark));
}

/* The capacity is not stored: it is the next power of two. */
static int make_room(struct conf_errors *errors) {
        struct conf_error *items;
        size_t n = errors->n_items;

        if (n & (n - 1))
                return 0;
        items = reallocarray(errors->items, n ? n * 2 : 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        errors->items = items;
        return 0;
}

int conf_error(struct conf_errors *errors, const struct conf_node *where, const char *format, ...) {
        va_list args;
        int r;

        va_start(args, format);
        r = conf_error_v(errors, where, format, args);
        va_end(args);
        return r;
}

int conf_error_v(struct conf_errors *errors, const struct conf_node *where, const char *format,
                 va_list args) {
        _cleanup_free_ char *file = NULL;
        _cleanup_free_ char *message = NULL;
        char text[MESSAGE_BYTES];
        int n;

        if (where && where->type == CONF_INVALID)
                return -EINVAL;
        if (conf_errors_full(errors)) {
                errors->n_left_out++;
                return -EINVAL;
        }
        n = vsnprintf(text, sizeof(text), format, args);
        if (n < 0)
                return conf_errors_note(errors, -ENOMEM);
        if ((size_t)n >= sizeof(text))
                cut_off(text, sizeof(text));
        make_harmless(text);
        message = strdup(text);
        if (!message)
                return conf_errors_note(errors, -ENOMEM);
        if (where && where->file) {
                file = strdup(where->file);
                if (!file)
                        return conf_errors_note(errors, -ENOMEM);
        }
        if (make_room(errors) < 0)
                return conf_errors_note(errors, -ENOMEM);
        errors->items[errors->n_items++] = (struct conf_error){
                .file = steal_ptr(file),
                .line = where ? where->line : 0,
                .column = where ? where->column : 0,
                .message = steal_ptr(message),
        };
        return -EINVAL;
}

static int compare(const struct conf_error *a, const struct conf_error *b, const char *first_file) {
        const char *a_file = a->file ?: "", *b_file = b->file ?: "";
        int r = strcmp(a_file, b_file);

        if (r != 0) {
                if (strcmp(a_file, first_file) == 0)
                        return -1;
                if (strcmp(b_file, first_file) == 0)
                        return 1;
                return r;
        }
        if (a->line != b->line)
                return a->line < b->line ? -1 : 1;
        if (a->column != b->column)
                return a->column < b->column ? -1 : 1;
        return 0;
}

void conf_errors_sort(struct conf_errors *errors, const char *first_file) {
        /* By insertion: stable, and there are at most LIMIT_CONF_ERRORS, mostly in order. */
        for (size_t i = 1; i < errors->n_items; i++) {
                struct conf_error error = errors->items[i];
                size_t k = i;

                while (k > 0 && compare(&errors->items[k - 1], &error, first_file) > 0) {
                        errors->items[k] = errors->items[k - 1];
                        k--;
                }
                errors->items[k] = error;
        }
}

char *conf_error_format(const struct conf_error *error) {
        char *text;
        int n;

        if (!error->file)
                return strdup(error->message);
        if (error->line == 0)
                n = asprintf(&text, "%s: %s", error->file, error->message);
        else
                n = asprintf(&text, "%s:%u:%u: %s", error->file, error->line, error->column,
                             error->message);
        return n < 0 ? NULL : text;
}
