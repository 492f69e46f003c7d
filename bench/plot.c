/*
 * Draws a plot as SVG from the lines "POINT plot line x y" that benchmarks write to --results FILE.
 *
 *   plot --list         the names of the plots
 *   plot NAME RESULTS   draws one to the standard output
 *
 * The picture brings its style along, for a light page and for a dark one. Each line has its name
 * beside its end, in its own colour, so that there is no legend to look back at.
 */

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINES  16
#define MAX_POINTS 256
#define MAX_TEXT   64

#define WIDTH        760
#define HEIGHT       440
#define LEFT         92
#define RIGHT        190
#define TOP          46
#define BOTTOM       58
#define LABEL_HEIGHT 16

#define WIDE 2.5 /* powers of ten; a longer axis has numbers at those only */

struct plot {
        const char *name, *title, *x_label, *y_label;
        bool is_y_log; /* x always is */
};

static const struct plot plots[] = {
        {"cost", "What one wake costs, by the number of handles", "handles",
         "processor time of the loop for one wake, µs", true},
        {"wake", "Another thread wakes a loop, on one processor",
         "µs from the send to the callback", "share of the wakes, %", false},
        {"waiter", "From a poke to a waiting client, on one processor",
         "µs from the send to the client", "share of the wakes, %", false},
};

struct line {
        char name[MAX_TEXT];
        size_t n;
        double x[MAX_POINTS], y[MAX_POINTS];
};

struct axis {
        double low, high; /* of the values, or of their logarithms */
        double from, to;  /* in the picture */
        bool is_log;
};

static struct line lines[MAX_LINES];
static size_t n_lines;

static void die(const char *what) {
        fprintf(stderr, "plot: %s\n", what);
        exit(EXIT_FAILURE);
}

static struct line *line_of(const char *name) {
        for (size_t i = 0; i < n_lines; i++)
                if (strcmp(lines[i].name, name) == 0)
                        return &lines[i];
        if (n_lines == MAX_LINES)
                die("too many lines");
        snprintf(lines[n_lines].name, MAX_TEXT, "%s", name);
        return &lines[n_lines++];
}

static void read_points(const char *file_name, const char *plot) {
        FILE *file = fopen(file_name, "re");
        char text[256], of[MAX_TEXT], name[MAX_TEXT];
        double x, y;

        if (!file)
                die("cannot read the results");
        while (fgets(text, sizeof(text), file)) {
                struct line *line;

                if (sscanf(text, "POINT\t%63[^\t]\t%63[^\t]\t%lf\t%lf", of, name, &x, &y) != 4 ||
                    strcmp(of, plot) != 0 || x <= 0)
                        continue;
                line = line_of(name);
                if (line->n == MAX_POINTS)
                        die("too many points");
                line->x[line->n] = x;
                line->y[line->n++] = y;
        }
        fclose(file);
        if (n_lines == 0)
                die("there are no points of this plot");
}

static double scale(const struct axis *axis, double value) {
        return axis->is_log ? log10(value) : value;
}

static double place(const struct axis *axis, double value) {
        double share = (scale(axis, value) - axis->low) / (axis->high - axis->low);

        return axis->from + share * (axis->to - axis->from);
}

/* A logarithmic axis begins and ends with 1, 2 or 5 times a power of ten, a long one with 1. */
static double round_log(double value, bool up) {
        static const double steps[] = {1, 2, 5, 10};
        double power = pow(10, floor(log10(value) + 1e-9));

        for (size_t i = 0; i < 4; i++) {
                if (up && steps[i] * power >= value * 0.999)
                        return log10(steps[i] * power);
                if (!up && i < 3 && steps[i + 1] * power > value * 1.001)
                        return log10(steps[i] * power);
        }
        return log10(value);
}

static void fit(struct axis *axis, bool is_x) {
        double low = INFINITY, high = -INFINITY;

        for (size_t i = 0; i < n_lines; i++)
                for (size_t k = 0; k < lines[i].n; k++) {
                        double value = is_x ? lines[i].x[k] : lines[i].y[k];

                        low = value < low ? value : low;
                        high = value > high ? value : high;
                }
        axis->low = axis->is_log ? round_log(low, false) : 0;
        axis->high = axis->is_log ? round_log(high, true) : 100;
        if (axis->is_log && axis->high - axis->low > WIDE) {
                axis->low = floor(axis->low + 1e-9);
                axis->high = ceil(axis->high - 1e-9);
        }
        if (axis->high <= axis->low)
                axis->high = axis->low + 1;
}

static void draw_number(double x, double y, const char *anchor, double value) {
        char text[32];
        size_t n;

        snprintf(text, sizeof(text), value < 1 ? "%g" : "%.0f", value);
        /* 1,000,000 */
        n = strlen(text);
        for (size_t i = 3; value >= 1000 && i < n; i += 3) {
                memmove(text + n - i + 1, text + n - i, i + i / 3);
                text[n - i] = ',';
        }
        printf("<text class=\"number\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y,
               anchor, text);
}

static void draw_tick(const struct axis *axis, bool is_x, double value, bool has_number) {
        double at = place(axis, value);

        printf("<path class=\"grid%s\" d=\"M%.1f %.1fH%.1f\"%s/>\n", has_number ? "" : " fine",
               is_x ? (double)TOP : (double)LEFT, is_x ? -at : at,
               is_x ? (double)(HEIGHT - BOTTOM) : (double)(WIDTH - RIGHT),
               is_x ? " transform=\"rotate(90)\"" : "");
        if (!has_number)
                return;
        if (is_x)
                draw_number(at, HEIGHT - BOTTOM + 18, "middle", value);
        else
                draw_number(LEFT - 8, at + 4, "end", value);
}

static void draw_axis(const struct axis *axis, bool is_x) {
        bool is_wide = axis->high - axis->low > WIDE;

        if (!axis->is_log) {
                for (int percent = 0; percent <= 100; percent += 20)
                        draw_tick(axis, is_x, percent, true);
                return;
        }
        for (double e = floor(axis->low); e <= axis->high + 1e-9; e++)
                for (int k = 1; k < 10; k++) {
                        double value = k * pow(10, e);

                        if (log10(value) < axis->low - 1e-9 || log10(value) > axis->high + 1e-9)
                                continue;
                        draw_tick(axis, is_x, value, k == 1 || (!is_wide && (k == 2 || k == 5)));
                }
}

static void draw_line(const struct line *line, size_t i, const struct axis *x,
                      const struct axis *y) {
        printf("<path class=\"line c%zu\" d=\"", i);
        for (size_t k = 0; k < line->n; k++)
                printf("%s%.1f %.1f", k ? "L" : "M", place(x, line->x[k]), place(y, line->y[k]));
        printf("\"/>\n");
        if (line->n > 20)
                return;
        for (size_t k = 0; k < line->n; k++)
                printf("<circle class=\"dot c%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"/>\n", i,
                       place(x, line->x[k]), place(y, line->y[k]));
}

/* Names of lines stand at the right edge, in the order of the lines there, and never upon each
 * other. Distributions all end at the top: theirs are in the order of the medians. */
static double rank_of(const struct line *line, const struct plot *plot) {
        return plot->is_y_log ? -line->y[line->n - 1] : line->x[line->n / 2];
}

static void draw_names(const struct plot *plot, const struct axis *y) {
        size_t order[MAX_LINES];
        double at = TOP + 4;

        for (size_t i = 0; i < n_lines; i++) {
                size_t k = i;

                for (; k > 0 && rank_of(&lines[order[k - 1]], plot) > rank_of(&lines[i], plot); k--)
                        order[k] = order[k - 1];
                order[k] = i;
        }
        for (size_t k = 0; k < n_lines; k++) {
                const struct line *line = &lines[order[k]];

                if (plot->is_y_log && place(y, line->y[line->n - 1]) + 4 > at)
                        at = place(y, line->y[line->n - 1]) + 4;
                printf("<path class=\"line c%zu\" d=\"M%d %.1fh16\"/>\n"
                       "<text class=\"name\" x=\"%d\" y=\"%.1f\">%s</text>\n",
                       order[k], WIDTH - RIGHT + 10, at - 4, WIDTH - RIGHT + 32, at, line->name);
                at += LABEL_HEIGHT + 2;
        }
}

static void draw_style(void) {
        static const char *const light[] = {"#c0392b", "#1f6fb2", "#2e8b57", "#8e44ad", "#b7791f",
                                            "#16808d", "#7f5a3c", "#d6336c", "#5c6773"};
        static const char *const dark[] = {"#ff7b6b", "#6cb6ff", "#5fd39a", "#c79bf2", "#f0b955",
                                           "#4fd0df", "#cfa27f", "#ff8ab5", "#a9b4c0"};
        const size_t n = sizeof(light) / sizeof(*light);

        printf("<style>\n"
               "text { font: 13px system-ui, sans-serif; fill: #24292f }\n"
               ".title { font-size: 16px; font-weight: 600 }\n"
               ".number { font-size: 12px }\n"
               ".grid { stroke: #24292f; stroke-opacity: .22 } .fine { stroke-opacity: .07 }\n"
               ".line { fill: none; stroke-width: 2; stroke-linejoin: round }\n");
        for (size_t i = 0; i < n_lines; i++)
                printf(".line.c%zu { stroke: %s%s%s } .dot.c%zu { fill: %s }\n", i, light[i % n],
                       i >= n ? "; stroke-dasharray: 5 3" : "",
                       strncmp(lines[i].name, "rouse", 5) == 0 ? "; stroke-width: 3.5" : "", i,
                       light[i % n]);
        printf("@media (prefers-color-scheme: dark) {\n"
               "text { fill: #e6edf3 } .grid { stroke: #e6edf3 }\n");
        for (size_t i = 0; i < n_lines; i++)
                printf(".line.c%zu { stroke: %s } .dot.c%zu { fill: %s }\n", i, dark[i % n], i,
                       dark[i % n]);
        printf("}\n</style>\n");
}

static void draw(const struct plot *plot) {
        struct axis x = {.from = LEFT, .to = WIDTH - RIGHT, .is_log = true};
        struct axis y = {.from = HEIGHT - BOTTOM, .to = TOP, .is_log = plot->is_y_log};

        fit(&x, true);
        fit(&y, false);
        printf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
               "height=\"%d\" role=\"img\">\n<title>%s</title>\n",
               WIDTH, HEIGHT, WIDTH, HEIGHT, plot->title);
        draw_style();
        printf("<text class=\"title\" x=\"%d\" y=\"24\">%s</text>\n", LEFT, plot->title);
        draw_axis(&x, true);
        draw_axis(&y, false);
        printf("<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
               (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 16, plot->x_label);
        printf("<text transform=\"translate(20 %.1f) rotate(-90)\" text-anchor=\"middle\">%s"
               "</text>\n",
               (TOP + HEIGHT - BOTTOM) / 2.0, plot->y_label);
        for (size_t i = n_lines; i > 0; i--)
                draw_line(&lines[i - 1], i - 1, &x, &y);
        draw_names(plot, &y);
        printf("</svg>\n");
}

int main(int argc, char **argv) {
        const size_t n = sizeof(plots) / sizeof(*plots);

        if (argc == 2 && strcmp(argv[1], "--list") == 0) {
                for (size_t i = 0; i < n; i++)
                        puts(plots[i].name);
                return EXIT_SUCCESS;
        }
        for (size_t i = 0; argc == 3 && i < n; i++)
                if (strcmp(argv[1], plots[i].name) == 0) {
                        read_points(argv[2], argv[1]);
                        draw(&plots[i]);
                        return EXIT_SUCCESS;
                }
        fprintf(stderr, "usage: plot --list | plot NAME RESULTS\n");
        return 2;
}
