#include "tests/client-fixture.h"

#include <stdlib.h>

#include "tests/support.h"

rouse_client_t *new_client(const char *dir) {
        rouse_client_t *client;

        ck_assert_int_eq(rouse_client_create(dir, &client), 0);
        return client;
}

void check_error(const rouse_client_t *client, int code, const char *message) {
        const rouse_client_error_t *error = rouse_client_get_error(client);

        ck_assert_int_eq(error->code, code);
        ck_assert_str_eq(error->message, message);
}

void check_received(struct fake *fake, const char *expected) {
        char *log = fake_stop(fake);

        ck_assert_str_eq(log, expected);
        free(log);
}
