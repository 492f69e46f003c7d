/* Below a minute a length of time has one unit and three digits; above it, the two largest units.
 */

#include "cli/human.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/result.h"
#include "lib/clock.h"

const char *human_span(uint64_t ns, char buffer[TIMESPAN_TEXT_MAX]) {
        static const struct {
                const char *name;
                uint64_t ns;
        } units[] = {{"s", NS_PER_S}, {"ms", NS_PER_MS}, {"us", 1000}};
        char *space;

        if (ns >= 60 * NS_PER_S) {
                timespan_format(ns / NS_PER_S * NS_PER_S, buffer);
                space = strchr(buffer, ' ');
                space = space ? strchr(space + 1, ' ') : NULL;
                if (space)
                        *space = '\0';
                return buffer;
        }
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
                /* What three digits round up to one has this unit already: not 1e+03ms. */
                if (ns >= units[i].ns - units[i].ns / 2000) {
                        snprintf(buffer, TIMESPAN_TEXT_MAX, "%.3g%s",
                                 (double)ns / (double)units[i].ns, units[i].name);
                        return buffer;
                }
        snprintf(buffer, TIMESPAN_TEXT_MAX, "%uns", (unsigned int)ns);
        return buffer;
}

const char *human_count(uint64_t n, const char *noun, char buffer[HUMAN_COUNT_MAX]) {
        snprintf(buffer, HUMAN_COUNT_MAX, "%llu %s%s", (unsigned long long)n, noun,
                 n == 1 ? "" : "s");
        return buffer;
}

const char *human_time(uint64_t realtime_ms, char buffer[HUMAN_TIME_MAX]) {
        time_t seconds = (time_t)(realtime_ms / 1000);
        struct tm tm;

        if (!localtime_r(&seconds, &tm) ||
            strftime(buffer, HUMAN_TIME_MAX, "%Y-%m-%d %H:%M:%S", &tm) == 0)
                snprintf(buffer, HUMAN_TIME_MAX, "@%llu", (unsigned long long)realtime_ms / 1000);
        return buffer;
}

const char *human_outcome(struct json_text run, char buffer[HUMAN_OUTCOME_MAX]) {
        char outcome[32];
        const char *name;
        int status = 0;

        result_text(result_member(run, "outcome"), outcome, sizeof(outcome));
        (void)rouse__json_int(result_member(run, "status"), &status);
        if (strcmp(outcome, "exited") == 0)
                snprintf(buffer, HUMAN_OUTCOME_MAX, "ended with exit code %d", status);
        else if (strcmp(outcome, "signaled") == 0 && (name = sigabbrev_np(status)))
                snprintf(buffer, HUMAN_OUTCOME_MAX, "was ended by signal SIG%s", name);
        else if (strcmp(outcome, "signaled") == 0)
                snprintf(buffer, HUMAN_OUTCOME_MAX, "was ended by signal %d", status);
        else if (strcmp(outcome, "timed_out") == 0)
                snprintf(buffer, HUMAN_OUTCOME_MAX, "took longer than its timeout");
        else if (strcmp(outcome, "not_started") == 0)
                snprintf(buffer, HUMAN_OUTCOME_MAX, "could not be started: %s",
                         strerror(abs(status)));
        else
                snprintf(buffer, HUMAN_OUTCOME_MAX, "ended: %s", outcome);
        return buffer;
}
