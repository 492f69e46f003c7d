/* A verb of rouse, and what it was given. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct session;

enum option_kind {
        OPTION_FLAG,
        OPTION_VALUE,    /* --name VALUE or --name=VALUE; the last one counts */
        OPTION_LIST,     /* the same, and all count */
        OPTION_OPTIONAL, /* --name or --name=VALUE */
        OPTION_REST,     /* --name and all that follows, at least one word */
};

/* A row of a table that ends with a row without a name. */
struct option {
        const char *name; /* without the dashes */
        enum option_kind kind;
        const char *value; /* what its value is called in the usage */
        const char *help;  /* a line */
};

struct option_given {
        const struct option *option;
        const char *value; /* NULL if it came without one */
};

struct arguments {
        char **operands;
        int n_operands;
        struct option_given *options; /* in the order they were given */
        int n_options;
        char **rest; /* what follows an OPTION_REST, ended by NULL; or NULL */
};

struct verb {
        const char *name;
        const char *operands;         /* for the usage: "NAME…" */
        int least, most;              /* of them; most -1: any number */
        const char *summary;          /* a line for the list of verbs */
        const char *help;             /* the rest, for `help VERB`; or NULL */
        const struct option *options; /* or NULL */
        bool json;                    /* takes --json */

        /* Returns an exit code. Has said on standard error what failed. */
        int (*run)(struct session *session, const struct arguments *arguments);
};

/* Whether the option was given; its last value is *ret_value (may be NULL). */
bool arguments_has(const struct arguments *arguments, const char *option, const char **ret_value);

/* Ended by NULL. */
extern const struct verb *const verbs[];

/* NULL, after a message, if there is no such verb. */
const struct verb *verb_find(const char *name);
