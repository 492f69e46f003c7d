/*
 * Crontab expressions: five sets of numbers, and the search for the next time that is in all.
 *
 * The search works on wall-clock minutes, which are counted as if they were in UTC: a number of
 * seconds `wall_s` that timegm() makes of the local calendar. The zone is a function from instants
 * to walls that sometimes jumps. For fixed times the search goes along the walls and asks for each
 * that matches at what instant it comes first; that function never decreases, so the first wall
 * that comes after `after_s` is the answer, and all walls of a gap fall together on its end. With
 * follows_clock the search goes along the instants, and looks what the wall shows.
 *
 * Only localtime_r() is asked for the zone: mktime() leaves open what it does in gaps.
 */

#include "daemon/cron.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "lib/cleanup.h"

enum {
        MINUTE_S = 60,
        HOUR_S = 60 * MINUTE_S,
        DAY_S = 24 * HOUR_S,
};

/* The calendar repeats itself after 400 years, so whoever finds nothing in that time never will. */
#define SEARCH_DAYS (400 * 366)

struct field {
        const char *name;
        int min, max; /* max may be written; 7 stands for Sunday again */
        const char *const *words;
        const char *hint;
};

static const char *const month_words[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                          "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekday_words[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

enum {
        FIELD_MINUTE,
        FIELD_HOUR,
        FIELD_DAY,
        FIELD_MONTH,
        FIELD_WEEKDAY,
        N_FIELDS,
};

static const struct field fields[N_FIELDS] = {
        [FIELD_MINUTE] = {"minute", 0, 59, NULL, "0-59"},
        [FIELD_HOUR] = {"hour", 0, 23, NULL, "0-23"},
        [FIELD_DAY] = {"day of the month", 1, 31, NULL, "1-31"},
        [FIELD_MONTH] = {"month", 1, 12, month_words, "1-12 or jan-dec"},
        [FIELD_WEEKDAY] = {"day of the week", 0, 7, weekday_words, "0-7 or sun-sat"},
};

static const struct {
        const char *word, *meaning;
} shorthands[] = {{"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
                  {"@weekly", "0 0 * * 0"},  {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
                  {"@annually", "0 0 1 1 *"}};

#define BLANKS " \t"

static int __attribute__((format(printf, 2, 3)))
refuse(char **reterr_reason, const char *format, ...) {
        va_list args;
        char *reason;
        int n;

        va_start(args, format);
        n = vasprintf(&reason, format, args);
        va_end(args);
        if (n < 0)
                return -ENOMEM;
        *reterr_reason = reason;
        return -EINVAL;
}

/* A number or a word of the field at *text, which moves behind it. -1: neither. */
static int read_value(const struct field *field, const char **text) {
        const char *s = *text;
        size_t n = 0;

        if (isdigit((unsigned char)*s)) {
                int value = 0;

                while (isdigit((unsigned char)s[n])) {
                        if (value < 10000)
                                value = value * 10 + (s[n] - '0');
                        n++;
                }
                *text = s + n;
                return value;
        }
        if (!field->words)
                return -1;
        while (isalpha((unsigned char)s[n]))
                n++;
        for (int i = 0; n == 3 && field->words[i]; i++)
                if (strncasecmp(s, field->words[i], n) == 0) {
                        *text = s + n;
                        return field->min + i;
                }
        return -1;
}

/* One member of the list: "*", a value or a range, perhaps with a step. */
static int parse_item(const struct field *field, const char *item, uint64_t *set,
                      char **reterr_reason) {
        int first = field->min, last = field->max, step = 1;
        const char *s = item;
        bool range = true;

        if (*s == '*') {
                s++;
        } else {
                first = last = read_value(field, &s);
                range = *s == '-';
                if (first >= 0 && range) {
                        bool word = isalpha((unsigned char)*++s);

                        last = read_value(field, &s);
                        /* "sat-sun": at the end of a range, Sunday is the last day */
                        if (field == &fields[FIELD_WEEKDAY] && word && last == 0 && first > 0)
                                last = 7;
                }
        }
        if (first < 0 || last < 0 || (*s && *s != '/'))
                return refuse(reterr_reason, "%s: cannot read \"%s\" (%s)", field->name, item,
                              field->hint);
        if (*s == '/') {
                if (!range)
                        return refuse(reterr_reason,
                                      "%s: the step in \"%s\" needs a range or \"*\"", field->name,
                                      item);
                s++;
                step = isdigit((unsigned char)*s) ? read_value(field, &s) : -1;
                if (step < 0 || *s)
                        return refuse(reterr_reason, "%s: cannot read the step in \"%s\"",
                                      field->name, item);
                if (step == 0)
                        return refuse(reterr_reason, "%s: the step in \"%s\" must not be 0",
                                      field->name, item);
                if (step > field->max - field->min + 1)
                        return refuse(reterr_reason,
                                      "%s: the step in \"%s\" is longer than the field (%s)",
                                      field->name, item, field->hint);
        }
        if (first < field->min || last > field->max || first > field->max)
                return refuse(reterr_reason, "%s: \"%s\" is out of range (%s)", field->name, item,
                              field->hint);
        if (first > last)
                return refuse(reterr_reason, "%s: the range in \"%s\" runs backwards", field->name,
                              item);
        for (int i = first; i <= last; i += step)
                *set |= UINT64_C(1) << i;
        return 0;
}

static int parse_field(const struct field *field, char *text, uint64_t *ret_set,
                       char **reterr_reason) {
        uint64_t set = 0;
        char *item;
        int r;

        while ((item = strsep(&text, ","))) {
                r = parse_item(field, item, &set, reterr_reason);
                if (r < 0)
                        return r;
        }
        *ret_set = set;
        return 0;
}

static int n_days_of(int month, bool leap) {
        static const uint8_t n_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

        return n_days[month - 1] + (leap && month == 2);
}

/* Whether there is any such day. Where either field may match, a weekday always comes; otherwise
 * each day of the month, the 29th of February included, falls on every weekday in time. */
static bool comes_ever(const struct cron *cron) {
        if (!cron->any_day && !cron->any_weekday)
                return true;
        for (int month = 1; month <= 12; month++)
                if (cron->months >> month & 1 &&
                    cron->days & ((UINT64_C(2) << n_days_of(month, true)) - 1))
                        return true;
        return false;
}

static int expand(const char *text, const char **ret_meaning, char **reterr_reason) {
        const char *word = text + strspn(text, BLANKS);
        size_t n = strcspn(word, BLANKS);

        if (*word != '@') {
                *ret_meaning = text;
                return 0;
        }
        if (n == strlen("@reboot") && strncasecmp(word, "@reboot", n) == 0)
                return refuse(reterr_reason,
                              "@reboot is not a time: whatever starts roused can send as well");
        for (size_t i = 0; i < sizeof(shorthands) / sizeof(*shorthands); i++)
                if (n == strlen(shorthands[i].word) &&
                    strncasecmp(word, shorthands[i].word, n) == 0 &&
                    word[n + strspn(word + n, BLANKS)] == '\0') {
                        *ret_meaning = shorthands[i].meaning;
                        return 0;
                }
        return refuse(
                reterr_reason,
                "cannot read \"%s\" (@hourly, @daily or @midnight, @weekly, @monthly, @yearly or @annually)",
                word);
}

int cron_parse(const char *text, struct cron *ret, char **reterr_reason) {
        _cleanup_free_ char *copy = NULL;
        const char *meaning = text;
        uint64_t sets[N_FIELDS];
        char *words[N_FIELDS];
        struct cron cron = {0};
        size_t n_words = 0;
        char *rest, *word;
        int r;

        r = expand(text, &meaning, reterr_reason);
        if (r < 0)
                return r;
        rest = copy = strdup(meaning);
        if (!copy)
                return -ENOMEM;
        while ((word = strsep(&rest, BLANKS))) {
                if (*word == '\0')
                        continue;
                if (n_words < N_FIELDS)
                        words[n_words] = word;
                n_words++;
        }
        if (n_words != N_FIELDS)
                return refuse(reterr_reason,
                              "%zu fields where five are needed: minute, hour, day of the month, "
                              "month, day of the week",
                              n_words);
        for (size_t i = 0; i < N_FIELDS; i++) {
                bool any = *words[i] == '*';

                if (i == FIELD_HOUR)
                        cron.follows_clock = any;
                else if (i == FIELD_DAY)
                        cron.any_day = any;
                else if (i == FIELD_WEEKDAY)
                        cron.any_weekday = any;
                r = parse_field(&fields[i], words[i], &sets[i], reterr_reason);
                if (r < 0)
                        return r;
        }
        cron.minutes = sets[FIELD_MINUTE];
        cron.hours = (uint32_t)sets[FIELD_HOUR];
        cron.days = (uint32_t)sets[FIELD_DAY];
        cron.months = (uint16_t)sets[FIELD_MONTH];
        cron.weekdays = (uint8_t)((sets[FIELD_WEEKDAY] & 0x7f) | (sets[FIELD_WEEKDAY] >> 7));
        if (!comes_ever(&cron))
                return refuse(reterr_reason,
                              "day of the month: never comes in the months that are given");
        *ret = cron;
        return 0;
}

bool cron_equal(const struct cron *a, const struct cron *b) {
        return a->minutes == b->minutes && a->hours == b->hours && a->days == b->days &&
               a->months == b->months && a->weekdays == b->weekdays && a->any_day == b->any_day &&
               a->any_weekday == b->any_weekday && a->follows_clock == b->follows_clock;
}

/* What the wall shows at an instant. */
static int wall_at(int64_t t_s, int64_t *ret_wall_s) {
        time_t t = (time_t)t_s;
        struct tm tm;

        if (t != t_s || !localtime_r(&t, &tm))
                return -ERANGE;
        *ret_wall_s = t_s + tm.tm_gmtoff;
        return 0;
}

/* When a wall comes first; if it is skipped, when the gap ends. */
static int instant_of(int64_t wall_s, int64_t *ret_s) {
        int64_t before, after, lo, hi, wall;
        int r;

        /* No zone is further than a day from UTC, and none changes twice in two days. */
        r = wall_at(wall_s - DAY_S, &before);
        if (r < 0)
                return r;
        r = wall_at(wall_s + DAY_S, &after);
        if (r < 0)
                return r;
        /* `lo` and `hi`: the instants by the greater and by the smaller of both offsets */
        before -= wall_s - DAY_S;
        after -= wall_s + DAY_S;
        lo = wall_s - (before > after ? before : after);
        hi = wall_s - (before > after ? after : before);
        r = wall_at(lo, &wall);
        if (r < 0)
                return r;
        if (wall == wall_s) {
                *ret_s = lo;
                return 0;
        }
        r = wall_at(hi, &wall);
        if (r < 0)
                return r;
        if (wall == wall_s) {
                *ret_s = hi;
                return 0;
        }
        while (hi - lo > 1) {
                int64_t middle = lo + (hi - lo) / 2;

                r = wall_at(middle, &wall);
                if (r < 0)
                        return r;
                if (wall > wall_s)
                        hi = middle;
                else
                        lo = middle;
        }
        *ret_s = hi;
        return 0;
}

/* The division of times before 1970 rounds down, too. */
static int64_t floor_to(int64_t t_s, int64_t unit_s) {
        int64_t rest = t_s % unit_s;

        return t_s - rest - (rest < 0 ? unit_s : 0);
}

static bool day_matches(const struct cron *cron, const struct tm *tm) {
        bool day = cron->days >> tm->tm_mday & 1, weekday = cron->weekdays >> tm->tm_wday & 1;

        if (!(cron->months >> (tm->tm_mon + 1) & 1))
                return false;
        return cron->any_day || cron->any_weekday ? day && weekday : day || weekday;
}

/* The first wall from *wall_s on that matches, by whole minutes. */
static int next_wall(const struct cron *cron, int64_t *wall_s) {
        int64_t wall = *wall_s;

        for (int n_days = 0; n_days < SEARCH_DAYS; n_days++) {
                time_t t = (time_t)wall;
                struct tm tm;

                if (t != wall || !gmtime_r(&t, &tm))
                        return -ERANGE;
                if (day_matches(cron, &tm))
                        for (int hour = tm.tm_hour; hour < 24; hour++) {
                                int minute = hour == tm.tm_hour ? tm.tm_min : 0;
                                uint64_t minutes = cron->minutes >> minute << minute;

                                if (!(cron->hours >> hour & 1) || !minutes)
                                        continue;
                                minute = __builtin_ctzll(minutes);
                                *wall_s = floor_to(wall, DAY_S) + hour * HOUR_S + minute * MINUTE_S;
                                return 0;
                        }
                wall = floor_to(wall, DAY_S) + DAY_S;
        }
        return -ERANGE;
}

static int next_fixed(const struct cron *cron, int64_t after_s, int64_t *ret_s) {
        int64_t wall, t;
        int r;

        r = wall_at(after_s, &wall);
        if (r < 0)
                return r;
        /* What the wall shows now came first now or earlier, and so did all before it. */
        wall = floor_to(wall, MINUTE_S);
        do {
                wall += MINUTE_S;
                r = next_wall(cron, &wall);
                if (r < 0)
                        return r;
                r = instant_of(wall, &t);
                if (r < 0)
                        return r;
        } while (t <= after_s);
        *ret_s = t;
        return 0;
}

/* Goes to the first wall that matches, as far as the zone stays as it is; if it changes on the way,
 * stops there to look again. */
static int next_by_clock(const struct cron *cron, int64_t after_s, int64_t *ret_s) {
        int64_t t = after_s, wall, next, shown;
        int r;

        r = wall_at(t, &wall);
        if (r < 0)
                return r;
        next = floor_to(wall, MINUTE_S) + MINUTE_S;
        for (;;) {
                int64_t lo, hi;

                r = next_wall(cron, &next);
                if (r < 0)
                        return r;
                /* Days pass one by one, so that no pair of changes cancels out unseen. */
                lo = t;
                hi = t + (next - wall < DAY_S ? next - wall : DAY_S);
                r = wall_at(hi, &shown);
                if (r < 0)
                        return r;
                if (shown - hi == wall - t) {
                        if (shown == next) {
                                *ret_s = hi;
                                return 0;
                        }
                        t = hi;
                        wall = shown;
                        continue;
                }
                while (hi - lo > 1) {
                        int64_t middle = lo + (hi - lo) / 2;

                        r = wall_at(middle, &shown);
                        if (r < 0)
                                return r;
                        if (shown - middle == wall - t)
                                lo = middle;
                        else
                                hi = middle;
                }
                t = hi;
                r = wall_at(t, &wall);
                if (r < 0)
                        return r;
                next = floor_to(wall + MINUTE_S - 1, MINUTE_S);
        }
}

int cron_next(const struct cron *cron, int64_t after_s, int64_t *ret_s) {
        return cron->follows_clock ? next_by_clock(cron, after_s, ret_s)
                                   : next_fixed(cron, after_s, ret_s);
}

static int64_t next_or_never(const struct cron *cron, int64_t after_s) {
        int64_t t;

        return cron_next(cron, after_s, &t) < 0 ? INT64_MAX : t;
}

void cron_plan_init(struct cron_plan *plan, const struct cron *cron, int64_t now_s) {
        *plan = (struct cron_plan){.last_s = INT64_MIN, .due_s = next_or_never(cron, now_s)};
}

bool cron_plan_advance(struct cron_plan *plan, const struct cron *cron, int64_t now_s,
                       int64_t set_s) {
        bool due, known = set_s >= -CRON_SET_MAX_S && set_s <= CRON_SET_MAX_S;
        int64_t after_s = now_s;

        if (!known) {
                cron_plan_init(plan, cron, now_s);
                return false;
        }
        due = now_s >= plan->due_s;
        if (due)
                plan->last_s = now_s;
        /* Set back behind a time that was served: it is not served again. */
        else if (!cron->follows_clock && plan->last_s > now_s)
                after_s = plan->last_s;
        plan->due_s = next_or_never(cron, after_s);
        return due;
}
