/* Configurations from texts. */
#pragma once

#include <stddef.h>

struct configuration;

/* Reads `text` with the name "t". NULL if there are errors, which are then a line each; free() them
 * in any case. */
struct configuration *conf_test_parse(const char *text, char **ret_errors);
/* The same for a text without errors. */
struct configuration *conf_test_parse_good(const char *text);

struct error_row {
        const char *text, *errors;
};

/* Each text has these errors. */
void conf_test_expect_errors(const struct error_row *rows, size_t n_rows);
#define EXPECT_ERRORS(rows) conf_test_expect_errors(rows, sizeof(rows) / sizeof((rows)[0]))
