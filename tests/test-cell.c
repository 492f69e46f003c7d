/* What fits into a number of columns. */

#include "cli/cell.h"

#include <string.h>

#include "lib/buffer.h"
#include "tests/support.h"

static void check_cell(const char *text, size_t most, const char *cell, size_t width) {
        struct buffer out = BUFFER_NULL;

        ck_assert_uint_eq(cell_add(&out, text, most), width);
        buffer_add_byte(&out, '\0');
        ck_assert_str_eq(out.data, cell);
        rouse__buffer_deinit(&out);
}

static void a_text_is_cut_at_a_letter_and_marked(void) {
        check_cell("äbc", 3, "äbc", 3);
        check_cell("aböd", 3, "ab…", 3);
        check_cell("äöüß", 3, "äö…", 3);
        check_cell("abcd", 1, "…", 1);
        check_cell("abcd", 0, "", 0);
}

static void a_letter_may_take_two_columns(void) {
        static const char text[] = "a日😀";

        ck_assert_uint_eq(cell_width(text), 5);
        check_cell(text, 5, text, 5);
        check_cell(text, 4, "a日…", 4);
        check_cell(text, 3, "a…", 2);
}

static void nothing_in_a_text_steers_the_terminal(void) {
        static const char text[] = "a\033[2Jb\x7f\t\xc2\x9b\xff\xe2\x82", cell[] = "a?[2Jb??????";
        struct buffer out = BUFFER_NULL;

        ck_assert_uint_eq(cell_width(text), strlen(cell));
        ck_assert_uint_eq(cell_add(&out, text, 100), strlen(cell));
        ck_assert_mem_eq(out.data, cell, strlen(cell));
        rouse__buffer_deinit(&out);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(a_text_is_cut_at_a_letter_and_marked),
                TEST(a_letter_may_take_two_columns),
                TEST(nothing_in_a_text_steers_the_terminal),
                {},
        };

        return test_main("cell", tests, argc, argv);
}
