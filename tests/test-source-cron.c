/*
 * The cron source against a clock that the test sets: the linker sends its calls of
 * clock_gettime(), timerfd_settime() and read() here. The boot-time clock runs as it is; the
 * real-time clock is that plus an offset, and each time that it is armed for is translated for the
 * kernel. A set clock makes the timer readable, and read() answers what the kernel would.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/configuration.h"
#include "daemon/conf-node.h"
#include "daemon/mailbox.h"
#include "daemon/outlet.h"
#include "daemon/source.h"
#include "lib/clock.h"
#include "tests/support.h"

static int64_t offset_ns; /* of the real-time clock to the boot-time clock */
static int timer_fd = -1;
static int64_t armed_for_s;
static bool was_set;

int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);
int __real_timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old);
ssize_t __real_read(int fd, void *buffer, size_t n);
ssize_t __wrap_read(int fd, void *buffer, size_t n);

static int64_t boot_ns(void) {
        struct timespec ts;

        ck_assert_int_eq(__real_clock_gettime(CLOCK_BOOTTIME, &ts), 0);
        return ts.tv_sec * (int64_t)NS_PER_S + ts.tv_nsec;
}

static struct timespec to_timespec(int64_t t_ns) {
        return (struct timespec){
                .tv_sec = t_ns / (int64_t)NS_PER_S,
                .tv_nsec = t_ns % (int64_t)NS_PER_S,
        };
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret) {
        if (clock != CLOCK_REALTIME)
                return __real_clock_gettime(clock, ret);
        *ret = to_timespec(boot_ns() + offset_ns);
        return 0;
}

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *new,
                           struct itimerspec *old) {
        struct itimerspec spec = {0};
        int64_t wait_ns;

        ck_assert_int_eq(flags, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET);
        ck_assert_int_eq(new->it_value.tv_nsec, 0);
        timer_fd = fd;
        armed_for_s = new->it_value.tv_sec;
        wait_ns = armed_for_s * (int64_t)NS_PER_S - boot_ns() - offset_ns;
        spec.it_value = to_timespec(wait_ns > 0 ? wait_ns : 1);
        return __real_timerfd_settime(fd, 0, &spec, old);
}

ssize_t __wrap_read(int fd, void *buffer, size_t n) {
        ssize_t r = __real_read(fd, buffer, n);

        if (fd != timer_fd || !was_set)
                return r;
        was_set = false;
        errno = ECANCELED;
        return -1;
}

static uv_loop_t loop;
static rouse_hub_t *hub;
static rouse_async_t *target;
static struct configuration *configuration;
static struct outlet outlet;
static struct source *source;
static uint64_t n_sends;

/* "2024-02-29 12:30:00" in UTC */
static int64_t utc(const char *text) {
        struct tm tm = {0};

        ck_assert_ptr_nonnull(strptime(text, "%Y-%m-%d %H:%M:%S", &tm));
        return timegm(&tm);
}

static void show_from_now_on(const char *now, int64_t and_ms) {
        offset_ns = utc(now) * (int64_t)NS_PER_S + and_ms * (int64_t)NS_PER_MS - boot_ns();
}

/* Somebody sets the clock: the kernel wakes who wants to know. */
static void set_clock(const char *now) {
        struct itimerspec spec = {.it_value.tv_nsec = 1};

        show_from_now_on(now, 0);
        was_set = true;
        ck_assert_int_eq(__real_timerfd_settime(timer_fd, 0, &spec, NULL), 0);
        while (was_set)
                uv_run(&loop, UV_RUN_ONCE);
        uv_run(&loop, UV_RUN_NOWAIT); /* what it sent */
}

static void on_wake(rouse_async_t *async, uint64_t n) {
        (void)async;
        n_sends += n;
}

static void set_up(const char *cron) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        char *text;

        ck_assert_int_gt(
                asprintf(&text, "handles: {a: {}}\nworkers: {w: [{cron: \"%s\", send: a}]}", cron),
                0);
        ck_assert_int_eq(configuration_parse("test", text, strlen(text), &errors, &configuration),
                         0);
        free(text);
        conf_errors_deinit(&errors);
        ck_assert_int_eq(uv_loop_init(&loop), 0);
        ck_assert_int_eq(rouse_hub_create(&loop, &hub), 0);
        ck_assert_int_eq(rouse_async_create(hub, "a", on_wake, NULL, &target), 0);
        outlet = (struct outlet){.async = target};
        ck_assert_int_eq(
                source_open(&loop, configuration->workers[0]->sources[0], &outlet, &source), 0);
}

static void tear_down(void) {
        source_close(source);
        ck_assert_int_eq(rouse_hub_close(hub, NULL, NULL), 0);
        ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
        ck_assert_int_eq(uv_loop_close(&loop), 0);
        rouse_async_release(target);
        configuration_unref(configuration);
}

#define ck_assert_armed_for(text) ck_assert_int_eq(armed_for_s, utc(text))

static void it_sends_when_the_time_comes(void) {
        ck_assert_int_eq(setenv("TZ", "Europe/Berlin", 1), 0);
        show_from_now_on("2024-05-01 00:29:59", 0); /* a second is enough to set up */
        set_up("30 2 * * *");
        ck_assert_armed_for("2024-05-01 00:30:00");
        uv_run(&loop, UV_RUN_NOWAIT);
        ck_assert_uint_eq(n_sends, 0);
        while (n_sends == 0)
                uv_run(&loop, UV_RUN_ONCE);
        ck_assert_uint_eq(n_sends, 1);
        ck_assert_armed_for("2024-05-02 00:30:00");
        tear_down();
}

static void the_clock_is_set(void) {
        ck_assert_int_eq(setenv("TZ", "UTC", 1), 0);
        show_from_now_on("2024-05-01 00:00:00", 0);
        set_up("30 2 * * *");
        ck_assert_armed_for("2024-05-01 02:30:00");
        set_clock("2024-05-01 02:00:00");
        ck_assert_uint_eq(n_sends, 0);
        ck_assert_armed_for("2024-05-01 02:30:00");
        set_clock("2024-05-01 02:40:00"); /* over it */
        ck_assert_uint_eq(n_sends, 1);
        ck_assert_armed_for("2024-05-02 02:30:00");
        set_clock("2024-05-01 02:20:00"); /* back behind it */
        ck_assert_uint_eq(n_sends, 1);
        ck_assert_armed_for("2024-05-02 02:30:00");
        set_clock("2030-01-01 12:00:00"); /* somewhere else */
        ck_assert_uint_eq(n_sends, 1);
        ck_assert_armed_for("2030-01-02 02:30:00");
        set_clock("2024-05-01 00:00:00");
        ck_assert_uint_eq(n_sends, 1);
        ck_assert_armed_for("2024-05-01 02:30:00");
        tear_down();
}

static const struct test tests[] = {
        TEST(it_sends_when_the_time_comes),
        TEST(the_clock_is_set),
        {0},
};

int main(int argc, char **argv) {
        return test_main("source-cron", tests, argc, argv);
}
