/* The result, the output and the errors have to fit each other, whatever the text is. */
#include "tests/configuration-fixture.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf-error.h"
#include "daemon/configuration.h"
#include "tests/conf-support.h"

struct configuration *conf_test_parse(const char *text, char **ret_errors) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct configuration *configuration = NULL;
        int r;

        r = configuration_parse("t", text, strlen(text), &errors, &configuration);
        ck_assert_int_eq(r, errors.n_items > 0 ? -EINVAL : 0);
        ck_assert_int_eq(r == 0, configuration != NULL);
        *ret_errors = conf_test_errors(&errors);
        conf_errors_deinit(&errors);
        return configuration;
}

struct configuration *conf_test_parse_good(const char *text) {
        struct configuration *configuration;
        char *errors;

        configuration = conf_test_parse(text, &errors);
        ck_assert_str_eq(errors, "");
        free(errors);
        return configuration;
}

void conf_test_expect_errors(const struct error_row *rows, size_t n_rows) {
        for (size_t i = 0; i < n_rows; i++) {
                char *errors;

                ck_assert_ptr_null(conf_test_parse(rows[i].text, &errors));
                ck_assert_str_eq(errors, rows[i].errors);
                free(errors);
        }
}
