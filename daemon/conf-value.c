/*
 * Each reader looks whether a node is what it wants, reports it at its place if it is not, and
 * leaves the field alone then. A string that it puts into a field replaces the one that was there.
 */
#include "daemon/conf-value.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/conf-node.h"
#include "daemon/signal-names.h"
#include "lib/cleanup.h"
#include "lib/names.h"
#include "lib/timespan.h"

int conf_error_expected(struct conf_errors *errors, const struct conf_node *node,
                        const char *what) {
        char buffer[CONF_NODE_DESCRIBE_MAX];

        return conf_error(errors, node, "expected %s, found %s", what,
                          conf_node_describe(node, buffer));
}

int conf_any(struct conf_errors *errors, const struct conf_node *node, void *field) {
        (void)errors;
        *(const struct conf_node **)field = node;
        return 0;
}

int conf_bool(struct conf_errors *errors, const struct conf_node *node, void *field) {
        if (node->type == CONF_SCALAR && !node->quoted) {
                if (strcmp(node->text, "true") == 0) {
                        *(bool *)field = true;
                        return 0;
                }
                if (strcmp(node->text, "false") == 0) {
                        *(bool *)field = false;
                        return 0;
                }
        }
        return conf_error_expected(errors, node,
                                   node->quoted ? "true or false without quotes" : "true or false");
}

/* A scalar that is not null, as `what`. */
static int expect_text(struct conf_errors *errors, const struct conf_node *node, const char *what) {
        if (node->type != CONF_SCALAR || conf_node_is_null(node))
                return conf_error_expected(errors, node, what);
        return 0;
}

int conf_text(struct conf_errors *errors, const struct conf_node *node, void *field) {
        int r = expect_text(errors, node, "a text");

        if (r < 0)
                return r;
        *(const char **)field = node->text;
        return 0;
}

/* Puts an allocated string in the place of the one that the field has. */
static void put_string(char **field, char *text) {
        free(*field);
        *field = text;
}

static int copy_text(const struct conf_node *node, void *field) {
        char *text = strndup(node->text, node->n);

        if (!text)
                return -ENOMEM;
        put_string(field, text);
        return 0;
}

int conf_string(struct conf_errors *errors, const struct conf_node *node, void *field) {
        int r = expect_text(errors, node, "a text");

        return r < 0 ? r : copy_text(node, field);
}

/* The directory of the file that a node stands in, absolute and without a slash at its end. */
static int directory_of(const struct conf_node *node, char **ret) {
        const char *slash = strrchr(node->file, '/');
        _cleanup_free_ char *directory = NULL, *here = NULL;

        if (!slash)
                directory = strdup("");
        else
                directory = strndup(node->file, (size_t)(slash - node->file));
        if (!directory)
                return -ENOMEM;
        if (node->file[0] != '/') {
                char *joined;

                here = get_current_dir_name();
                if (!here)
                        return -errno;
                if (asprintf(&joined, "%s%s%s", strcmp(here, "/") == 0 ? "" : here,
                             *directory ? "/" : "", directory) < 0)
                        return -ENOMEM;
                free(directory);
                directory = joined;
        }
        *ret = steal_ptr(directory);
        return 0;
}

/* Takes out of an absolute path what means nothing: empty names and ".". What ".." means is not
 * known without looking at the file system. */
static void simplify_path(char *path) {
        const char *from = path;
        char *to = path;

        while (*from) {
                size_t n;

                from += strspn(from, "/");
                n = strcspn(from, "/");
                if (n > 0 && !(n == 1 && *from == '.')) {
                        *to++ = '/';
                        memmove(to, from, n);
                        to += n;
                }
                from += n;
        }
        if (to == path)
                *to++ = '/';
        *to = 0;
}

int conf_path(struct conf_errors *errors, const struct conf_node *node, void *field) {
        _cleanup_free_ char *directory = NULL;
        char *path;
        int r;

        r = expect_text(errors, node, "a path");
        if (r < 0)
                return r;
        if (node->n == 0)
                return conf_error(errors, node, "expected a path, found an empty text");
        if (node->text[0] == '~')
                return conf_error(errors, node, "'%s' begins with '~', which only a shell expands",
                                  node->text);
        if (node->text[0] != '/') {
                r = directory_of(node, &directory);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        return conf_error(errors, node,
                                          "'%s' is relative to a directory that cannot be found: "
                                          "%s",
                                          node->text, strerror(-r));
        }
        if (asprintf(&path, "%s/%s", directory ?: "", node->text) < 0)
                return -ENOMEM;
        simplify_path(path);
        if (strlen(path) >= PATH_MAX) {
                free(path);
                return conf_error(errors, node, "this path is longer than %d bytes", PATH_MAX - 1);
        }
        put_string(field, path);
        return 0;
}

int conf_u32(struct conf_errors *errors, const struct conf_node *node, void *field) {
        uint64_t value = 0;
        const char *p;

        if (node->quoted)
                return conf_error_expected(errors, node,
                                           "a whole number from 0 on, without quotes");
        if (node->type != CONF_SCALAR || node->n == 0)
                return conf_error_expected(errors, node, "a whole number from 0 on");
        for (p = node->text; *p >= '0' && *p <= '9' && value <= UINT32_MAX; p++)
                value = value * 10 + (uint64_t)(*p - '0');
        if (value > UINT32_MAX)
                return conf_error(errors, node, "'%s' is larger than %" PRIu32, node->text,
                                  UINT32_MAX);
        if (*p)
                return conf_error_expected(errors, node, "a whole number from 0 on");
        *(uint32_t *)field = (uint32_t)value;
        return 0;
}

int conf_bytes(struct conf_errors *errors, const struct conf_node *node, void *field) {
        static const char what[] = "a number of bytes such as 4096 or 256K";
        static const char units[] = "KMG";
        unsigned int shift = 0;
        const char *p, *unit;
        uint64_t value = 0;

        if (node->type != CONF_SCALAR || node->text[0] < '0' || node->text[0] > '9')
                return conf_error_expected(errors, node, what);
        for (p = node->text; *p >= '0' && *p <= '9'; p++)
                if (value <= UINT32_MAX)
                        value = value * 10 + (uint64_t)(*p - '0');
        if (*p && (unit = strchr(units, *p))) {
                shift = 10 * (unsigned int)(unit - units + 1);
                p++;
        }
        if (*p)
                return conf_error_expected(errors, node, what);
        if (value > UINT32_MAX >> shift)
                return conf_error(errors, node, "'%s' is larger than %" PRIu32, node->text,
                                  UINT32_MAX);
        *(uint32_t *)field = (uint32_t)value << shift;
        return 0;
}

int conf_timespan_or_infinity(struct conf_errors *errors, const struct conf_node *node,
                              void *field) {
        uint64_t ns;
        int r;

        r = expect_text(errors, node, "a time span such as 200ms or 10min");
        if (r < 0)
                return r;
        r = timespan_parse(node->text, &ns);
        if (r == -ERANGE)
                return conf_error(errors, node, "the time span '%s' is too long", node->text);
        if (r < 0)
                return conf_error_expected(errors, node, "a time span such as 200ms or 10min");
        *(uint64_t *)field = ns;
        return 0;
}

int conf_timespan(struct conf_errors *errors, const struct conf_node *node, void *field) {
        uint64_t ns = 0;
        int r;

        r = conf_timespan_or_infinity(errors, node, &ns);
        if (r < 0)
                return r;
        if (ns == TIMESPAN_INFINITY)
                return conf_error(errors, node, "'infinity' is not possible here");
        *(uint64_t *)field = ns;
        return 0;
}

int conf_signal(struct conf_errors *errors, const struct conf_node *node, void *field) {
        const char *nearest;
        int r;

        r = expect_text(errors, node, "a signal such as HUP");
        if (r < 0)
                return r;
        r = signal_from_string(node->text);
        if (r >= 0) {
                *(int *)field = r;
                return 0;
        }
        nearest = signal_nearest(node->text);
        if (nearest)
                return conf_error(errors, node, "unknown signal '%s', did you mean '%s'?",
                                  node->text, nearest);
        return conf_error(errors, node, "unknown signal '%s'", node->text);
}

int conf_mode(struct conf_errors *errors, const struct conf_node *node, void *field) {
        static const char what[] = "an octal mode such as 0660";
        unsigned int mode = 0;
        const char *p;
        int r;

        r = expect_text(errors, node, what);
        if (r < 0)
                return r;
        p = node->text;
        if (strncmp(p, "0o", 2) == 0)
                p += 2;
        if (!*p)
                return conf_error_expected(errors, node, what);
        for (; *p >= '0' && *p <= '7' && mode <= 07777; p++)
                mode = mode * 8 + (unsigned int)(*p - '0');
        if (*p || mode > 07777)
                return conf_error_expected(errors, node, what);
        *(mode_t *)field = mode;
        return 0;
}

int conf_check_name(struct conf_errors *errors, const struct conf_node *node) {
        if (rouse__name_is_legal(node->text))
                return 0;
        if (node->n == 0)
                return conf_error(errors, node, "a name has at least one character");
        if (node->n > NAME_MAX_BYTES)
                return conf_error(errors, node, "a name has at most %d characters, this one has %u",
                                  NAME_MAX_BYTES, node->n);
        if (node->text[0] == '-')
                return conf_error(errors, node, "the name '%s' begins with '-'", node->text);
        return conf_error(errors, node,
                          "the name '%s' has something else in it than letters, digits and any of "
                          ". _ - : @ /",
                          node->text);
}

int conf_handle_name(struct conf_errors *errors, const struct conf_node *node, void *field) {
        int r;

        r = expect_text(errors, node, "the name of a handle");
        if (r < 0)
                return r;
        r = conf_check_name(errors, node);
        return r < 0 ? r : copy_text(node, field);
}

/* One block: the pointers, and after them the texts. */
static int copy_strings(const struct conf_node *const *items, size_t n_items, void *field) {
        size_t n_bytes = (n_items + 1) * sizeof(char *);
        char **strings, *text;

        for (size_t i = 0; i < n_items; i++)
                n_bytes += items[i]->n + 1;
        strings = malloc(n_bytes);
        if (!strings)
                return -ENOMEM;
        text = (char *)(strings + n_items + 1);
        for (size_t i = 0; i < n_items; i++) {
                strings[i] = memcpy(text, items[i]->text, items[i]->n + 1);
                text += items[i]->n + 1;
        }
        strings[n_items] = NULL;
        conf_strv_free(*(char ***)field);
        *(char ***)field = strings;
        return 0;
}

static int read_strings(struct conf_errors *errors, const struct conf_node *node, void *field) {
        int result = 0;

        if (node->n == 0)
                return conf_error(errors, node, "this list is empty");
        for (size_t i = 0; i < node->n; i++)
                if (conf_errors_note(errors, expect_text(errors, node->items[i], "a text")) < 0)
                        result = -EINVAL;
        return result < 0 ? result : copy_strings(node->items, node->n, field);
}

int conf_strings(struct conf_errors *errors, const struct conf_node *node, void *field) {
        int r;

        if (node->type == CONF_SEQUENCE)
                return read_strings(errors, node, field);
        r = expect_text(errors, node, "a text or a list of texts");
        return r < 0 ? r : copy_strings(&node, 1, field);
}

int conf_argv(struct conf_errors *errors, const struct conf_node *node, void *field) {
        if (node->type != CONF_SEQUENCE)
                return conf_error_expected(errors, node,
                                           "a list such as [/bin/sh, -c, 'echo hello']");
        if (node->n > 0 && node->items[0]->type == CONF_SCALAR && node->items[0]->n == 0)
                return conf_error(errors, node->items[0], "the program's name is empty");
        return read_strings(errors, node, field);
}

void conf_strv_free(char **strv) {
        free(strv);
}

bool conf_strv_equal(char *const *a, char *const *b) {
        if (!a || !b)
                return a == b;
        for (; *a && *b; a++, b++)
                if (strcmp(*a, *b) != 0)
                        return false;
        return *a == *b;
}

bool conf_str_equal(const char *a, const char *b) {
        return a && b ? strcmp(a, b) == 0 : a == b;
}
