/* Growing buffers, and JSON strings written into them. */

#include "lib/buffer.h"

#include <errno.h>
#include <string.h>

#include "lib/json-value.h"
#include "tests/support.h"

static void bytes_are_kept_while_it_grows(void) {
        struct buffer buffer = BUFFER_NULL;

        for (unsigned int i = 0; i < 10000; i++) {
                unsigned char byte = (unsigned char)i;

                buffer_add(&buffer, &byte, 1);
        }
        ck_assert(!buffer.failed);
        ck_assert_uint_eq(buffer.n, 10000);
        for (unsigned int i = 0; i < 10000; i++)
                ck_assert_uint_eq((unsigned char)buffer.data[i], (unsigned char)i);
        buffer_clear(&buffer);
        rouse__buffer_add_u64(&buffer, 0);
        rouse__buffer_add_u64(&buffer, UINT64_MAX);
        ck_assert_uint_eq(buffer.n, 21);
        ck_assert_int_eq(memcmp(buffer.data, "018446744073709551615", 21), 0);
        rouse__buffer_deinit(&buffer);
        rouse__buffer_deinit(&buffer);
}

static void a_failure_stands_until_it_is_cleared(void) {
        struct buffer buffer = BUFFER_NULL;

        buffer_add_str(&buffer, "abc");
        ck_assert(!buffer_reserve(&buffer, SIZE_MAX - 1));
        buffer_add_str(&buffer, "def");
        ck_assert(buffer.failed);
        buffer_clear(&buffer);
        buffer_add_str(&buffer, "def");
        ck_assert(!buffer.failed);
        ck_assert_uint_eq(buffer.n, 3);
        rouse__buffer_deinit(&buffer);
}

static void any_string_becomes_json(void) {
        static const struct {
                const char *string, *json;
        } rows[] = {
                {"", "\"\""},
                {"plain", "\"plain\""},
                {"\"\\\n\r\t", "\"\\\"\\\\\\n\\r\\t\""},
                {"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\""},
                {"\xc3\xa9\xf0\x9f\x98\x80", "\"\xc3\xa9\xf0\x9f\x98\x80\""},
                {"a\xff\xc3", "\"a\xef\xbf\xbd\xef\xbf\xbd\""},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct buffer buffer = BUFFER_NULL;
                struct json_text value;

                buffer_add_json_string(&buffer, rows[i].string);
                buffer_add(&buffer, "", 1);
                ck_assert(!buffer.failed);
                ck_assert_str_eq(buffer.data, rows[i].json);
                ck_assert_int_eq(rouse__json_parse(buffer.data, buffer.n - 1, &value, NULL), 0);
                rouse__buffer_deinit(&buffer);
        }
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(bytes_are_kept_while_it_grows),
                TEST(a_failure_stands_until_it_is_cleared),
                TEST(any_string_becomes_json),
                {},
        };

        return test_main("buffer", tests, argc, argv);
}
