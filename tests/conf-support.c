/* Texts are built in memory streams, so that tests compare one string with another. */
#include "tests/conf-support.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf-node.h"

char *conf_test_errors(const struct conf_errors *errors) {
        size_t n_text;
        char *text;
        FILE *stream = open_memstream(&text, &n_text);

        ck_assert_ptr_nonnull(stream);
        for (size_t i = 0; i < errors->n_items; i++) {
                char *line = conf_error_format(&errors->items[i]);

                ck_assert_ptr_nonnull(line);
                fprintf(stream, "%s\n", line);
                free(line);
        }
        if (errors->n_left_out > 0)
                fprintf(stream, "and %zu more\n", errors->n_left_out);
        ck_assert_int_eq(fclose(stream), 0);
        return text;
}

static void dump(FILE *stream, const struct conf_node *node) {
        switch (node->type) {
        case CONF_SCALAR:
                ck_assert_uint_eq(strlen(node->text), node->n);
                fprintf(stream, node->quoted ? "\"%s\"" : "%s", node->text);
                break;
        case CONF_SEQUENCE:
                fputc('[', stream);
                for (size_t i = 0; i < node->n; i++) {
                        fputs(i > 0 ? ", " : "", stream);
                        dump(stream, node->items[i]);
                }
                fputc(']', stream);
                break;
        case CONF_MAPPING:
                fputc('{', stream);
                for (size_t i = 0; i < node->n; i++) {
                        fputs(i > 0 ? ", " : "", stream);
                        dump(stream, node->pairs[i].key);
                        fputs(": ", stream);
                        dump(stream, node->pairs[i].value);
                }
                fputc('}', stream);
                break;
        default:
                ck_assert_int_eq(node->type, CONF_INVALID);
                ck_assert_str_eq(node->text, "");
                fputs("(invalid)", stream);
        }
}

char *conf_test_dump(const struct conf_node *node) {
        size_t n_text;
        char *text;
        FILE *stream = open_memstream(&text, &n_text);

        ck_assert_ptr_nonnull(stream);
        if (node)
                dump(stream, node);
        else
                fputs("(nothing)", stream);
        ck_assert_int_eq(fclose(stream), 0);
        return text;
}
