/* The JSON scanner: what is JSON and what is not, and finding things in it. */

#include "lib/json-value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support.h"

/* The scanner sees the bytes without a NUL after them, so that one read too far is noticed. */
static int parse(const char *text, size_t n, size_t *ret_at) {
        char *copy = malloc(n ?: 1);
        struct json_text value;
        int r;

        memcpy(copy, text, n);
        r = rouse__json_parse(copy, n, &value, ret_at);
        free(copy);
        return r;
}

static void json_text_is_accepted(void) {
        static const char *const texts[] = {
                "0",
                "-0",
                "10.5e+3",
                "1E-2",
                "true",
                " false\t",
                "\r\nnull\n",
                "\"\"",
                "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
                "\"\\ud83d\\ude00\"",
                "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f\"",
                "[]",
                "[ ]",
                "{}",
                "{ }",
                "[1,[2,[3]],{\"a\":{\"b\":[]}}]",
                "{\"a\":1,\"a\":2, \"\" : null}",
        };

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
                ck_assert_msg(parse(texts[i], strlen(texts[i]), NULL) == 0, "refused: %s",
                              texts[i]);
}

static void what_is_not_json_is_refused_where_it_goes_wrong(void) {
        static const struct {
                const char *text;
                size_t at;
        } rows[] = {
                {"", 0},
                {" ", 1},
                {"tru", 3},
                {"True", 0},
                {"nul1", 3},
                {"01", 1},
                {"-", 1},
                {"+1", 0},
                {".5", 0},
                {"1.", 2},
                {"1e", 2},
                {"1 2", 2},
                {"\"", 1},
                {"\"a", 2},
                {"\"\n\"", 1},
                {"\"\\x\"", 3},
                {"\"\\u12g4\"", 6},
                {"\"\xff\"", 1},
                {"\"\xc0\xaf\"", 1},
                {"\"\xe0\x80\x80\"", 1},
                {"\"\xed\xa0\x80\"", 1},
                {"\"\xf4\x90\x80\x80\"", 1},
                {"\"\xe2\x82", 1},
                {"[", 1},
                {"[1", 2},
                {"[1,", 3},
                {"[1,]", 3},
                {"[,1]", 1},
                {"[1 2]", 3},
                {"]", 0},
                {"{", 1},
                {"{\"a\"}", 4},
                {"{\"a\":}", 5},
                {"{\"a\":1,}", 7},
                {"{a:1}", 1},
                {"{1:1}", 1},
                {"{\"a\":1}}", 7},
                {"// x\n1", 0},
                {"'a'", 0},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                size_t at = 999;

                ck_assert_msg(parse(rows[i].text, strlen(rows[i].text), &at) == -EINVAL,
                              "accepted: %s", rows[i].text);
                ck_assert_msg(at == rows[i].at, "%s goes wrong at %zu, not %zu", rows[i].text,
                              rows[i].at, at);
        }
        ck_assert_int_eq(parse("1\0", 2, NULL), -EINVAL);
        ck_assert_int_eq(parse("\"\\\0\"", 4, NULL), -EINVAL);
}

static void nesting_is_bounded(void) {
        char text[2 * JSON_MAX_DEPTH + 2];

        memset(text, '[', JSON_MAX_DEPTH + 1);
        memset(text + JSON_MAX_DEPTH + 1, ']', JSON_MAX_DEPTH + 1);
        ck_assert_int_eq(parse(text, sizeof(text), NULL), -E2BIG);
        ck_assert_int_eq(parse(text + 1, sizeof(text) - 2, NULL), 0);
}

static struct json_text whole(const char *text) {
        struct json_text value;

        ck_assert_int_eq(rouse__json_parse(text, strlen(text), &value, NULL), 0);
        return value;
}

static void members_are_found_by_their_decoded_name(void) {
        struct json_text object = whole(" { \"x\" : [1, {\"id\":0}] ,\"\\u0069d\":  7 , \"id\":8,"
                                        "\"s\":\"}\\\"\",\"n\":null}"),
                         member = JSON_TEXT_NULL;
        uint64_t number;

        ck_assert(rouse__json_find(object, "id", &member));
        ck_assert_int_eq(rouse__json_whole(member, &number), 0);
        ck_assert_uint_eq(number, 7); /* the first of that name, and not the one within x */
        ck_assert(rouse__json_find(object, "n", &member));
        ck_assert_int_eq(rouse__json_kind(member), JSON_TYPE_NULL);
        ck_assert(!rouse__json_find(object, "i", &member));
        ck_assert(!rouse__json_find(object, "idd", &member));
        ck_assert(!rouse__json_find(object, "", &member));
        ck_assert(!rouse__json_find(whole("[1]"), "id", &member));
        ck_assert(!rouse__json_find((struct json_text)JSON_TEXT_NULL, "id", &member));
        ck_assert_int_eq(rouse__json_kind(member), JSON_TYPE_NULL);
}

static void iteration_visits_every_value_once(void) {
        struct json_iterator it = {.whole = whole("[ 1 ,\"a,b\", [2,3],{} ,null]")};
        static const char *const expected[] = {"1", "\"a,b\"", "[2,3]", "{}", "null"};
        size_t n = 0;

        while (rouse__json_next(&it)) {
                ck_assert_uint_lt(n, 5);
                ck_assert_uint_eq(it.value.n, strlen(expected[n]));
                ck_assert_int_eq(memcmp(it.value.at, expected[n], it.value.n), 0);
                n++;
        }
        ck_assert_uint_eq(n, 5);
        ck_assert(!rouse__json_next(&it));

        it = (struct json_iterator){.whole = whole("{\"a\":1,\"b\" : 2}")};
        ck_assert(rouse__json_next(&it) && rouse__json_string_is(it.key, "a"));
        ck_assert(rouse__json_next(&it) && rouse__json_string_is(it.key, "b"));
        ck_assert(!rouse__json_next(&it));

        it = (struct json_iterator){.whole = whole("{}")};
        ck_assert(!rouse__json_next(&it));
        it = (struct json_iterator){.whole = whole("[ ]")};
        ck_assert(!rouse__json_next(&it));
        it = (struct json_iterator){.whole = whole("17")};
        ck_assert(!rouse__json_next(&it));
        it = (struct json_iterator){.whole = JSON_TEXT_NULL};
        ck_assert(!rouse__json_next(&it));
}

static void strings_are_decoded(void) {
        static const struct {
                const char *text;
                int error;
                const char *decoded;
        } rows[] = {
                {"\"\"", 0, ""},
                {"\"abc\"", 0, "abc"},
                {"\"a\\n\\t\\\"\\\\\\/\"", 0, "a\n\t\"\\/"},
                {"\"\\u00e9\\u20AC\\ud83d\\ude00\"", 0, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
                {"\"1234567890abcde\"", 0, "1234567890abcde"},
                {"\"1234567890abcdef\"", -ENOBUFS, NULL},
                {"\"a\\u0000b\"", -EILSEQ, NULL},
                {"7", -EINVAL, NULL},
                {"null", -EINVAL, NULL},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char buffer[16] = "untouched";
                size_t n = 99;
                int r;

                r = rouse__json_string(whole(rows[i].text), buffer, sizeof(buffer), &n);
                ck_assert_msg(r == rows[i].error, "%s: %d", rows[i].text, r);
                ck_assert_str_eq(buffer, r == 0 ? rows[i].decoded : "untouched");
                ck_assert_uint_eq(n, r == 0 ? strlen(buffer) : 99);
                if (r == 0) {
                        ck_assert(rouse__json_string_is(whole(rows[i].text), rows[i].decoded));
                        ck_assert(!rouse__json_string_is(whole(rows[i].text), "other"));
                }
        }
        ck_assert(!rouse__json_string_is(whole("\"abc\""), "ab"));
        ck_assert(!rouse__json_string_is(whole("\"ab\""), "abc"));
        ck_assert(!rouse__json_string_is(whole("\"\\u20ac\""), "\xe2\x82"));
        ck_assert_int_eq(rouse__json_string((struct json_text)JSON_TEXT_NULL, NULL, 0, NULL),
                         -EINVAL);
}

static void numbers_are_exact_or_refused(void) {
        static const struct {
                const char *text;
                int error;
                uint64_t number;
        } rows[] = {
                {"0", 0, 0},
                {"18446744073709551615", 0, UINT64_MAX},
                {"18446744073709551616", -ERANGE, 0},
                {"99999999999999999999999", -ERANGE, 0},
                {"-1", -ERANGE, 0},
                {"1.0", -ERANGE, 0},
                {"1e3", -ERANGE, 0},
                {"true", -EINVAL, 0},
                {"\"1\"", -EINVAL, 0},
        };
        int small;

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                uint64_t number = 42;

                ck_assert_int_eq(rouse__json_whole(whole(rows[i].text), &number), rows[i].error);
                ck_assert_uint_eq(number, rows[i].error ? 42 : rows[i].number);
        }
        ck_assert_int_eq(rouse__json_int(whole("-32001"), &small), 0);
        ck_assert_int_eq(small, -32001);
        ck_assert_int_eq(rouse__json_int(whole("2147483648"), &small), -ERANGE);
        ck_assert_int_eq(rouse__json_int(whole("\"1\""), &small), -EINVAL);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(json_text_is_accepted),
                TEST(what_is_not_json_is_refused_where_it_goes_wrong),
                TEST(nesting_is_bounded),
                TEST(members_are_found_by_their_decoded_name),
                TEST(iteration_visits_every_value_once),
                TEST(strings_are_decoded),
                TEST(numbers_are_exact_or_refused),
                {},
        };

        return test_main("json-value", tests, argc, argv);
}
