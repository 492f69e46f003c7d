/* Which handles `rouse top` shows first, and how a page of them looks. */

#include "cli/top-table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cell.h"
#include "cli/top-picture.h"
#include "lib/clock.h"
#include "tests/support.h"

#define TOTALS "roused: up 4s, 7 handles, 3 clients, 1 failed run\n"
#define STATS(uptime_ms, sends)                                                         \
        "{\"uptime_ms\":" #uptime_ms ",\"handles\":7,\"sends\":" #sends ",\"wakes\":5," \
        "\"runs\":2,\"runs_failed\":1,\"control\":{\"clients\":3}}"

static const struct top_picture nothing = TOP_PICTURE_NULL;
static const struct top_size unbounded = {SIZE_MAX, SIZE_MAX};

static struct json_text parse(const char *text) {
        struct json_text json = JSON_TEXT_NULL;

        if (text)
                ck_assert_msg(rouse__json_parse(text, strlen(text), &json, NULL) == 0, "%s", text);
        return json;
}

/* What `list` answers, from "NAME STATE SEQ" of each handle; valid until the next call. */
static const char *list_of(const char *handles) {
        static char list[4096];
        char name[64], state[64];
        size_t n = 1;
        int seq, n_read;

        strcpy(list, "[ ");
        for (; sscanf(handles, "%63s %63s %d%n", name, state, &seq, &n_read) == 3;
             handles += n_read + (handles[n_read] == ','))
                n += (size_t)sprintf(list + n,
                                     "{\"name\":\"%s\",\"state\":\"%s\",\"pending\":0,\"seq\":%d},",
                                     name, state, seq);
        strcpy(list + n - (n > 1), "]");
        return list;
}

/* A picture of that many seconds after the first; `stats` may be NULL: refused. */
static struct top_picture take(const char *stats, const char *list, unsigned int at_s,
                               const struct top_picture *before) {
        struct top_picture picture;

        ck_assert_int_eq(top_picture_init(&picture, parse(stats), stats ? "" : "No: \033[m",
                                          parse(list), (1 + at_s) * NS_PER_S, before),
                         0);
        return picture;
}

/* The page, to be freed. */
static char *lay_out(const struct top_picture *picture, struct top_size size) {
        struct buffer out = BUFFER_NULL;

        top_table_add(&out, picture, size);
        buffer_add_byte(&out, '\0');
        ck_assert(!out.failed);
        return out.data;
}

static void check_page(const struct top_picture *picture, struct top_size size,
                       const char *expected) {
        char *page = lay_out(picture, size);

        ck_assert_str_eq(page, expected);
        free(page);
}

/* The names, each with a blank behind it, in the order of the picture. */
static void check_order(const struct top_picture *picture, const char *expected) {
        char names[512] = "";

        for (size_t i = 0; i < picture->n_handles; i++) {
                struct json_text name = picture->order[i]->name;

                strncat(names, name.at + 1, name.n - 2);
                strcat(names, " ");
        }
        ck_assert_str_eq(names, expected);
}

static void who_has_something_to_say_stands_first(void) {
        struct top_picture picture = take(
                NULL,
                list_of("closed closed 9, idle idle 9, new levitating 9, paused paused 9, "
                        "interval interval 9, quiet quiet 9, full group_full 9, pending pending 9, "
                        "behind behind_run 9, running running 9, backing backing_off 9, "
                        "failed failed 9"),
                0, &nothing);

        check_order(&picture, "failed backing running behind pending full quiet interval paused "
                              "new idle closed ");
        top_picture_deinit(&picture);
}

static void the_busiest_come_next_and_then_names(void) {
        struct top_picture before =
                take(NULL, list_of("d idle 0, c idle 100, b idle 7, a idle 7, back idle 50"), 0,
                     &nothing);
        struct top_picture picture = take(
                NULL,
                list_of("b idle 7, a idle 7, d idle 30, c idle 110, made idle 500, back idle 49"),
                10, &before);

        check_order(&before, "a b back c d ");
        /* Of what was not there, or went back, nobody knows how busy it is. */
        check_order(&picture, "d c a b back made ");
        ck_assert(picture.order[0]->wakes_per_s == 3 && picture.order[1]->wakes_per_s == 1 &&
                  picture.order[2]->wakes_per_s == 0 && picture.order[4]->wakes_per_s < 0 &&
                  picture.order[5]->wakes_per_s < 0);
        top_picture_deinit(&before);
        top_picture_deinit(&picture);
}

static void a_page_has_the_totals_and_a_table(void) {
        static const char list[] =
                "[{\"name\":\"slow\",\"state\":\"running\",\"pending\":12,\"seq\":2,"
                "\"description\":\"Takes \\u001btime\"},"
                "{\"name\":\"fast\",\"state\":\"idle\",\"pending\":0,\"seq\":3000}]";
        struct top_picture before =
                take(STATS(4000, 100), list_of("slow idle 1, fast idle 1000"), 0, &nothing);
        struct top_picture picture = take(STATS(4000, 350), list, 4, &before);
        struct top_picture other = take(STATS(1000, 400), list, 8, &picture);

        check_page(&before, unbounded,
                   TOTALS "per second: - sends, - wakes, - runs\n"
                          "2 handles listed: 2 idle\n\n"
                          "NAME  STATE  PENDING  SEQ   WAKES/S  DESCRIPTION\n"
                          "fast  idle   0        1000  -\n"
                          "slow  idle   0        1     -\n");
        check_page(&picture, unbounded,
                   TOTALS "per second: 62.5 sends, 0 wakes, 0 runs\n"
                          "2 handles listed: 1 running, 1 idle\n\n"
                          "NAME  STATE    PENDING  SEQ   WAKES/S  DESCRIPTION\n"
                          "slow  running  12       2     0.2      Takes ?time\n"
                          "fast  idle     0        3000  500\n");
        /* Another daemon has counted on its own. */
        ck_assert(picture.per_s[TOP_SENDS] > 0 && other.per_s[TOP_SENDS] < 0);
        top_picture_deinit(&before);
        top_picture_deinit(&picture);
        top_picture_deinit(&other);
}

static void without_the_right_to_the_totals_there_is_still_the_table(void) {
        struct top_picture picture = take(NULL, "[]", 0, &nothing);

        check_page(&picture, unbounded,
                   "roused: No: ?[m\n0 handles listed\n\n"
                   "NAME  STATE  PENDING  SEQ  WAKES/S  DESCRIPTION\n");
        top_picture_deinit(&picture);
}

static void handles_that_do_not_fit_are_left_out_and_cells_are_cut(void) {
        struct top_picture picture = take(
                STATS(4000, 1),
                "[{\"name\":\"quite.a.long.name\",\"state\":\"behind_run\",\"pending\":1,\"seq\":2,"
                "\"description\":\"Größenänderung\"},{\"name\":\"b\"},{\"name\":\"c\"}]",
                0, &nothing);

        check_page(&picture, (struct top_size){7, 57},
                   TOTALS "per second: - sends, - wakes, - runs\n"
                          "3 handles listed: 1 behind_run, 2 other\n\n"
                          "NAME               STATE       PENDING  SEQ  WAKES/S  DE…\n"
                          "quite.a.long.name  behind_run  1        2    -        Gr…\n"
                          "b                                            -\n");
        check_page(&picture, (struct top_size){6, 22},
                   "roused: up 4s, 7 hand…\nper second: - sends, …\n3 handles listed: 1 b…\n\n"
                   "NAME         STATE\n"
                   "quite.a.lo…  behind_r…\n");
        top_picture_deinit(&picture);
}

static void no_page_is_larger_than_the_terminal(void) {
        struct top_picture picture = take(
                STATS(1000, 1),
                "[{\"name\":\"日本語日本語\",\"seq\":18446744073709551615,\"description\":\"日本語😀\"},"
                "{\"name\":\"a\\u001b[2J\",\"description\":\"\\n\\u0000\"},{\"name\":\"c\"}]",
                0, &nothing);

        for (size_t n_columns = 0; n_columns < 120; n_columns++)
                for (size_t n_rows = 0; n_rows < 12; n_rows++) {
                        char *page = lay_out(&picture, (struct top_size){n_rows, n_columns});
                        char *rest = page, *line;
                        size_t n = 0;

                        for (; (line = strsep(&rest, "\n")) && rest; n++)
                                test_expect(cell_width(line) <= n_columns);
                        test_expect(n <= n_rows && n == (n_rows < 8 ? n_rows : 8));
                        test_expect(!strchr(page, '\033'));
                        free(page);
                }
        top_picture_deinit(&picture);
}

static void json_has_every_handle_as_it_came_with_its_rate(void) {
        static const char list[] = "[{\"name\":\"a\",\"state\":\"idle\",\"seq\":5,\"x\":[1]}, {},"
                                   "{\"state\":\"failed\",\"name\":\"b\"}]";
        struct top_picture before = take(NULL, "[{\"name\":\"a\",\"seq\":4}]", 0, &nothing);
        struct top_picture picture = take("{\"y\":2}", list, 4, &before);
        struct buffer out = BUFFER_NULL;

        top_table_add_json(&out, &before);
        top_table_add_json(&out, &picture);
        buffer_add_byte(&out, '\0');
        ck_assert_str_eq(
                out.data,
                "{\"stats\":null,\"sends_per_s\":null,\"wakes_per_s\":null,\"runs_per_s\":null,"
                "\"handles\":[{\"name\":\"a\",\"seq\":4,\"wakes_per_s\":null}]}\n"
                "{\"stats\":{\"y\":2},\"sends_per_s\":null,\"wakes_per_s\":null,"
                "\"runs_per_s\":null,\"handles\":[{\"state\":\"failed\",\"name\":\"b\","
                "\"wakes_per_s\":null},{\"name\":\"a\",\"state\":\"idle\",\"seq\":5,\"x\":[1],"
                "\"wakes_per_s\":0.250}]}\n");
        rouse__buffer_deinit(&out);
        top_picture_deinit(&before);
        top_picture_deinit(&picture);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(who_has_something_to_say_stands_first),
                TEST(the_busiest_come_next_and_then_names),
                TEST(a_page_has_the_totals_and_a_table),
                TEST(without_the_right_to_the_totals_there_is_still_the_table),
                TEST(handles_that_do_not_fit_are_left_out_and_cells_are_cut),
                TEST(no_page_is_larger_than_the_terminal),
                TEST(json_has_every_handle_as_it_came_with_its_rate),
                {},
        };

        return test_main("top-table", tests, argc, argv);
}
