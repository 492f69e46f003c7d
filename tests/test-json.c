/*
 * The reader is compared with another one: what it lets pass jansson can read, and what it refuses
 * jansson refuses, but for the few texts that are JSON and that jansson cannot hold.
 */

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json-text.h"
#include "daemon/json-write.h"
#include "tests/support.h"

struct text {
        const char *text;
        size_t n; /* 0: up to its NUL */
        int r;
        bool only_ours; /* jansson has another opinion */
};

#define DEPTH 8

static const struct text texts[] = {
        {"null"},
        {" true "},
        {"\t\r\n false\n"},
        {"0"},
        {"-0"},
        {"-12.50e+3"},
        {"1E9"},
        {"1e-9"},
        {"123456789012345678901234567890", .only_ours = true},
        {"1e400", .only_ours = true},
        {"\"\""},
        {"\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\""},
        {"\"\\ud83d\\ude00\""},
        {"\"\\ud83d\"", .only_ours = true},
        {"\"\\ude00 \\ud83d\\ud83d\"", .only_ours = true},
        {"\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf \xee\x80\x80\""},
        {"\"\x7f\""},
        {"[]"},
        {"[ ]"},
        {"{ }"},
        {"[1 , \"a\" ,[ ], {} ]"},
        {"{\"a\" : 1 ,\"b\":{\"c\":[ ]}}"},
        {"{\"a\":\"]}\\\"\",\"b\":[\"{\"]}"},
        {"[[[[[[[[]]]]]]]]"},
        {"[[[[[[[[[]]]]]]]]]", .r = -E2BIG, .only_ours = true},
        {"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1", .r = -E2BIG},
        {"", .r = -EINVAL},
        {" ", .r = -EINVAL},
        {"nul", .r = -EINVAL},
        {"nulll", .r = -EINVAL},
        {"True", .r = -EINVAL},
        {"NaN", .r = -EINVAL},
        {"+1", .r = -EINVAL},
        {"-", .r = -EINVAL},
        {"01", .r = -EINVAL},
        {".5", .r = -EINVAL},
        {"1.", .r = -EINVAL},
        {"1.e3", .r = -EINVAL},
        {"1e", .r = -EINVAL},
        {"1e+", .r = -EINVAL},
        {"0x10", .r = -EINVAL},
        {"1 2", .r = -EINVAL},
        {"[1,]", .r = -EINVAL},
        {"[,1]", .r = -EINVAL},
        {"[1", .r = -EINVAL},
        {"[1}", .r = -EINVAL},
        {"]", .r = -EINVAL},
        {"[1 2]", .r = -EINVAL},
        {"{\"a\"}", .r = -EINVAL},
        {"{\"a\":}", .r = -EINVAL},
        {"{\"a\":1,}", .r = -EINVAL},
        {"{a:1}", .r = -EINVAL},
        {"{1:1}", .r = -EINVAL},
        {"{\"a\":1 \"b\":2}", .r = -EINVAL},
        {"{\"a\" 1}", .r = -EINVAL},
        {"{", .r = -EINVAL},
        {"\"", .r = -EINVAL},
        {"\"a", .r = -EINVAL},
        {"\"\\\"", .r = -EINVAL},
        {"\"\\x41\"", .r = -EINVAL},
        {"\"\\u12\"", .r = -EINVAL},
        {"\"\\u12g4\"", .r = -EINVAL},
        {"\"\\", .r = -EINVAL},
        {"\"\\u123", .r = -EINVAL},
        {"'a'", .r = -EINVAL},
        {"\"a\nb\"", .r = -EINVAL},
        {"\"a\tb\"", .r = -EINVAL},
        {"\"a\0b\"", 5, .r = -EINVAL},
        {"\"\\\0\"", 4, .r = -EINVAL},
        {"1\0", 2, .r = -EINVAL, .only_ours = true},
        {"\"\x80\"", .r = -EINVAL},
        {"\"\xc0\x80\"", .r = -EINVAL},
        {"\"\xc1\xbf\"", .r = -EINVAL},
        {"\"\xc3\"", .r = -EINVAL},
        {"\"\xe0\x80\xaf\"", .r = -EINVAL},
        {"\"\xe2\x82\"", .r = -EINVAL},
        {"\"\xed\xa0\x80\"", .r = -EINVAL},
        {"\"\xf0\x80\x80\x80\"", .r = -EINVAL},
        {"\"\xf4\x90\x80\x80\"", .r = -EINVAL},
        {"\"\xf5\x80\x80\x80\"", .r = -EINVAL},
        {"\"\xff\"", .r = -EINVAL},
        {"\"\xf0\x9f\x98", .r = -EINVAL},
        {"\xef\xbb\xbf{}", .r = -EINVAL},
        {"// no\n1", .r = -EINVAL},
};

static void check_knows_the_grammar(void) {
        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
                const struct text *t = &texts[i];
                size_t n = t->n ?: strlen(t->text);
                struct json_text value = JSON_TEXT_NULL;
                char *copy = malloc(n ?: 1); /* so that reading behind its end is noticed */
                json_t *json;
                int r;

                ck_assert_ptr_nonnull(copy);
                memcpy(copy, t->text, n);
                r = rouse__json_check(copy, n, DEPTH, &value, NULL);
                ck_assert_msg(r == t->r, "text %zu (%s): %d instead of %d", i, t->text, r, t->r);
                if (r == 0)
                        ck_assert_msg(!strchr(" \t\r\n", *value.at) &&
                                              !strchr(" \t\r\n", value.at[value.n - 1]),
                                      "text %zu has space around it", i);
                if (!t->only_ours) {
                        json = json_loadb(copy, n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
                        ck_assert_msg(!json == (r != 0), "text %zu (%s): jansson disagrees", i,
                                      t->text);
                        json_decref(json);
                }
                free(copy);
        }
}

static struct json_text checked(const char *text) {
        struct json_text value;

        ck_assert_int_eq(rouse__json_check(text, strlen(text), 64, &value, NULL), 0);
        return value;
}

static void assert_is(struct json_text value, const char *s) {
        ck_assert_uint_eq(value.n, strlen(s));
        ck_assert_mem_eq(value.at, s, value.n);
}

static void walking_finds_items_and_members(void) {
        const char *at =
                rouse__json_enter(checked(" [ 1,\"a,]\" ,[2, {}] , { \"]\" : [ ] },null ] "));
        static const char *const items[] = {"1", "\"a,]\"", "[2, {}]", "{ \"]\" : [ ] }", "null"};
        struct json_text key, value;

        for (size_t i = 0; i < 5; i++) {
                ck_assert(rouse__json_next_item(&at, &value));
                assert_is(value, items[i]);
        }
        ck_assert(!rouse__json_next_item(&at, &value));
        ck_assert(!rouse__json_next_item(&at, &value));

        at = rouse__json_enter(checked("{\"a\":1 , \"b\\\"\" : \"}\",\"\":{}}"));
        ck_assert(rouse__json_next_member(&at, &key, &value));
        assert_is(key, "\"a\"");
        assert_is(value, "1");
        ck_assert(rouse__json_next_member(&at, &key, &value));
        assert_is(key, "\"b\\\"\"");
        assert_is(value, "\"}\"");
        ck_assert(rouse__json_next_member(&at, &key, &value));
        assert_is(key, "\"\"");
        assert_is(value, "{}");
        ck_assert(!rouse__json_next_member(&at, &key, &value));

        at = rouse__json_enter(checked("{ }"));
        ck_assert(!rouse__json_next_member(&at, &key, &value));
        at = rouse__json_enter(checked("[\n]"));
        ck_assert(!rouse__json_next_item(&at, &value));
}

static void strings_mean_what_jansson_says(void) {
        static const char *const strings[] = {
                "\"\"",
                "\"plain\"",
                "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
                "\"x\\u0041\\u00e4\\u20ac\\ud83d\\ude00y\"",
                "\"nul \\u0000 inside\"",
                "\"\xc3\xa4\\u00FC\"",
        };

        for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++) {
                struct json_text value = checked(strings[i]), string;
                struct buffer arena = BUFFER_NULL;
                json_t *json = json_loads(strings[i], JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

                ck_assert(buffer_reserve(&arena, value.n));
                ck_assert_int_eq(rouse__json_decode(value, &arena, &string), 0);
                ck_assert_uint_eq(string.n, json_string_length(json));
                if (string.n)
                        ck_assert_mem_eq(string.at, json_string_value(json), string.n);
                json_decref(json);
                rouse__buffer_deinit(&arena);
        }
}

static void half_a_surrogate_pair_means_nothing(void) {
        static const char *const strings[] = {
                "\"\\ud83d\"",    "\"\\ude00\"",  "\"\\ud83d\\ud83d\"",
                "\"\\ud83d\\n\"", "\"\\ud83dx\"",
        };

        for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++) {
                struct json_text value = checked(strings[i]), string;
                struct buffer arena = BUFFER_NULL;

                ck_assert(buffer_reserve(&arena, value.n));
                ck_assert_int_eq(rouse__json_decode(value, &arena, &string), -EINVAL);
                ck_assert(!rouse__json_is(value, "xx", 2));
                rouse__buffer_deinit(&arena);
        }
}

static void keys_are_compared_by_meaning(void) {
        ck_assert(rouse__json_is(checked("\"id\""), "id", 2));
        ck_assert(rouse__json_is(checked("\"\\u0069d\""), "id", 2));
        ck_assert(rouse__json_is(checked("\"i\\u0064\""), "id", 2));
        ck_assert(!rouse__json_is(checked("\"i\""), "id", 2));
        ck_assert(!rouse__json_is(checked("\"idx\""), "id", 2));
        ck_assert(!rouse__json_is(checked("\"id\\u0000\""), "id", 2));
        ck_assert(!rouse__json_is(checked("\"i\\n\""), "id", 2));
        ck_assert(!rouse__json_is(checked("\"\""), "id", 2));
        ck_assert(!rouse__json_is(checked("\"i\\u20ac\""), "id", 2));
}

static void integers_are_exact_or_refused(void) {
        static const struct {
                const char *text;
                uint64_t value;
                int r;
        } numbers[] = {
                {"0", 0},
                {"18446744073709551615", UINT64_MAX},
                {"18446744073709551616", 0, -ERANGE},
                {"99999999999999999999", 0, -ERANGE},
                {"-1", 0, -ERANGE},
                {"1.0", 0, -ERANGE},
                {"1e3", 0, -ERANGE},
        };

        for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
                uint64_t value = 0;

                ck_assert_int_eq(rouse__json_u64(checked(numbers[i].text), &value), numbers[i].r);
                ck_assert_uint_eq(value, numbers[i].value);
        }
}

static void what_is_written_can_be_read(void) {
        static const char bytes[] = "\x01\x1f \"\\/\b\f\n\r\t\x7f\0z";
        struct buffer b = BUFFER_NULL;
        json_t *json, *object;

        json_write_open(&b, '[');
        json_write_null(&b);
        json_write_bool(&b, true);
        json_write_bool(&b, false);
        json_write_u64(&b, UINT64_MAX);
        json_write_u64(&b, 0);
        json_write_i64(&b, INT64_MIN);
        json_write_i64(&b, 42);
        json_write_open(&b, '{');
        json_write_key(&b, "a");
        json_write_string(&b, NULL);
        json_write_key(&b, "b");
        json_write_open(&b, '[');
        json_write_close(&b, ']');
        json_write_key(&b, "c");
        json_write_bytes(&b, bytes, sizeof(bytes) - 1);
        json_write_close(&b, '}');
        json_write_string(&b, "ends with [");
        json_write_string(&b, "\xff\xc3 ok \xed\xa0\x80");
        json_write_raw(&b, "{}", 2);
        json_write_close(&b, ']');
        ck_assert(!b.failed);
        buffer_add_byte(&b, 0);
        ck_assert_ptr_nonnull(strstr(b.data,
                                     "[null,true,false,18446744073709551615,0,"
                                     "-9223372036854775808,42,{\"a\":null,\"b\":[],\"c\":"));
        ck_assert_ptr_nonnull(strstr(b.data, "\"ends with [\",\"\xef\xbf\xbd\xef\xbf\xbd ok "
                                             "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\",{}]"));
        object = json_loads(strchr(b.data, '{'),
                            JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK, NULL);
        ck_assert_ptr_nonnull(object);
        json = json_object_get(object, "c");
        ck_assert_uint_eq(json_string_length(json), sizeof(bytes) - 1);
        ck_assert_mem_eq(json_string_value(json), bytes, sizeof(bytes) - 1);
        json_decref(object);
        rouse__buffer_deinit(&b);
}

static void a_text_that_follows_another_has_no_comma(void) {
        struct buffer b = BUFFER_NULL;

        json_write_u64(&b, 1);
        buffer_add_byte(&b, '\n');
        json_write_open(&b, '{');
        json_write_close(&b, '}');
        json_write_open(&b, '[');
        json_write_close(&b, ']');
        buffer_add_byte(&b, 0);
        ck_assert_str_eq(b.data, "1\n{},[]");
        rouse__buffer_deinit(&b);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(check_knows_the_grammar),
                TEST(walking_finds_items_and_members),
                TEST(strings_mean_what_jansson_says),
                TEST(half_a_surrogate_pair_means_nothing),
                TEST(keys_are_compared_by_meaning),
                TEST(integers_are_exact_or_refused),
                TEST(what_is_written_can_be_read),
                TEST(a_text_that_follows_another_has_no_comma),
                {},
        };

        return test_main("json", tests, argc, argv);
}
