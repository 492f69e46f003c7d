/*
 * Columns are as wide as their widest cell among the handles that are shown, but a name takes half
 * of the page at most, so that its state can be seen beside it. What is beyond the last column is
 * cut off.
 */

#include "cli/top-table.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cli/cell.h"
#include "cli/human.h"
#include "cli/result.h"
#include "cli/top-picture.h"
#include "lib/clock.h"

#define CELL_SIZE 256
#define LINE_SIZE 512
#define GAP       2
#define RATE_SIZE 32

enum column { NAME, STATE, PENDING, SEQ, RATE, DESCRIPTION, N_COLUMNS };

typedef char row_t[N_COLUMNS][CELL_SIZE];

struct page {
        struct buffer *out;
        struct top_size left; /* lines, and columns of each of them */
        size_t widths[N_COLUMNS];
};

static size_t min(size_t a, size_t b) {
        return a < b ? a : b;
}

static const char *write_rate(double per_s, char text[RATE_SIZE]) {
        if (per_s < 0)
                strcpy(text, "-");
        else
                snprintf(text, RATE_SIZE, per_s > 0 && per_s < 99.95 ? "%.1f" : "%.0f", per_s);
        return text;
}

static void add_line(struct page *page, const char *text) {
        if (page->left.n_rows == 0)
                return;
        page->left.n_rows--;
        cell_add(page->out, text, page->left.n_columns);
        buffer_add_byte(page->out, '\n');
}

static void add_totals(struct page *page, const struct top_picture *picture) {
        struct json_text stats = picture->stats;
        char line[LINE_SIZE], span[TIMESPAN_TEXT_MAX], handles[HUMAN_COUNT_MAX],
                clients[HUMAN_COUNT_MAX], runs[HUMAN_COUNT_MAX], rates[TOP_N_RATES][RATE_SIZE];

        if (stats.n == 0) {
                snprintf(line, sizeof(line), "roused: %s", picture->refusal);
                add_line(page, line);
                return;
        }
        snprintf(line, sizeof(line), "roused: up %s, %s, %s, %s",
                 human_span(result_u64(stats, "uptime_ms") * NS_PER_MS, span),
                 human_count(result_u64(stats, "handles"), "handle", handles),
                 human_count(result_u64(result_member(stats, "control"), "clients"), "client",
                             clients),
                 human_count(result_u64(stats, "runs_failed"), "failed run", runs));
        add_line(page, line);
        for (int i = 0; i < TOP_N_RATES; i++)
                write_rate(picture->per_s[i], rates[i]);
        snprintf(line, sizeof(line), "per second: %s sends, %s wakes, %s runs", rates[TOP_SENDS],
                 rates[TOP_WAKES], rates[TOP_RUNS]);
        add_line(page, line);
}

/* How many handles the table is made of, and in which states they are. */
static void add_states(struct page *page, const struct top_picture *picture) {
        char line[LINE_SIZE], count[HUMAN_COUNT_MAX];
        const char *separator = ": ";
        int n;

        n = snprintf(line, sizeof(line), "%s listed",
                     human_count(picture->n_handles, "handle", count));
        for (unsigned int rank = 0; rank < TOP_N_RANKS; rank++) {
                if (picture->n_of_rank[rank] == 0)
                        continue;
                n += snprintf(line + n, sizeof(line) - (size_t)n, "%s%zu %s", separator,
                              picture->n_of_rank[rank], top_rank_name(rank));
                separator = ", ";
        }
        add_line(page, line);
}

static void read_row(const struct top_handle *handle, row_t row) {
        result_text(handle->name, row[NAME], CELL_SIZE);
        result_text(result_member(handle->json, "state"), row[STATE], CELL_SIZE);
        result_text(result_member(handle->json, "pending"), row[PENDING], CELL_SIZE);
        result_text(result_member(handle->json, "seq"), row[SEQ], CELL_SIZE);
        write_rate(handle->wakes_per_s, row[RATE]);
        result_text(result_member(handle->json, "description"), row[DESCRIPTION], CELL_SIZE);
}

/* Like add_line(), of cells. Nothing stands behind the last one. */
static void add_row(struct page *page, row_t row) {
        enum column last = row[DESCRIPTION][0] ? DESCRIPTION : RATE;
        size_t n_left = page->left.n_columns, n_blank = 0;

        page->left.n_rows--;
        for (int c = 0; c <= (int)last && n_left > n_blank; c++) {
                size_t width;

                n_left -= n_blank;
                for (; n_blank > 0; n_blank--)
                        buffer_add_byte(page->out, ' ');
                width = cell_add(page->out, row[c],
                                 c < DESCRIPTION ? min(page->widths[c], n_left) : n_left);
                n_left -= width;
                n_blank = c < DESCRIPTION ? page->widths[c] - width + GAP : 0;
        }
        buffer_add_byte(page->out, '\n');
}

static void widen(struct page *page, row_t row) {
        for (int c = 0; c < DESCRIPTION; c++) {
                size_t width = cell_width(row[c]);

                if (width > page->widths[c])
                        page->widths[c] = width;
        }
}

static void add_handles(struct page *page, const struct top_picture *picture) {
        static row_t titles = {"NAME", "STATE", "PENDING", "SEQ", "WAKES/S", "DESCRIPTION"};
        size_t n_shown;
        row_t row;

        if (page->left.n_rows == 0)
                return;
        n_shown = min(picture->n_handles, page->left.n_rows - 1);
        widen(page, titles);
        for (size_t i = 0; i < n_shown; i++) {
                read_row(picture->order[i], row);
                widen(page, row);
        }
        page->widths[NAME] = min(page->widths[NAME], page->left.n_columns / 2);
        add_row(page, titles);
        for (size_t i = 0; i < n_shown; i++) {
                read_row(picture->order[i], row);
                add_row(page, row);
        }
}

void top_table_add(struct buffer *out, const struct top_picture *picture, struct top_size size) {
        struct page page = {.out = out, .left = size};

        add_totals(&page, picture);
        add_states(&page, picture);
        add_line(&page, "");
        add_handles(&page, picture);
}

static void add_json_rate(struct buffer *out, const char *key, double per_s) {
        char text[RATE_SIZE] = "null";

        if (per_s >= 0)
                snprintf(text, sizeof(text), "%.3f", per_s);
        buffer_add_str(out, key);
        buffer_add_str(out, text);
}

void top_table_add_json(struct buffer *out, const struct top_picture *picture) {
        buffer_add_literal(out, "{\"stats\":");
        if (picture->stats.n > 0)
                buffer_add(out, picture->stats.at, picture->stats.n);
        else
                buffer_add_literal(out, "null");
        add_json_rate(out, ",\"sends_per_s\":", picture->per_s[TOP_SENDS]);
        add_json_rate(out, ",\"wakes_per_s\":", picture->per_s[TOP_WAKES]);
        add_json_rate(out, ",\"runs_per_s\":", picture->per_s[TOP_RUNS]);
        buffer_add_literal(out, ",\"handles\":[");
        for (size_t i = 0; i < picture->n_handles; i++) {
                const struct top_handle *handle = picture->order[i];

                if (i > 0)
                        buffer_add_byte(out, ',');
                /* It has a name at least, and its bracket is put behind the rate. */
                buffer_add(out, handle->json.at, handle->json.n - 1);
                add_json_rate(out, ",\"wakes_per_s\":", handle->wakes_per_s);
                buffer_add_byte(out, '}');
        }
        buffer_add_literal(out, "]}\n");
}
