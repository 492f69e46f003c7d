/*
 * stats: counters and latencies, a line each.
 *
 * What is counted is the daemon's business, so whatever comes is printed under its own name. A name
 * that ends with a unit of time (_ns, _ms) is shown without it and its values as lengths of time.
 */

#include <stdlib.h>
#include <string.h>

#include "cli/human.h"
#include "cli/output.h"
#include "cli/result.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "cli/verbs.h"
#include "lib/buffer.h"
#include "lib/clock.h"

#define NAME_WIDTH 20

/* The nanoseconds of a name's unit, which is cut off; 0 if it has none. */
static uint64_t cut_unit(char *name) {
        size_t n = strlen(name);
        uint64_t unit_ns = 0;

        if (n > 3 && strcmp(name + n - 3, "_ns") == 0)
                unit_ns = 1;
        else if (n > 3 && strcmp(name + n - 3, "_ms") == 0)
                unit_ns = NS_PER_MS;
        if (unit_ns)
                name[n - 3] = '\0';
        return unit_ns;
}

static void print_value(struct json_text value, uint64_t unit_ns) {
        char text[256], span[TIMESPAN_TEXT_MAX];
        uint64_t number;

        if (unit_ns && rouse__json_whole(value, &number) == 0 &&
            !__builtin_mul_overflow(number, unit_ns, &number)) {
                out(human_span(number, span));
                return;
        }
        result_text(value, text, sizeof(text));
        out_text(*text ? text : "-", 0);
}

/* The members of a distribution: "p50 12us, p90 20us". How many there were is a number always. */
static void print_members(struct json_text object, uint64_t unit_ns) {
        struct json_iterator it = {.whole = object};
        bool first = true;
        char name[64];

        while (rouse__json_next(&it)) {
                result_text(it.key, name, sizeof(name));
                outf("%s%s ", first ? "" : ", ", name);
                print_value(it.value, strcmp(name, "count") == 0 ? 0 : unit_ns);
                first = false;
        }
}

static void print_stats(struct json_text stats) {
        struct json_iterator it = {.whole = stats};
        uint64_t unit_ns;
        char name[64];

        while (rouse__json_next(&it)) {
                result_text(it.key, name, sizeof(name));
                unit_ns = cut_unit(name);
                out_text(name, NAME_WIDTH);
                out(" ");
                if (rouse__json_kind(it.value) == JSON_TYPE_OBJECT)
                        print_members(it.value, unit_ns);
                else
                        print_value(it.value, unit_ns);
                out("\n");
        }
}

static int run(struct session *session, const struct arguments *arguments) {
        struct json_text stats = {.n = 0};
        int code;

        code = arguments->n_operands > 0
                       ? session_call_name(session, "stats", arguments->operands[0], &stats)
                       : session_call(session, "stats", NULL, ANSWER_MS, &stats);
        return session_show(session, code, stats, print_stats);
}

const struct verb verb_stats = {
        .name = "stats",
        .operands = "[NAME]",
        .most = 1,
        .summary = "print counters and latencies of a handle or of the daemon",
        .json = true,
        .run = run,
};
