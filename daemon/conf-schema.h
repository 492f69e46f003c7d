/* Reads mappings by tables of keys: what is legal, where it goes, how it is read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct conf_errors;
struct conf_node;

/* Writes the value of a node to a field; 0, or -EINVAL after conf_error(), or -ENOMEM. */
typedef int (*conf_parse_fn)(struct conf_errors *errors, const struct conf_node *node, void *field);

struct conf_key {
        const char *name;
        conf_parse_fn parse;
        size_t offset; /* of the field in the target */
        bool required;
};

/* Reads the mapping `node` into `target`. Reports unknown keys (with the nearest right one),
 * repeated and missing ones, and every wrong value. `tables` is a list of n_tables tables, each
 * ended by a row without a name, so that kinds can add their own keys to common ones; `targets` has
 * the struct that each table's offsets are meant for. A null node is an empty mapping. 0, -EINVAL
 * if anything was reported, -ENOMEM.
 */
int conf_map(struct conf_errors *errors, const struct conf_node *node,
             const struct conf_key *const *tables, void *const *targets, size_t n_tables);

/* "expected `what`, found …". Returns as conf_error() does. */
int conf_error_expected(struct conf_errors *errors, const struct conf_node *node, const char *what);

/* Readers for fields. Strings are allocated and owned by the target; one that the field held before
 * is freed, so a default may stand there. */
int conf_bool(struct conf_errors *errors, const struct conf_node *node, void *field);   /* bool */
int conf_string(struct conf_errors *errors, const struct conf_node *node, void *field); /* char * */
/* char *, absolute: a relative one is taken below the directory of the file it stands in */
int conf_path(struct conf_errors *errors, const struct conf_node *node, void *field);
int conf_u32(struct conf_errors *errors, const struct conf_node *node, void *field); /* uint32_t */
/* uint64_t ns */
int conf_timespan(struct conf_errors *errors, const struct conf_node *node, void *field);
/* uint64_t ns, or TIMESPAN_INFINITY */
int conf_timespan_or_infinity(struct conf_errors *errors, const struct conf_node *node,
                              void *field);
int conf_signal(struct conf_errors *errors, const struct conf_node *node, void *field); /* int */
/* mode_t, octal */
int conf_mode(struct conf_errors *errors, const struct conf_node *node, void *field);
/* char * */
int conf_handle_name(struct conf_errors *errors, const struct conf_node *node, void *field);
/* char **, ended by NULL and allocated as one block; a sequence of strings of at least one (a lone
 * string is a list of one where that cannot be misread: not for argv). */
int conf_strings(struct conf_errors *errors, const struct conf_node *node, void *field);
int conf_argv(struct conf_errors *errors, const struct conf_node *node, void *field);
/* Readers that borrow from the node instead: const char *, and const struct conf_node * as it is.
 */
int conf_text(struct conf_errors *errors, const struct conf_node *node, void *field);
int conf_any(struct conf_errors *errors, const struct conf_node *node, void *field);

/* Whether a scalar is a legal name of a handle or a worker; 0, or as conf_error(). */
#define CONF_NAME_MAX 255
int conf_check_name(struct conf_errors *errors, const struct conf_node *node);

/* The candidate nearest to `word`, or NULL if none is near enough to be meant. `candidates` is a
 * list ended by NULL. */
const char *conf_nearest(const char *word, const char *const *candidates);

void conf_strv_free(char **strv); /* of what conf_strings() and conf_argv() made */
bool conf_strv_equal(char *const *a, char *const *b);
bool conf_str_equal(const char *a, const char *b); /* NULL equals NULL */
