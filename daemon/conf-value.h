/* Reads single values of a configuration: what is legal, and what to say about the rest. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct conf_errors;
struct conf_node;

/* "expected `what`, found …". Returns as conf_error() does. */
int conf_error_expected(struct conf_errors *errors, const struct conf_node *node, const char *what);

/* Readers: each writes the value of a node to the field that it is given a pointer to. 0; -EINVAL:
 * reported, and the field is as it was; -ENOMEM. Strings are allocated and owned by the field; one
 * that stood there before is freed, so a default may. */

/* bool: `true` or `false`. */
int conf_bool(struct conf_errors *errors, const struct conf_node *node, void *field);
/* uint32_t, decimal. */
int conf_u32(struct conf_errors *errors, const struct conf_node *node, void *field);
/* uint32_t: a number of bytes, decimal, with K, M or G (of 1024) after it or not. */
int conf_bytes(struct conf_errors *errors, const struct conf_node *node, void *field);
/* uint64_t, in nanoseconds; the second takes "infinity" too, as TIMESPAN_INFINITY. */
int conf_timespan(struct conf_errors *errors, const struct conf_node *node, void *field);
int conf_timespan_or_infinity(struct conf_errors *errors, const struct conf_node *node,
                              void *field);
/* int: a signal by name or number. */
int conf_signal(struct conf_errors *errors, const struct conf_node *node, void *field);
/* mode_t, octal, of at most 07777. */
int conf_mode(struct conf_errors *errors, const struct conf_node *node, void *field);
/* char *: any scalar but null. */
int conf_string(struct conf_errors *errors, const struct conf_node *node, void *field);
/* char *: an absolute path without "." and empty names in it; a relative one is taken below the
 * directory of the file that it stands in. */
int conf_path(struct conf_errors *errors, const struct conf_node *node, void *field);
/* char *: a legal name, whether there is such a handle or not. */
int conf_handle_name(struct conf_errors *errors, const struct conf_node *node, void *field);
/* char **: ended by NULL, not empty, one block. conf_strings takes a lone text for a list of one;
 * conf_argv does not, because that would look like a shell's line. */
int conf_strings(struct conf_errors *errors, const struct conf_node *node, void *field);
int conf_argv(struct conf_errors *errors, const struct conf_node *node, void *field);
/* const char * and const struct conf_node *: borrowed from the node, and from there as long as it
 * lives. The second takes anything. */
int conf_text(struct conf_errors *errors, const struct conf_node *node, void *field);
int conf_any(struct conf_errors *errors, const struct conf_node *node, void *field);

/* Whether a scalar is a legal name of a handle or a worker; 0, or as conf_error(). */
int conf_check_name(struct conf_errors *errors, const struct conf_node *node);

void conf_strv_free(char **strv); /* of what conf_strings() and conf_argv() made */
bool conf_strv_equal(char *const *a, char *const *b);
bool conf_str_equal(const char *a, const char *b); /* NULL equals NULL */
