/* A row of a table says how one key is read and where its value goes. Rows of several tables are
 * numbered through, so that one bit each remembers which keys were seen: a row is used once, a
 * second use is reported with the place of the first.
 *
 * Readers report what they find at the place of the value, and leave the field alone then.
 */
#include "daemon/conf-schema.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf-node.h"
#include "daemon/signal-names.h"
#include "lib/cleanup.h"
#include "lib/suggest.h"
#include "lib/timespan.h"

#define N_ROWS_MAX 128U

struct row_set {
        uint64_t bits[N_ROWS_MAX / 64];
};

static bool row_set_add(struct row_set *set, unsigned int row) {
        uint64_t bit = UINT64_C(1) << row % 64;
        bool is_new = !(set->bits[row / 64] & bit);

        set->bits[row / 64] |= bit;
        return is_new;
}

static bool row_set_has(const struct row_set *set, unsigned int row) {
        return set->bits[row / 64] >> row % 64 & 1;
}

int conf_error_expected(struct conf_errors *errors, const struct conf_node *node,
                        const char *what) {
        char buffer[CONF_NODE_DESCRIBE_MAX];

        return conf_error(errors, node, "expected %s, found %s", what,
                          conf_node_describe(node, buffer));
}

static int unknown_key(struct conf_errors *errors, const struct conf_node *key,
                       const struct conf_key *const *tables, size_t n_tables) {
        struct suggest suggest;

        if (conf_errors_full(errors))
                return conf_error(errors, key, "unknown key");
        suggest_init(&suggest, key->text);
        for (size_t t = 0; t < n_tables; t++)
                for (const struct conf_key *row = tables[t]; row->name; row++)
                        suggest_offer(&suggest, row->name);
        if (suggest.best)
                return conf_error(errors, key, "unknown key '%s', did you mean '%s'?", key->text,
                                  suggest.best);
        return conf_error(errors, key, "unknown key '%s'", key->text);
}

static int repeated_key(struct conf_errors *errors, const struct conf_node *node,
                        const struct conf_node *key) {
        const struct conf_node *first;

        if (conf_errors_full(errors))
                return conf_error(errors, key, "repeated key");
        first = conf_node_find(node, key->text)->key;
        return conf_error(errors, key, "key '%s' is repeated; it stands first at %u:%u", key->text,
                          first->line, first->column);
}

/* The row of a key, its number and its table; or NULL. */
static const struct conf_key *find_row(const char *name, const struct conf_key *const *tables,
                                       size_t n_tables, unsigned int *ret_number, size_t *ret_t) {
        unsigned int number = 0;

        for (size_t t = 0; t < n_tables; t++)
                for (const struct conf_key *row = tables[t]; row->name; row++, number++)
                        if (strcmp(row->name, name) == 0) {
                                *ret_number = number;
                                *ret_t = t;
                                return row;
                        }
        return NULL;
}

static int missing_keys(struct conf_errors *errors, const struct conf_node *node,
                        const struct row_set *seen, const struct conf_key *const *tables,
                        size_t n_tables) {
        unsigned int number = 0;
        int r, result = 0;

        for (size_t t = 0; t < n_tables; t++)
                for (const struct conf_key *row = tables[t]; row->name; row++, number++) {
                        if (!row->required || row_set_has(seen, number))
                                continue;
                        r = conf_error(errors, node, "the key '%s' is missing", row->name);
                        if (r == -ENOMEM)
                                return r;
                        result = r;
                }
        return result;
}

int conf_map(struct conf_errors *errors, const struct conf_node *node,
             const struct conf_key *const *tables, void *const *targets, size_t n_tables) {
        struct row_set seen = {0};
        int r, result = 0;

        if (node->type != CONF_MAPPING && !conf_node_is_null(node))
                return conf_error_expected(errors, node, "a mapping (key: value)");
        for (size_t i = 0; node->type == CONF_MAPPING && i < node->n; i++) {
                const struct conf_pair *pair = &node->pairs[i];
                const struct conf_key *row;
                unsigned int number;
                size_t t;

                row = find_row(pair->key->text, tables, n_tables, &number, &t);
                assert(!row || number < N_ROWS_MAX);
                if (!row)
                        r = unknown_key(errors, pair->key, tables, n_tables);
                else if (!row_set_add(&seen, number))
                        r = repeated_key(errors, node, pair->key);
                else
                        r = row->parse(errors, pair->value, (char *)targets[t] + row->offset);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        result = r;
        }
        r = missing_keys(errors, node, &seen, tables, n_tables);
        return r < 0 ? r : result;
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

static int copy_text(const struct conf_node *node, void *field) {
        char *text = strndup(node->text, node->n);

        if (!text)
                return -ENOMEM;
        free(*(char **)field);
        *(char **)field = text;
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
                                          "'%s' is relative to a directory that "
                                          "cannot be found: %s",
                                          node->text, strerror(-r));
        }
        if ((directory ? strlen(directory) + 1 : 0) + node->n >= PATH_MAX)
                return conf_error(errors, node, "this path is longer than %d bytes", PATH_MAX - 1);
        if (!directory)
                return copy_text(node, field);
        if (asprintf(&path, "%s/%s", directory, node->text) < 0)
                return -ENOMEM;
        free(*(char **)field);
        *(char **)field = path;
        return 0;
}

int conf_u32(struct conf_errors *errors, const struct conf_node *node, void *field) {
        uint64_t value = 0;
        const char *p;

        if (node->quoted)
                return conf_error_expected(errors, node, "a whole number without quotes");
        if (node->type != CONF_SCALAR || node->n == 0)
                return conf_error_expected(errors, node, "a whole number");
        for (p = node->text; *p >= '0' && *p <= '9' && value <= UINT32_MAX; p++)
                value = value * 10 + (uint64_t)(*p - '0');
        if (value > UINT32_MAX)
                return conf_error(errors, node, "'%s' is larger than %" PRIu32, node->text,
                                  UINT32_MAX);
        if (*p)
                return conf_error_expected(errors, node, "a whole number");
        *(uint32_t *)field = (uint32_t)value;
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
        uint64_t ns;
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
        static const char legal[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                    "0123456789._-:@/";
        size_t n;

        if (node->n == 0)
                return conf_error(errors, node, "a name has at least one letter");
        if (node->text[0] == '-')
                return conf_error(errors, node, "the name '%s' begins with '-'", node->text);
        n = strspn(node->text, legal);
        if (node->text[n])
                return conf_error(errors, node,
                                  "the name '%s' has something else in it than letters, digits and "
                                  "any of . _ - : @ /",
                                  node->text);
        if (node->n > CONF_NAME_MAX)
                return conf_error(errors, node, "a name has at most %d letters, this one has %u",
                                  CONF_NAME_MAX, node->n);
        return 0;
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
        int r, result = 0;

        if (node->n == 0)
                return conf_error(errors, node, "this list is empty");
        for (size_t i = 0; i < node->n; i++) {
                r = expect_text(errors, node->items[i], "a text");
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        result = r;
        }
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

const char *conf_nearest(const char *word, const char *const *candidates) {
        struct suggest suggest;

        suggest_init(&suggest, word);
        for (; *candidates; candidates++)
                suggest_offer(&suggest, *candidates);
        return suggest.best;
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
