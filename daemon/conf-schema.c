/*
 * A row of a table says how one key is read and where its value goes. Rows of several tables are
 * numbered through, so that one bit each remembers which keys were seen: a row is used once, a
 * second use is reported with the place of the first.
 */
#include "daemon/conf-schema.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "daemon/conf-node.h"
#include "lib/suggest.h"

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
                        if (conf_text_is(row->name, name)) {
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
        int result = 0;

        for (size_t t = 0; t < n_tables; t++)
                for (const struct conf_key *row = tables[t]; row->name; row++, number++) {
                        if (!row->required || row_set_has(seen, number))
                                continue;
                        result = conf_error(errors, node, "the key '%s' is missing", row->name);
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
                if (conf_errors_note(errors, r) < 0)
                        result = -EINVAL;
        }
        r = missing_keys(errors, node, &seen, tables, n_tables);
        return r < 0 ? r : result;
}
