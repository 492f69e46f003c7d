/* Many clients at once, more than there may be, and all of them at the end. */

#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/control-private.h"
#include "daemon/limits.h"
#include "lib/clock.h"
#include "tests/control-clients.h"
#include "tests/support.h"

/* Many. */

static void two_hundred_clients_are_served(void) {
        int fds[200];

        begin();
        for (int i = 0; i < 200; i++) {
                fds[i] = fixture_connect(&d);
                fixture_say(fds[i], PING "\n" REQUEST("subscribe", "[\"a*\"]", "2") "\n" REQUEST(
                                            "wait", "[\"a1\"]", "3") "\n");
        }
        for (int i = 0; i < 200; i++) {
                fixture_expect(&d, fds[i], PONG);
                ck_assert_ptr_nonnull(fixture_hear(&d, fds[i]));
        }
        ck_assert_uint_eq(d.control->set.surplus.n_users, 200);
        fixture_wake(&d, "a1");
        for (int i = 0; i < 200; i++) {
                fixture_expect(&d, fds[i],
                               "{\"jsonrpc\":\"2.0\",\"result\":{\"seq\":1,\"sends\":1},\"id\":3}");
                fixture_expect(&d, fds[i], WAKE("a1", "1", "1", "0"));
                close(fds[i]);
        }
        fixture_turn(&d);
        ck_assert_uint_eq(d.control->set.n_clients, 0);
        ck_assert_uint_eq(d.control->set.surplus.n_users, 0);
        ck_assert_uint_eq(d.control->stats.clients_total, 200);
        finish();
}

static void assert_refused(const char *why) {
        int fd = fixture_connect(&d);
        const char *line = fixture_hear(&d, fd);

        ck_assert_ptr_nonnull(line);
        ck_assert_msg(strstr(line, why) && strstr(line, "\"limit_reached\"") &&
                              strstr(line, "\"id\":null"),
                      "%s", line);
        ck_assert(fixture_is_gone(&d, fd));
        close(fd);
}

static void clients_are_limited(void) {
        static int fds[LIMIT_CLIENTS];
        struct rlimit limit;
        unsigned int n = 0;

        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
        limit.rlim_cur = limit.rlim_max;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        ck_assert_uint_ge(limit.rlim_cur, 2 * LIMIT_CLIENTS + 100);
        begin();
        for (uid_t uid = 1001; n < LIMIT_CLIENTS - LIMIT_CLIENTS_RESERVED; uid++) {
                fixture_set_peer(uid);
                for (unsigned int i = 0;
                     i < LIMIT_CLIENTS_PER_UID && n < LIMIT_CLIENTS - LIMIT_CLIENTS_RESERVED; i++)
                        fds[n++] = fixture_connect(&d);
                if (uid == 1001)
                        assert_refused("of this user");
        }
        assert_refused("Too many clients");
        fixture_set_peer(0);
        while (n < LIMIT_CLIENTS)
                fds[n++] = fixture_connect(&d);
        assert_refused("Too many clients");
        ck_assert_uint_eq(d.control->set.n_clients, LIMIT_CLIENTS);
        ck_assert_uint_eq(d.control->stats.clients_refused, 3);
        fixture_say(fds[n - 1], PING "\n");
        fixture_expect(&d, fds[n - 1], PONG);
        while (n > 0)
                close(fds[--n]);
        fixture_turn(&d);
        ck_assert_uint_eq(d.control->set.n_clients, 0);
        finish();
}

static void clients_wait_while_descriptors_are_short(void) {
        int fd, first, second;

        begin();
        first = fixture_connect(&d);
        fd = fixture_connect(&d);
        test_leave_fds(1); /* for the client's own end */
        second = fixture_connect(&d);
        ck_assert(d.control->was_short);
        ck_assert(!d.control->is_accepting);
        fixture_say(second, PING "\n");
        fixture_say(first, PING "\n");
        fixture_expect(&d, first, PONG);
        fixture_expect(&d, second, NULL);
        /* A client that goes makes room. */
        close(fd);
        fixture_expect(&d, second, PONG);
        ck_assert(d.control->is_accepting);
        test_restore_fds();
        close(first);
        close(second);
        finish();
}

/* The end. */

static void the_daemon_does_not_wait_long_for_who_does_not_read(void) {
        uint64_t start_ns;
        int fd;

        fixture_init_many(&d);
        fd = fixture_connect(&d);
        fixture_say(fd, REQUEST("list", "[]", "1") "\n");
        fixture_turn(&d);
        ck_assert_uint_eq(d.control->set.n_clients, 1);
        start_ns = clock_now_ns();
        control_shut_down(d.control);
        while (d.control->set.n_clients > 0)
                uv_run(&d.core.loop, UV_RUN_ONCE);
        ck_assert_uint_ge(clock_now_ns() - start_ns, 900 * NS_PER_MS);
        ck_assert_uint_lt(clock_now_ns() - start_ns, test_slow_ms(10000) * NS_PER_MS);
        close(fd);
        finish();
}

static void closing_leaves_nothing(void) {
        int fds[3];

        begin();
        for (int i = 0; i < 3; i++) {
                fds[i] = fixture_connect(&d);
                fixture_say(fds[i],
                            REQUEST("wait", "[\"a1\",0,100000]", "1") "\n[" REQUEST(
                                    "wait", "[\"a1\"]",
                                    "2") "," PING "]\n" REQUEST("subscribe", "[\"*\"]", "4") "\n{");
        }
        fixture_turn(&d);
        finish();
        for (int i = 0; i < 3; i++)
                close(fds[i]);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(two_hundred_clients_are_served),
                TEST(clients_are_limited),
                TEST(clients_wait_while_descriptors_are_short),
                TEST(the_daemon_does_not_wait_long_for_who_does_not_read),
                TEST(closing_leaves_nothing),
                {0},
        };

        return test_main("control-crowd", tests, argc, argv);
}
