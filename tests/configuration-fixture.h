/* Configurations from texts. */
#pragma once

struct configuration;

/* Reads `text` with the name "t". NULL if there are errors, which are then a line each; free() them
 * in any case. */
struct configuration *conf_test_parse(const char *text, char **ret_errors);
/* The same for a text without errors. */
struct configuration *conf_test_parse_good(const char *text);
