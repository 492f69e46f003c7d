/*
 * What the service manager is told. The test is the service manager: it has the socket that the
 * messages go to.
 */

#include "daemon/notify.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "tests/support.h"
#include "tests/unix-socket.h"

static void says_nothing_where_nobody_asks(void) {
        struct notify_watchdog *watchdog = (void *)&watchdog;
        int poke_fd = -2, control_fd = -2;
        uv_loop_t loop;

        unsetenv("NOTIFY_SOCKET");
        notify_ready();
        notify_reloading();
        notify_stopping();
        notify_status("%d handles", 3);
        ck_assert_int_eq(uv_loop_init(&loop), 0);
        ck_assert_int_eq(notify_watchdog_new(&loop, &watchdog), 0);
        ck_assert_ptr_null(watchdog);
        ck_assert_ptr_null(notify_watchdog_free(watchdog));
        ck_assert_int_eq(uv_loop_close(&loop), 0);
        ck_assert_int_eq(notify_take_sockets(&poke_fd, &control_fd), 0);
        ck_assert_int_eq(poke_fd, -1);
        ck_assert_int_eq(control_fd, -1);
}

static int manager_fd = -1;

static void become_manager(void) {
        const char *path = test_path("notify");

        manager_fd = unix_bound(path, SOCK_DGRAM);
        ck_assert_int_eq(setenv("NOTIFY_SOCKET", path, 1), 0);
}

/* The next message, in a buffer that the next call overwrites. */
static const char *received(void) {
        static char text[1024];
        struct pollfd poll_fd = {.fd = manager_fd, .events = POLLIN};
        ssize_t n;

        ck_assert_int_eq(poll(&poll_fd, 1, (int)test_slow_ms(5000)), 1);
        n = recv(manager_fd, text, sizeof(text) - 1, 0);
        ck_assert_int_ge(n, 0);
        text[n] = '\0';
        return text;
}

static void tells_each_state(void) {
        become_manager();
        notify_ready();
        ck_assert_str_eq(received(), "READY=1");
        notify_stopping();
        ck_assert_str_eq(received(), "STOPPING=1");
        notify_status("%d handles", 3);
        ck_assert_str_eq(received(), "STATUS=3 handles");
        close(manager_fd);
}

static void tells_a_manager_without_a_file(void) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        socklen_t n_address = sizeof(sa_family_t);
        char name[sizeof(address.sun_path)];

        manager_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ck_assert_int_ge(manager_fd, 0);
        /* The kernel chooses a name of the abstract namespace. */
        ck_assert_int_eq(bind(manager_fd, (struct sockaddr *)&address, n_address), 0);
        n_address = sizeof(address);
        ck_assert_int_eq(getsockname(manager_fd, (struct sockaddr *)&address, &n_address), 0);
        snprintf(name, sizeof(name), "@%.*s", (int)(n_address - sizeof(sa_family_t) - 1),
                 address.sun_path + 1);
        ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
        notify_ready();
        ck_assert_str_eq(received(), "READY=1");
        close(manager_fd);
}

static void nonsense_for_an_address_is_passed_over(void) {
        char name[200] = "/";

        memset(name + 1, 'x', sizeof(name) - 2);
        ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
        notify_ready();
        ck_assert_int_eq(setenv("NOTIFY_SOCKET", "relative", 1), 0);
        notify_ready();
        ck_assert_int_eq(setenv("NOTIFY_SOCKET", "", 1), 0);
        notify_ready();
        ck_assert_int_eq(setenv("NOTIFY_SOCKET", "/nobody/there", 1), 0);
        notify_ready();
}

static void reload_has_its_time(void) {
        uint64_t before_us = clock_now_ns() / 1000;
        unsigned long long time_us;

        become_manager();
        notify_reloading();
        ck_assert_int_eq(sscanf(received(), "RELOADING=1\nMONOTONIC_USEC=%llu", &time_us), 1);
        ck_assert_uint_ge(time_us, before_us);
        ck_assert_uint_le(time_us, clock_now_ns() / 1000);
        close(manager_fd);
}

static void status_cannot_smuggle_a_second_message(void) {
        become_manager();
        notify_status("%s", "bad name\nREADY=1\n");
        ck_assert_str_eq(received(), "STATUS=bad name READY=1 ");
        close(manager_fd);
}

static void count_down(uv_timer_t *timer) {
        uv_close((uv_handle_t *)timer, NULL);
}

static void watchdog_is_fed_by_the_loop_alone(void) {
        struct notify_watchdog *watchdog = NULL;
        struct pollfd poll_fd;
        uv_timer_t timer;
        uv_loop_t loop;

        become_manager();
        ck_assert_int_eq(setenv("WATCHDOG_USEC", "20000", 1), 0);
        ck_assert_int_eq(uv_loop_init(&loop), 0);
        ck_assert_int_eq(notify_watchdog_new(&loop, &watchdog), 0);
        ck_assert_ptr_nonnull(watchdog);
        ck_assert_msg(!getenv("WATCHDOG_USEC"), "runs would inherit it");
        ck_assert_msg(uv_run(&loop, UV_RUN_NOWAIT) == 0, "it holds the loop");

        /* Two in one interval of 20 ms: after 25 ms of loop there are at least two. */
        ck_assert_int_eq(uv_timer_init(&loop, &timer), 0);
        ck_assert_int_eq(uv_timer_start(&timer, count_down, 25, 0), 0);
        ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
        ck_assert_str_eq(received(), "WATCHDOG=1");
        ck_assert_str_eq(received(), "WATCHDOG=1");

        ck_assert_ptr_null(notify_watchdog_free(watchdog));
        ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
        ck_assert_int_eq(uv_loop_close(&loop), 0);
        do {
                poll_fd = (struct pollfd){.fd = manager_fd, .events = POLLIN};
        } while (poll(&poll_fd, 1, 0) > 0 && recv(manager_fd, (char[16]){0}, 16, 0) > 0);
        ck_assert_int_eq(poll(&poll_fd, 1, 30), 0);
        close(manager_fd);
}

static void watchdog_of_another_process_is_not_ours(void) {
        struct notify_watchdog *watchdog = NULL;
        uv_loop_t loop;

        ck_assert_int_eq(setenv("WATCHDOG_USEC", "20000", 1), 0);
        ck_assert_int_eq(setenv("WATCHDOG_PID", "1", 1), 0);
        ck_assert_int_eq(uv_loop_init(&loop), 0);
        ck_assert_int_eq(notify_watchdog_new(&loop, &watchdog), 0);
        ck_assert_ptr_null(watchdog);
        ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static void nonsense_from_the_service_manager_is_an_error(void) {
        struct notify_watchdog *watchdog = NULL;
        int poke_fd = -2, control_fd = -2;
        char pid[16];
        uv_loop_t loop;

        ck_assert_int_eq(uv_loop_init(&loop), 0);
        ck_assert_int_eq(setenv("WATCHDOG_USEC", "soon", 1), 0);
        ck_assert_int_eq(notify_watchdog_new(&loop, &watchdog), -EINVAL);
        ck_assert_int_eq(uv_loop_close(&loop), 0);

        snprintf(pid, sizeof(pid), "%ld", (long)getpid());
        ck_assert_int_eq(setenv("LISTEN_PID", pid, 1), 0);
        ck_assert_int_eq(setenv("LISTEN_FDS", "-1", 1), 0);
        ck_assert_int_eq(notify_take_sockets(&poke_fd, &control_fd), -EINVAL);
        ck_assert_int_eq(poke_fd, -2);
}

static const struct test tests[] = {
        TEST(says_nothing_where_nobody_asks),
        TEST(tells_each_state),
        TEST(tells_a_manager_without_a_file),
        TEST(nonsense_for_an_address_is_passed_over),
        TEST(reload_has_its_time),
        TEST(status_cannot_smuggle_a_second_message),
        TEST(watchdog_is_fed_by_the_loop_alone),
        TEST(watchdog_of_another_process_is_not_ours),
        TEST(nonsense_from_the_service_manager_is_an_error),
        {0},
};

int main(int argc, char **argv) {
        uv_loop_t loop;

        /* The first loop of a process opens descriptors that stay, which are nobody's leak. */
        if (uv_loop_init(&loop) < 0 || uv_loop_close(&loop) < 0)
                return EXIT_FAILURE;
        return test_main("notify", tests, argc, argv);
}
