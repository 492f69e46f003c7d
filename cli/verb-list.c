/* list: a table of the handles. The columns are as wide as their widest cell, so the answer is
 * walked twice. */

#include <stddef.h>
#include <string.h>

#include "cli/message.h"
#include "cli/output.h"
#include "cli/result.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "cli/verbs.h"
#include "lib/buffer.h"
#include "lib/cleanup.h"

#define GAP          "  "
#define N_COLUMNS    6
#define CELL_SIZE    256
#define DESCRIPTIONS 5 /* the last column, which needs no width */

static const struct column {
        const char *title;
        const char *member;
} columns[N_COLUMNS] = {
        {"NAME", "name"}, {"STATE", "state"}, {"PENDING", "pending"},
        {"SEQ", "seq"},   {"REF", "has_ref"}, {"DESCRIPTION", "description"},
};

/* A cell's text: a string as it is, a boolean as yes or a dash, anything else as its JSON. */
static void read_cell(struct json_text row, const struct column *column, char text[CELL_SIZE]) {
        struct json_text value = JSON_TEXT_NULL;

        (void)rouse__json_find(row, column->member, &value);
        result_text(value, text, CELL_SIZE);
}

static void print_row(const char (*cells)[CELL_SIZE], const size_t *widths) {
        int last = cells[DESCRIPTIONS][0] ? DESCRIPTIONS : DESCRIPTIONS - 1;

        for (int c = 0; c <= last; c++) {
                out(c > 0 ? GAP : "");
                out_text(cells[c], c < last ? widths[c] : 0);
        }
        out("\n");
}

static void print_table(struct json_text rows) {
        size_t widths[N_COLUMNS] = {0};
        char cells[N_COLUMNS][CELL_SIZE];
        struct json_iterator it;

        for (int c = 0; c < N_COLUMNS; c++)
                widths[c] = strlen(columns[c].title);
        it = (struct json_iterator){.whole = rows};
        while (rouse__json_next(&it))
                for (int c = 0; c < DESCRIPTIONS; c++) {
                        read_cell(it.value, columns + c, cells[c]);
                        if (strlen(cells[c]) > widths[c])
                                widths[c] = strlen(cells[c]);
                }
        for (int c = 0; c < N_COLUMNS; c++)
                strcpy(cells[c], columns[c].title);
        print_row((const char(*)[CELL_SIZE])cells, widths);
        it = (struct json_iterator){.whole = rows};
        while (rouse__json_next(&it)) {
                for (int c = 0; c < N_COLUMNS; c++)
                        read_cell(it.value, columns + c, cells[c]);
                print_row((const char(*)[CELL_SIZE])cells, widths);
        }
}

static int run(struct session *session, const struct arguments *arguments) {
        struct buffer params = BUFFER_NULL;
        struct json_text result = {.n = 0};
        int code;

        buffer_add_str(&params, "{");
        if (arguments->n_operands > 0) {
                buffer_add_str(&params, "\"pattern\":");
                buffer_add_json_string(&params, arguments->operands[0]);
        }
        buffer_add_str(&params, "}");
        code = session_call(session, "list", &params, ANSWER_MS, &result);
        rouse__buffer_deinit(&params);
        return session_show(session, code, result, print_table);
}

const struct verb verb_list = {
        .name = "list",
        .operands = "[PATTERN]",
        .most = 1,
        .summary = "print a table of the handles",
        .json = true,
        .run = run,
};
