#include "tests/control-clients.h"

#include "daemon/client.h"
#include "daemon/control-private.h"
#include "tests/support.h"

static const char yaml[] = "handles:\n"
                           "  a1: {}\n"
                           "  a2: {}\n"
                           "  b1: {}\n"
                           "  secret: {access: {read: []}}\n"
                           "access: {read: [\"*\"], send: [\"*\"], admin: []}\n";

struct daemon d;

void begin(void) {
        fixture_init(&d, yaml);
}

void finish(void) {
        fixture_deinit(&d);
}

struct client *the_client(void) {
        ck_assert_uint_eq(d.control->set.n_clients, 1);
        return container_of(list_first(&d.control->set.clients), struct client, link);
}
