/* YAML to nodes: the tree, the places, and what is refused. */
#include "daemon/conf-yaml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf-node.h"
#include "daemon/conf-utf8.h"
#include "daemon/limits.h"
#include "tests/conf-support.h"
#include "tests/support.h"

/* Expects a text to give this tree (NULL: none, -EINVAL) and these errors. */
static void expect(const char *text, size_t n_text, const char *tree, const char *lines) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct conf_arena arena = CONF_ARENA_NULL;
        const struct conf_node *root = NULL;
        char *dumped, *found;
        int r;

        r = conf_yaml_parse(&errors, &arena, "t", text, n_text, NULL, NULL, &root);
        found = conf_test_errors(&errors);
        ck_assert_str_eq(found, lines);
        ck_assert_int_eq(r, tree ? 0 : -EINVAL);
        dumped = r == 0 ? conf_test_dump(root) : NULL;
        if (tree)
                ck_assert_str_eq(dumped, tree);
        free(dumped);
        free(found);
        conf_errors_deinit(&errors);
        conf_arena_deinit(&arena);
}

static void values_become_a_tree(void) {
        static const struct {
                const char *text, *tree;
        } rows[] = {
                {"", "(nothing)"},
                {"# nothing but a comment\n", "(nothing)"},
                {"---\n", ""},
                {"--- a\n...\n", "a"},
                {"\xef\xbb\xbf"
                 "a: b\n",
                 "{a: b}"},
                {"a: b\r\nc: d\r\n", "{a: b, c: d}"},
                {"a:\nb: ~\nc: ''\nd: \"x\\ty\"\n", "{a: , b: ~, c: \"\", d: \"x\ty\"}"},
                {"a: {b: [c, 'd', {e: f}], g: {}}\n", "{a: {b: [c, \"d\", {e: f}], g: {}}}"},
                {"- a\n- - b\n  - []\n", "[a, [b, []]]"},
                {"a: |\n  one\n  two\nb: >-\n  one\n  two\n",
                 "{a: \"one\ntwo\n\", b: \"one two\"}"},
                {"a:\tb\n", "{a: b}"},
                {"\"a b\": c\n? d\n: e\n", "{\"a b\": c, d: e}"},
                {"a: b\na: c\n", "{a: b, a: c}"}, /* the schema's to report */
                {"'<<': b\n", "{\"<<\": b}"},
                {"a: <<\n", "{a: <<}"},
                {"ä: ö\n", "{ä: ö}"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                expect(rows[i].text, strlen(rows[i].text), rows[i].tree, "");
}

static void what_a_configuration_does_not_need_is_refused(void) {
        static const struct {
                const char *text, *tree, *errors;
        } rows[] = {
                {"a: &x b\nc: *x\n", "{a: b, c: (invalid)}",
                 "t:1:4: anchors (&x) are not supported: write the value out where it is needed\n"
                 "t:2:4: aliases (*x) are not supported: write the value out, or put quotes around "
                 "a text that begins with '*'\n"},
                {"a: &x [b]\nc: &y {d: e}\n", "{a: [b], c: {d: e}}",
                 "t:1:4: anchors (&x) are not supported: write the value out where it is needed\n"
                 "t:2:4: anchors (&y) are not supported: write the value out where it is "
                 "needed\n"},
                {"*x : a\nb: c\n", "{b: c}",
                 "t:1:1: aliases (*x) are not supported: write the value out, or put quotes around "
                 "a text that begins with '*'\n"},
                {"a: !x b\nc: !!str d\ne: !y [f]\n", "{a: b, c: d, e: [f]}",
                 "t:1:4: tags (!x) are not supported: put quotes around a text that begins with "
                 "'!'\n"
                 "t:2:4: tags (tag:yaml.org,2002:str) are not supported: put quotes around a text "
                 "that begins with '!'\n"
                 "t:3:4: tags (!y) are not supported: put quotes around a text that begins with "
                 "'!'\n"},
                {"a: !x &y b\n", "{a: b}",
                 "t:1:4: anchors (&y) are not supported: write the value out where it is needed\n"
                 "t:1:4: tags (!x) are not supported: put quotes around a text that begins with "
                 "'!'\n"},
                {"<<: {a: b}\nc: d\n", "{c: d}",
                 "t:1:1: merge keys (<<) are not supported: write the keys out\n"},
                {"? [a]\n: b\n? {c: d}\n: e\nf: g\n", "{f: g}",
                 "t:1:3: a key must be a word, not a list\n"
                 "t:3:3: a key must be a word, not a mapping\n"},
                {"a: \"x\\0y\"\n\"\\0\": b\n", "{a: (invalid)}",
                 "t:1:4: a NUL character is not allowed in a text\n"
                 "t:2:1: a NUL character is not allowed in a text\n"},
                {"a: b\n---\nc: d\n", NULL,
                 "t:2:1: a second document begins here; a file holds "
                 "one\n"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                expect(rows[i].text, strlen(rows[i].text), rows[i].tree, rows[i].errors);
}

static void syntax_errors_say_what_and_where(void) {
        static const struct {
                const char *text, *errors;
        } rows[] = {
                {"a:\n\tb: c\n", "t:2:1: this is a tab, and YAML is indented with spaces\n"},
                {"a: [@b]\n", "t:1:5: a text that begins with '@' needs quotes\n"},
                {"a: `b\n", "t:1:4: a text that begins with '`' needs quotes\n"},
                {"ä: %b\n", "t:1:4: a text that begins with '%' needs quotes\n"},
                {"a: [*]\n", "t:1:6: a text that begins with '*' needs quotes\n"},
                {"a: [b\nc: d\n",
                 "t:2:2: YAML: while parsing a flow sequence that begins in line 1, did not find "
                 "expected ',' or ']'\n"},
                {"a: b: c\n", "t:1:5: YAML: mapping values are not allowed in this context\n"},
                {"a: 'b\n",
                 "t:2:1: YAML: while scanning a quoted scalar that begins in line 1, found "
                 "unexpected end of stream\n"},
                {"a: \"\\q\"\n", "t:1:5: YAML: while parsing a quoted scalar, found unknown escape "
                                 "character\n"},
                {"  a: b\n c: d\n", "t:2:2: YAML: did not find expected <document start>\n"},
                {"%YAML 3.0\n---\na: b\n", "t:1:1: YAML: found incompatible YAML document\n"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                expect(rows[i].text, strlen(rows[i].text), NULL, rows[i].errors);
}

static void a_text_is_clean_utf8(void) {
#define NOT_UTF8 "this is not UTF-8"
#define CONTROL  "a control character is not allowed here"
        static const struct {
                const char *text;
                size_t n_text;
                int bad; /* the offset of the first bad byte, or -1 */
                const char *what;
        } rows[] = {
                {"", 0, -1, NULL},
                {"a\tb\r\n~", 6, -1, NULL},
                {"\xc2\xa0\xdf\xbf", 4, -1, NULL},
                {"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbd", 12, -1, NULL},
                {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8, -1, NULL},
                {"\xef\xbb\xbf", 3, -1, NULL},
                {"\xc2\x85", 2, -1, NULL},
                {"a\0b", 3, 1, "a NUL byte is not allowed here"},
                {"ab\x1b", 3, 2, CONTROL},
                {"\x7f", 1, 0, CONTROL},
                {"\xc2\x9b", 2, 0, CONTROL},
                {"a\xef\xbb\xbf", 4, 1, CONTROL},
                {"\xef\xbf\xbe", 3, 0, CONTROL},
                {"a\x80", 2, 1, NOT_UTF8},
                {"\xc1\xbf", 2, 0, NOT_UTF8},         /* overlong */
                {"\xe0\x9f\xbf", 3, 0, NOT_UTF8},     /* overlong */
                {"\xf0\x8f\xbf\xbf", 4, 0, NOT_UTF8}, /* overlong */
                {"\xed\xa0\x80", 3, 0, NOT_UTF8},     /* a surrogate */
                {"\xf4\x90\x80\x80", 4, 0, NOT_UTF8}, /* beyond U+10FFFF */
                {"\xf5\x80\x80\x80", 4, 0, NOT_UTF8},
                {"\xff", 1, 0, NOT_UTF8},
                {"aa\xc3", 3, 2, NOT_UTF8}, /* cut off */
                {"\xe2\x82", 2, 0, NOT_UTF8},
                {"\xe2(\xac", 3, 0, NOT_UTF8},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                const char *what = NULL, *bad;

                bad = conf_utf8_find_bad(rows[i].text, rows[i].n_text, &what);
                ck_assert_msg(rows[i].bad < 0 ? !bad : bad == rows[i].text + rows[i].bad, "row %zu",
                              i);
                if (bad)
                        ck_assert_str_eq(what, rows[i].what);
        }
        expect("a: b\nä\xff", 8, NULL, "t:2:2: this is not UTF-8\n");
        expect("\xff\xfe"
               "a\0",
               4, NULL, "t:1:1: this is not UTF-8\n");
        expect("a: b\n\0", 6, NULL, "t:2:1: a NUL byte is not allowed here\n");
}

static void nodes_know_their_places(void) {
        static const char text[] = "a:\n  ä: [b, 'c']\n";
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct conf_arena arena = CONF_ARENA_NULL;
        const struct conf_node *root, *inner, *list;

        ck_assert_int_eq(
                conf_yaml_parse(&errors, &arena, "t", text, strlen(text), NULL, NULL, &root), 0);
        ck_assert_uint_eq(root->line, 1);
        ck_assert_uint_eq(root->column, 1);
        ck_assert_ptr_eq(conf_node_find(root, "b"), NULL);
        inner = conf_node_find(root, "a")->value;
        ck_assert_uint_eq(inner->line, 2);
        ck_assert_uint_eq(inner->column, 3);
        list = conf_node_find(inner, "ä")->value;
        ck_assert_uint_eq(list->column, 6); /* in characters */
        ck_assert_uint_eq(list->items[1]->line, 2);
        ck_assert_uint_eq(list->items[1]->column, 10);
        ck_assert_str_eq(list->items[1]->file, "t");
        ck_assert_ptr_eq(conf_node_find(list, "b"), NULL);
        conf_errors_deinit(&errors);
        conf_arena_deinit(&arena);
}

/* A text of n times `piece`, after `before`; free() it. */
static char *repeat(const char *before, const char *piece, size_t n) {
        size_t n_before = strlen(before), n_piece = strlen(piece);
        char *text = malloc(n_before + n * n_piece + 1);

        ck_assert_ptr_nonnull(text);
        memcpy(text, before, n_before + 1);
        for (size_t i = 0; i < n; i++)
                memcpy(text + n_before + i * n_piece, piece, n_piece + 1);
        return text;
}

/* Takes the pairs whose keys begin with "t", and notes them. */
static int take_pair(void *arg, const struct conf_node *section, const struct conf_pair *pair) {
        char *value = conf_test_dump(pair->value);

        fprintf(arg, "%s.%s=%s\n", section->text, pair->key->text, value);
        free(value);
        return pair->key->text[0] == 't';
}

static void pairs_are_offered_and_forgotten(void) {
        static const char text[] = "a: {t1: {x: {y: z}}, k1: [b], t2: , [no]: 1, t3: c}\n"
                                   "b: [{t4: d}]\n"
                                   "c:\n"
                                   "  t5: {}\n"
                                   "  k2: e\n"
                                   "t6: f\n"
                                   "[no]: {t7: g}\n"
                                   "d: {t8: h}\n";
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct conf_arena arena = CONF_ARENA_NULL;
        const struct conf_node *root;
        char *offered = NULL, *tree;
        size_t n_offered;
        FILE *stream = open_memstream(&offered, &n_offered);

        ck_assert_int_eq(
                conf_yaml_parse(&errors, &arena, "t", text, strlen(text), take_pair, stream, &root),
                0);
        fclose(stream);
        ck_assert_str_eq(offered, "a.t1={x: {y: z}}\na.k1=[b]\na.t2=\na.t3=c\nc.t5={}\nc.k2=e\n"
                                  "d.t8=h\n");
        tree = conf_test_dump(root);
        ck_assert_str_eq(tree, "{a: {k1: [b]}, b: [{t4: d}], c: {k2: e}, t6: f, d: {}}");
        free(tree);
        free(offered);
        conf_errors_deinit(&errors);
        conf_arena_deinit(&arena);
}

static void nesting_is_bounded(void) {
        char *text, *end, *all;

        text = repeat("", "[", LIMIT_CONF_DEPTH);
        end = repeat("", "]", LIMIT_CONF_DEPTH);
        ck_assert_int_gt(asprintf(&all, "%s%s", text, end), 0);
        expect(all, strlen(all), all, "");
        free(all);
        free(end);
        free(text);

        text = repeat("", "[", LIMIT_CONF_DEPTH + 1);
        expect(text, strlen(text), NULL, "t:1:33: values are nested more than 32 deep\n");
        free(text);
        text = repeat("a: ", "{a: ", 100000);
        expect(text, strlen(text), NULL, "t:1:128: values are nested more than 32 deep\n");
        free(text);
}

static void errors_are_bounded_and_counted(void) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct conf_arena arena = CONF_ARENA_NULL;
        char *text = repeat("", "- *a\n", LIMIT_CONF_ERRORS + 7);
        const struct conf_node *root;

        ck_assert_int_eq(
                conf_yaml_parse(&errors, &arena, "t", text, strlen(text), NULL, NULL, &root), 0);
        ck_assert_uint_eq(errors.n_items, LIMIT_CONF_ERRORS);
        ck_assert_uint_eq(errors.n_left_out, 7);
        ck_assert_uint_eq(root->n, LIMIT_CONF_ERRORS + 7);
        conf_errors_deinit(&errors);
        conf_arena_deinit(&arena);
        free(text);
}

static void far_places_do_not_wrap(void) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct conf_arena arena = CONF_ARENA_NULL;
        char *text = repeat("[", "a,", 100000);
        const struct conf_node *root;

        text = realloc(text, strlen(text) + 2);
        strcat(text, "]");
        ck_assert_int_eq(
                conf_yaml_parse(&errors, &arena, "t", text, strlen(text), NULL, NULL, &root), 0);
        ck_assert_uint_eq(root->items[1]->column, 4);
        ck_assert_uint_eq(root->items[99999]->column, UINT16_MAX);
        conf_errors_deinit(&errors);
        conf_arena_deinit(&arena);
        free(text);
}

static void messages_are_harmless(void) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct conf_node where = {.file = "t", .line = 1, .column = 2};
        char *text = repeat("", "ä", 2000), *found;

        ck_assert_int_eq(conf_error(&errors, &where, "a\x1b[1m\x7f\n\xc2\x9b b"), -EINVAL);
        ck_assert_int_eq(conf_error(&errors, &where, "x%s", text), -EINVAL);
        where.type = CONF_INVALID;
        ck_assert_int_eq(conf_error(&errors, &where, "not again"), -EINVAL);
        ck_assert_uint_eq(errors.n_items, 2);
        ck_assert_str_eq(errors.items[0].message, "a?[1m????"
                                                  " b");
        found = errors.items[1].message;
        ck_assert_uint_lt(strlen(found), 1024);
        ck_assert_str_eq(found + strlen(found) - 5, "ä…");
        ck_assert_ptr_null(conf_utf8_find_bad(found, strlen(found), &(const char *){NULL}));
        conf_errors_deinit(&errors);
        free(text);
}

static void errors_are_sorted_by_place(void) {
        static const struct conf_node places[] = {
                {.file = "b", .line = 1, .column = 1},
                {.file = "a", .line = 2, .column = 9},
                {.file = "main", .line = 7, .column = 1},
                {.file = "a", .line = 2, .column = 3},
                {.file = "a"},
                {.file = "a", .line = 2, .column = 3},
                {.file = "main", .line = 1, .column = 1},
        };
        struct conf_errors errors = CONF_ERRORS_NULL;
        char *found;

        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
                conf_error(&errors, &places[i], "%zu", i);
        conf_error(&errors, NULL, "nowhere");
        conf_errors_sort(&errors, "main");
        found = conf_test_errors(&errors);
        ck_assert_str_eq(found, "main:1:1: 6\nmain:7:1: 2\nnowhere\na: 4\na:2:3: 3\na:2:3: 5\n"
                                "a:2:9: 1\nb:1:1: 0\n");
        conf_errors_deinit(&errors);
        conf_errors_deinit(&errors);
        free(found);
}

static const struct test tests[] = {
        TEST(values_become_a_tree),
        TEST(what_a_configuration_does_not_need_is_refused),
        TEST(syntax_errors_say_what_and_where),
        TEST(a_text_is_clean_utf8),
        TEST(nodes_know_their_places),
        TEST(pairs_are_offered_and_forgotten),
        TEST(nesting_is_bounded),
        TEST(errors_are_bounded_and_counted),
        TEST(far_places_do_not_wrap),
        TEST(messages_are_harmless),
        TEST(errors_are_sorted_by_place),
        {0},
};

int main(int argc, char **argv) {
        return test_main("conf-yaml", tests, argc, argv);
}
