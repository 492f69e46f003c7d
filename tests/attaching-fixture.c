/* See the header. What a handle got is asked of the daemon itself, by a client of its own. */

#include "tests/attaching-fixture.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness.h"
#include "tests/support.h"

const char abc_config[] = "handles:\n  a: {}\n  b: {}\n  c: {}\n";
const char *const ab_names[2] = {"a", "b"};

struct roused roused;

rouse_client_t *new_client(void) {
        rouse_client_t *client;

        ck_assert_int_eq(rouse_client_create(roused.dir, &client), 0);
        return client;
}

rouse_attachment_t *attach(rouse_client_t *client) {
        rouse_attachment_t *attachment;
        int r = rouse_client_attach(client, ab_names, 2, PATIENCE_MS, &attachment);

        ck_assert_msg(r == 0, "%s", rouse_client_get_error(client)->message);
        return attachment;
}

/* A counter of the daemon's about one handle, or all. */
static uint64_t count(const char *name, const char *what) {
        rouse_client_t *client = new_client();
        char params[64], member[32];
        const char *result, *found;
        uint64_t n;

        snprintf(params, sizeof(params), name ? "[\"%s\"]" : "[]", name);
        snprintf(member, sizeof(member), "\"%s\":", what);
        ck_assert_int_eq(rouse_client_call(client, "stats", params, PATIENCE_MS, &result), 0);
        found = strstr(result, member);
        ck_assert_msg(found, "%s", result);
        n = strtoull(found + strlen(member), NULL, 10);
        rouse_client_free(client);
        return n;
}

struct expected {
        const char *name;
        uint64_t n_sends;
};

static bool has_come(void *arg) {
        const struct expected *expected = arg;

        return count(expected->name, "sends") >= expected->n_sends &&
               count(expected->name, "wakes") + count(expected->name, "coalesced") >=
                       expected->n_sends;
}

/* They come by themselves, if nothing is lost. */
void expect_sends(const char *name, uint64_t n_sends) {
        struct expected expected = {name, n_sends};

        if (!test_until(has_come, &expected, (unsigned int)PATIENCE_MS))
                ck_abort_msg("%s has %llu sends instead of %llu", name ? name : "the daemon",
                             (unsigned long long)count(name, "sends"), (unsigned long long)n_sends);
        ck_assert_uint_eq(count(name, "sends"), n_sends);
}
