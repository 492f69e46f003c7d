/* runs: a table of the last runs of a handle, and below each that failed what it said of it. */

#include <stddef.h>
#include <string.h>

#include "cli/complaint.h"
#include "cli/human.h"
#include "cli/number.h"
#include "cli/output.h"
#include "cli/result.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "cli/verbs.h"
#include "lib/buffer.h"
#include "lib/clock.h"

enum column { SEQ, STARTED, DURATION, RESULT, SENDS, N_COLUMNS };

typedef char cells_t[N_COLUMNS][HUMAN_OUTCOME_MAX];

static void read_row(struct json_text run, cells_t cells) {
        char span[TIMESPAN_TEXT_MAX], time[HUMAN_TIME_MAX];

        result_text(result_member(run, "seq"), cells[SEQ], sizeof(cells[SEQ]));
        strcpy(cells[STARTED], human_time(result_u64(run, "started_ms"), time));
        strcpy(cells[DURATION], human_span(result_u64(run, "duration_ms") * NS_PER_MS, span));
        if (result_is_true(run, "success"))
                strcpy(cells[RESULT], "done");
        else
                (void)human_outcome(run, cells[RESULT]);
        result_text(result_member(run, "sends"), cells[SENDS], sizeof(cells[SENDS]));
}

static void print_row(cells_t cells, const size_t *widths) {
        for (int c = 0; c < N_COLUMNS; c++) {
                out(c > 0 ? "  " : "");
                out_text(cells[c], c < N_COLUMNS - 1 ? widths[c] : 0);
        }
        out("\n");
}

static void print_table(struct json_text rows) {
        static const char *const titles[N_COLUMNS] = {"SEQ", "STARTED", "DURATION", "RESULT",
                                                      "SENDS"};
        size_t widths[N_COLUMNS];
        struct json_iterator it;
        cells_t cells;

        for (int c = 0; c < N_COLUMNS; c++)
                widths[c] = strlen(titles[c]);
        it = (struct json_iterator){.whole = rows};
        while (rouse__json_next(&it)) {
                read_row(it.value, cells);
                for (int c = 0; c < N_COLUMNS; c++)
                        if (strlen(cells[c]) > widths[c])
                                widths[c] = strlen(cells[c]);
        }
        for (int c = 0; c < N_COLUMNS; c++)
                strcpy(cells[c], titles[c]);
        print_row(cells, widths);
        it = (struct json_iterator){.whole = rows};
        while (rouse__json_next(&it)) {
                read_row(it.value, cells);
                print_row(cells, widths);
                complaint_print(it.value);
        }
}

static int run(struct session *session, const struct arguments *arguments) {
        struct buffer params = BUFFER_NULL;
        struct json_text result = {.n = 0};
        const char *text;
        uint64_t limit;
        int code;

        buffer_add_str(&params, "{\"name\":");
        buffer_add_json_string(&params, arguments->operands[0]);
        if (arguments_has(arguments, "limit", &text)) {
                code = number_read("limit", text, &limit);
                if (code) {
                        rouse__buffer_deinit(&params);
                        return code;
                }
                buffer_add_str(&params, ",\"limit\":");
                rouse__buffer_add_u64(&params, limit);
        }
        buffer_add_str(&params, "}");
        code = session_call(session, "runs", &params, ANSWER_MS, &result);
        rouse__buffer_deinit(&params);
        return session_show(session, code, result, print_table);
}

static const struct option options[] = {
        {"limit", OPTION_VALUE, "N", "show the last N only"},
        {},
};

const struct verb verb_runs = {
        .name = "runs",
        .operands = "NAME",
        .least = 1,
        .most = 1,
        .summary = "print a table of the last runs of a handle, the newest first",
        .help = "\nBelow a run that failed stand the first lines that it wrote to standard error, or why it could\n"
                "not be started.\n",
        .options = options,
        .json = true,
        .run = run,
};
