/*
 * Options are long ones only: the table has few, and a script reads better with them; -h is the one
 * exception. Operands move to the front of argv, in order, so nothing is allocated for a command
 * line without options.
 */

#include "cli/arguments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/message.h"
#include "lib/suggest.h"

struct reader {
        const struct option *const *tables;
        size_t n_tables;
        struct arguments arguments;
        int n_max;
};

static const struct option *find(const struct reader *reader, const char *name, size_t n) {
        for (size_t t = 0; t < reader->n_tables; t++)
                for (const struct option *option = reader->tables[t]; option && option->name;
                     option++)
                        if (strlen(option->name) == n && memcmp(option->name, name, n) == 0)
                                return option;
        return NULL;
}

static int unknown(const struct reader *reader, const char *name, size_t n) {
        char word[64];
        struct suggest suggest;

        if (n >= sizeof(word))
                n = sizeof(word) - 1;
        memcpy(word, name, n);
        word[n] = '\0';
        suggest_init(&suggest, word);
        for (size_t t = 0; t < reader->n_tables; t++)
                for (const struct option *option = reader->tables[t]; option && option->name;
                     option++)
                        suggest_offer(&suggest, option->name);
        if (suggest.best)
                message("no such option: --%s; --%s?", word, suggest.best);
        else
                message("no such option: --%s", word);
        return -EINVAL;
}

static int give(struct reader *reader, const struct option *option, const char *value) {
        struct arguments *arguments = &reader->arguments;

        if (!arguments->options) {
                arguments->options = calloc((size_t)reader->n_max, sizeof(*arguments->options));
                if (!arguments->options)
                        return -ENOMEM;
        }
        arguments->options[arguments->n_options++] =
                (struct option_given){.option = option, .value = value};
        return 0;
}

/* Reads the option at argv[*at], which begins with two dashes, and its value. */
static int read_option(struct reader *reader, char **argv, int argc, int *at) {
        const char *name = argv[*at] + 2, *equals = strchr(name, '=');
        size_t n = equals ? (size_t)(equals - name) : strlen(name);
        const struct option *option = find(reader, name, n);
        const char *value = equals ? equals + 1 : NULL;

        if (!option)
                return unknown(reader, name, n);
        if (option->kind == OPTION_REST) {
                if (value || *at + 1 == argc) {
                        message("--%s is followed by a blank and %s", option->name, option->value);
                        return -EINVAL;
                }
                reader->arguments.rest = argv + *at + 1;
                *at = argc - 1;
                return give(reader, option, NULL);
        }
        if (option->kind == OPTION_FLAG && value) {
                message("--%s takes no value", option->name);
                return -EINVAL;
        }
        if ((option->kind == OPTION_VALUE || option->kind == OPTION_LIST) && !value) {
                if (*at + 1 == argc) {
                        message("--%s needs a value: --%s %s", option->name, option->name,
                                option->value);
                        return -EINVAL;
                }
                value = argv[++*at];
        }
        return give(reader, option, value);
}

int arguments_parse(char **argv, int argc, const struct option *const *tables, size_t n_tables,
                    bool first_only, struct arguments *ret) {
        struct reader reader = {
                .tables = tables,
                .n_tables = n_tables,
                .arguments = {.operands = argv},
                .n_max = argc,
        };
        int n = 0, i = 0, r = 0;

        for (; i < argc && r == 0; i++) {
                if (strcmp(argv[i], "--") == 0) {
                        i++;
                        break;
                }
                if (strncmp(argv[i], "--", 2) == 0) {
                        r = read_option(&reader, argv, argc, &i);
                } else if (strcmp(argv[i], "-h") == 0) {
                        const struct option *help = find(&reader, "help", 4);

                        r = help ? give(&reader, help, NULL) : unknown(&reader, "help", 4);
                } else if (argv[i][0] == '-' && argv[i][1]) {
                        message("no such option: %s", argv[i]);
                        r = -EINVAL;
                } else if (first_only) {
                        break;
                } else {
                        argv[n++] = argv[i];
                }
        }
        if (r < 0) {
                arguments_deinit(&reader.arguments);
                return r;
        }
        if (first_only)
                reader.arguments.operands = argv + i;
        else
                while (i < argc)
                        argv[n++] = argv[i++];
        reader.arguments.n_operands = first_only ? argc - i : n;
        *ret = reader.arguments;
        return 0;
}

void arguments_deinit(struct arguments *arguments) {
        free(arguments->options);
        *arguments = (struct arguments){0};
}

bool arguments_has(const struct arguments *arguments, const char *option, const char **ret_value) {
        for (int i = arguments->n_options; i-- > 0;)
                if (strcmp(arguments->options[i].option->name, option) == 0) {
                        if (ret_value)
                                *ret_value = arguments->options[i].value;
                        return true;
                }
        return false;
}
