/* Times by the calendar, as crontabs write them. Pure but for the time zone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct cron {
        uint64_t minutes; /* a bit for each value, from 0 */
        uint32_t hours;
        uint32_t days;      /* of the month, from 1 */
        uint16_t months;    /* from 1 */
        uint8_t weekdays;   /* 0 is Sunday */
        bool any_day;       /* the day of the month, or of the week, begins with "*": */
        bool any_weekday;   /*   then a day has to match both, else one is enough */
        bool follows_clock; /* the hour begins with "*" */
};

/* Reads five fields or one of the @words. 0; -EINVAL, and *reterr_reason is a sentence that names
 * the field, to be freed; -ENOMEM. */
int cron_parse(const char *text, struct cron *ret, char **reterr_reason);
bool cron_equal(const struct cron *a, const struct cron *b);

/* The first time after `after_s` (seconds since the epoch), in the time zone that tzset() read
 * last. A time that the zone skips comes when the gap ends; one that it repeats comes once, the
 * first time. With follows_clock, a skipped time does not come and a repeated one comes again.
 * 0; -ERANGE: none that a time_t can say. */
int cron_next(const struct cron *cron, int64_t after_s, int64_t *ret_s);

/* Where somebody stands who follows a cron on a clock that can be set. */
struct cron_plan {
        int64_t last_s; /* the time that was served last; INT64_MIN before the first */
        int64_t due_s;  /* the next one; INT64_MAX: none */
};

/* Begins at `now_s`. */
void cron_plan_init(struct cron_plan *plan, const struct cron *cron, int64_t now_s);
/* Call when the clock has come to due_s, or was set: it says `now_s`, and was set by `set_s` since
 * the last call (0: it only ran, or the machine slept). True: a time has come; however many were
 * passed, they come as one. Within CRON_SET_MAX_S, setting the clock neither loses nor repeats a
 * time; beyond, the plan is made anew. */
bool cron_plan_advance(struct cron_plan *plan, const struct cron *cron, int64_t now_s,
                       int64_t set_s);

#define CRON_SET_MAX_S (3 * 60 * 60)
