/*
 * A number is read as an integer and a decimal fraction, and turned to nanoseconds in integers: the
 * result is exact, rounded down to the nanosecond, and every sum is checked. The format uses units
 * up to days: weeks and longer would be harder to read, not easier.
 */
#include "lib/timespan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"

#define NS_PER_US  1000ULL
#define NS_PER_MIN (60 * NS_PER_S)
#define NS_PER_H   (60 * NS_PER_MIN)
#define NS_PER_D   (24 * NS_PER_H)
#define NS_PER_W   (7 * NS_PER_D)
/* A year has 365.25 days and a month is a twelfth of it, as in systemd.time(7). */
#define NS_PER_Y     (365 * NS_PER_D + 6 * NS_PER_H)
#define NS_PER_MONTH (NS_PER_Y / 12)

/* Digits of a fraction beyond this are ignored. */
#define FRACTION_SCALE_MAX 1000000000000000000ULL

struct unit {
        const char *name;
        uint64_t ns;
};

static const struct unit units[] = {
        {"ns", 1},
        {"nsec", 1},
        {"us", NS_PER_US},
        {"usec", NS_PER_US},
        {"\xc2\xb5s", NS_PER_US}, /* the micro sign */
        {"\xce\xbcs", NS_PER_US}, /* the Greek letter mu */
        {"ms", NS_PER_MS},
        {"msec", NS_PER_MS},
        {"s", NS_PER_S},
        {"sec", NS_PER_S},
        {"second", NS_PER_S},
        {"seconds", NS_PER_S},
        {"m", NS_PER_MIN},
        {"min", NS_PER_MIN},
        {"minute", NS_PER_MIN},
        {"minutes", NS_PER_MIN},
        {"h", NS_PER_H},
        {"hr", NS_PER_H},
        {"hour", NS_PER_H},
        {"hours", NS_PER_H},
        {"d", NS_PER_D},
        {"day", NS_PER_D},
        {"days", NS_PER_D},
        {"w", NS_PER_W},
        {"week", NS_PER_W},
        {"weeks", NS_PER_W},
        {"M", NS_PER_MONTH},
        {"month", NS_PER_MONTH},
        {"months", NS_PER_MONTH},
        {"y", NS_PER_Y},
        {"year", NS_PER_Y},
        {"years", NS_PER_Y},
};

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

static const char *skip_blanks(const char *p) {
        return p + strspn(p, " \t\n\r");
}

/* Reads the word after a number; without one it means seconds. Returns 0 if there is no such unit.
 */
static uint64_t read_unit(const char **p) {
        size_t n = strcspn(*p, " \t\n\r0123456789.+-");

        if (n == 0)
                return NS_PER_S;
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
                if (strlen(units[i].name) == n && memcmp(units[i].name, *p, n) == 0) {
                        *p += n;
                        return units[i].ns;
                }
        return 0;
}

/* Adds one "number unit". */
static int read_part(const char **p, uint64_t *sum_ns) {
        uint64_t number = 0, fraction = 0, scale = 1, unit_ns, part_ns;
        bool too_long = false, any = false;
        const char *end;

        for (; is_digit(**p); (*p)++) {
                any = true;
                if (__builtin_mul_overflow(number, 10, &number) ||
                    __builtin_add_overflow(number, (uint64_t)(**p - '0'), &number))
                        too_long = true;
        }
        if (**p == '.') {
                for ((*p)++; is_digit(**p); (*p)++) {
                        any = true;
                        if (scale >= FRACTION_SCALE_MAX)
                                continue;
                        fraction = fraction * 10 + (uint64_t)(**p - '0');
                        scale *= 10;
                }
        }
        if (!any)
                return -EINVAL;
        end = *p;
        *p = skip_blanks(*p);
        if (*p == end && **p == '.')
                return -EINVAL;
        unit_ns = read_unit(p);
        if (unit_ns == 0)
                return -EINVAL;
        fraction = (uint64_t)((unsigned __int128)unit_ns * fraction / scale);
        if (too_long || __builtin_mul_overflow(number, unit_ns, &part_ns) ||
            __builtin_add_overflow(part_ns, fraction, &part_ns) ||
            __builtin_add_overflow(*sum_ns, part_ns, sum_ns))
                return -ERANGE;
        return 0;
}

int timespan_parse(const char *text, uint64_t *ret_ns) {
        const char *p = skip_blanks(text);
        uint64_t sum_ns = 0;
        int r;

        if (strncmp(p, "infinity", 8) == 0 && !*skip_blanks(p + 8)) {
                *ret_ns = TIMESPAN_INFINITY;
                return 0;
        }
        if (!*p)
                return -EINVAL;
        do {
                r = read_part(&p, &sum_ns);
                if (r < 0)
                        return r;
                p = skip_blanks(p);
        } while (*p);
        if (sum_ns == TIMESPAN_INFINITY)
                return -ERANGE;
        *ret_ns = sum_ns;
        return 0;
}

const char *timespan_format(uint64_t ns, char buffer[TIMESPAN_TEXT_MAX]) {
        static const struct unit parts[] = {
                {"d", NS_PER_D},   {"h", NS_PER_H},   {"min", NS_PER_MIN}, {"s", NS_PER_S},
                {"ms", NS_PER_MS}, {"us", NS_PER_US}, {"ns", 1},
        };
        size_t n = 0;

        if (ns == TIMESPAN_INFINITY)
                return strcpy(buffer, "infinity");
        if (ns == 0)
                return strcpy(buffer, "0s");
        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
                uint64_t count = ns / parts[i].ns;

                if (count == 0)
                        continue;
                ns %= parts[i].ns;
                n += (size_t)snprintf(buffer + n, TIMESPAN_TEXT_MAX - n, "%s%llu%s", n ? " " : "",
                                      (unsigned long long)count, parts[i].name);
        }
        return buffer;
}
