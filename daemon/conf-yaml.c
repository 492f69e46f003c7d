/*
 * The only file that knows libyaml. Its events build the tree from the inside out: finished values
 * wait on one stack, each open collection remembers where its own begin, and when it closes they
 * move into the arena as its items or pairs. Depth is bounded, so the list of open collections is
 * an array.
 *
 * A configuration may have very many handles, and each is read as soon as it is there: the pairs of
 * the mappings below the root are offered to the caller, and those that it takes leave the stack,
 * and their memory is used again. So the tree is never larger than one of them and what is kept.
 *
 * YAML offers more than a configuration needs. Anchors, aliases, merge keys and tags are refused:
 * without them the tree is never larger than the text. So are keys that are no scalars, and a
 * second document. Reading goes on after such an error, with a CONF_INVALID node where the value is
 * unknown; pairs with an invalid key are left out of their mapping.
 *
 * The text was proved to be clean UTF-8 before libyaml sees it: libyaml would also take UTF-16, and
 * tells no line for a bad byte.
 */
#include "daemon/conf-yaml.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "daemon/conf-arena.h"
#include "daemon/conf-node.h"
#include "daemon/conf-utf8.h"
#include "daemon/limits.h"
#include "lib/cleanup.h"

struct open_collection {
        struct conf_node *node;
        size_t start; /* of its values on the stack */
};

struct builder {
        struct conf_errors *errors;
        struct conf_arena *arena;
        const char *file;
        const char *text; /* all of it */
        size_t n_text;
        conf_yaml_pair_cb cb;
        void *arg;

        const struct conf_node **stack;
        size_t n_stack, n_allocated;
        struct open_collection open[LIMIT_CONF_DEPTH];
        size_t n_open;
        size_t n_documents;
        struct conf_arena mark; /* as it was before the pair that may be taken */
};

static void builder_deinit(struct builder *builder) {
        free(builder->stack);
}

static struct conf_node place(const struct builder *builder, const yaml_mark_t *mark) {
        return (struct conf_node){
                .file = builder->file,
                .line = mark->line < UINT32_MAX ? (uint32_t)mark->line + 1 : UINT32_MAX,
                .column = mark->column < UINT16_MAX ? (uint16_t)(mark->column + 1) : UINT16_MAX,
        };
}

static int push(struct builder *builder, const struct conf_node *node) {
        if (builder->n_stack == builder->n_allocated) {
                size_t n = builder->n_allocated ? builder->n_allocated * 2 : 64;
                const struct conf_node **stack;

                stack = reallocarray(builder->stack, n, sizeof(*stack));
                if (!stack)
                        return -ENOMEM;
                builder->stack = stack;
                builder->n_allocated = n;
        }
        builder->stack[builder->n_stack++] = node;
        return 0;
}

/* Whether the next value is a key of the innermost mapping. */
static bool at_key(const struct builder *builder) {
        const struct open_collection *open;

        if (builder->n_open == 0)
                return false;
        open = &builder->open[builder->n_open - 1];
        return open->node->type == CONF_MAPPING && (builder->n_stack - open->start) % 2 == 0;
}

static struct conf_node *new_node(struct builder *builder, const yaml_mark_t *mark, uint8_t type) {
        struct conf_node *node = conf_arena_alloc(builder->arena, sizeof(*node));

        if (!node)
                return NULL;
        *node = place(builder, mark);
        node->type = type;
        if (type == CONF_SCALAR || type == CONF_INVALID)
                node->text = "";
        return node;
}

/* Anchors and tags may stand before any value. The value itself is used. */
static void refuse_properties(const struct builder *builder, const struct conf_node *where,
                              const yaml_char_t *anchor, const yaml_char_t *tag) {
        if (anchor)
                conf_error(builder->errors, where,
                           "anchors (&%s) are not supported: write the value out where it is "
                           "needed",
                           (const char *)anchor);
        if (tag)
                conf_error(builder->errors, where,
                           "tags (%s) are not supported: put quotes around a text that begins "
                           "with '!'",
                           (const char *)tag);
}

/* A node in the place of a value that was just reported. */
static int push_invalid(struct builder *builder, const yaml_mark_t *mark) {
        struct conf_node *node = new_node(builder, mark, CONF_INVALID);

        if (!node)
                return -ENOMEM;
        return push(builder, node);
}

static int on_alias(struct builder *builder, const yaml_event_t *event) {
        struct conf_node where = place(builder, &event->start_mark);

        conf_error(builder->errors, &where,
                   "aliases (*%s) are not supported: write the value out, or put quotes around a "
                   "text that begins with '*'",
                   (const char *)event->data.alias.anchor);
        return push_invalid(builder, &event->start_mark);
}

static int on_scalar(struct builder *builder, const yaml_event_t *event) {
        const char *text = (const char *)event->data.scalar.value;
        size_t n_text = event->data.scalar.length;
        bool quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        struct conf_node where = place(builder, &event->start_mark);
        struct conf_node *node;

        refuse_properties(builder, &where, event->data.scalar.anchor, event->data.scalar.tag);
        if (memchr(text, 0, n_text)) {
                conf_error(builder->errors, &where, "a NUL character is not allowed in a text");
                return push_invalid(builder, &event->start_mark);
        }
        if (!quoted && strcmp(text, "<<") == 0 && at_key(builder)) {
                conf_error(builder->errors, &where,
                           "merge keys (<<) are not supported: write the keys out");
                return push_invalid(builder, &event->start_mark);
        }
        node = new_node(builder, &event->start_mark, CONF_SCALAR);
        if (!node)
                return -ENOMEM;
        node->quoted = quoted;
        node->n = (uint32_t)n_text;
        node->text = conf_arena_strndup(builder->arena, text, n_text);
        if (!node->text)
                return -ENOMEM;
        return push(builder, node);
}

static int on_start(struct builder *builder, const yaml_event_t *event, uint8_t type,
                    const yaml_char_t *anchor, const yaml_char_t *tag) {
        struct conf_node where = place(builder, &event->start_mark);
        struct conf_node *node;

        refuse_properties(builder, &where, anchor, tag);
        if (builder->n_open == LIMIT_CONF_DEPTH)
                return conf_error(builder->errors, &where, "values are nested more than %u deep",
                                  LIMIT_CONF_DEPTH);
        if (at_key(builder))
                conf_error(builder->errors, &where, "a key must be a word, not %s",
                           type == CONF_MAPPING ? "a mapping" : "a list");
        node = new_node(builder, &event->start_mark, type);
        if (!node)
                return -ENOMEM;
        builder->open[builder->n_open++] = (struct open_collection){
                .node = node,
                .start = builder->n_stack,
        };
        return 0;
}

static int close_sequence(struct builder *builder, struct conf_node *node,
                          const struct conf_node *const *values, size_t n_values) {
        const struct conf_node **items;

        items = conf_arena_alloc(builder->arena, n_values * sizeof(*items));
        if (!items)
                return -ENOMEM;
        if (n_values > 0)
                memcpy(items, values, n_values * sizeof(*items));
        node->items = items;
        node->n = (uint32_t)n_values;
        return 0;
}

static int close_mapping(struct builder *builder, struct conf_node *node,
                         const struct conf_node *const *values, size_t n_values) {
        struct conf_pair *pairs;
        uint32_t n = 0;

        pairs = conf_arena_alloc(builder->arena, n_values / 2 * sizeof(*pairs));
        if (!pairs)
                return -ENOMEM;
        for (size_t i = 0; i < n_values; i += 2)
                if (values[i]->type == CONF_SCALAR)
                        pairs[n++] = (struct conf_pair){.key = values[i], .value = values[i + 1]};
        node->pairs = pairs;
        node->n = n;
        return 0;
}

static int on_end(struct builder *builder) {
        struct open_collection *open = &builder->open[--builder->n_open];
        /* There is no stack yet if nothing but empty lists was read. */
        const struct conf_node *const *values =
                builder->stack ? builder->stack + open->start : NULL;
        size_t n_values = builder->n_stack - open->start;
        int r;

        if (open->node->type == CONF_MAPPING)
                r = close_mapping(builder, open->node, values, n_values);
        else
                r = close_sequence(builder, open->node, values, n_values);
        if (r < 0)
                return r;
        builder->n_stack = open->start;
        return push(builder, open->node);
}

static int add_event(struct builder *builder, const yaml_event_t *event) {
        struct conf_node where = place(builder, &event->start_mark);

        switch (event->type) {
        case YAML_DOCUMENT_START_EVENT:
                if (builder->n_documents++ == 0)
                        return 0;
                return conf_error(builder->errors, &where,
                                  "a second document begins here; a file holds one");
        case YAML_ALIAS_EVENT:
                return on_alias(builder, event);
        case YAML_SCALAR_EVENT:
                return on_scalar(builder, event);
        case YAML_SEQUENCE_START_EVENT:
                return on_start(builder, event, CONF_SEQUENCE, event->data.sequence_start.anchor,
                                event->data.sequence_start.tag);
        case YAML_MAPPING_START_EVENT:
                return on_start(builder, event, CONF_MAPPING, event->data.mapping_start.anchor,
                                event->data.mapping_start.tag);
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
                return on_end(builder);
        default:
                return 0;
        }
}

/* Whether the innermost collection is a mapping, and a value (not a key) of the root mapping. */
static bool in_section(const struct builder *builder) {
        const struct open_collection *root = &builder->open[0], *inner = &builder->open[1];

        return builder->n_open == 2 && root->node->type == CONF_MAPPING &&
               inner->node->type == CONF_MAPPING && (inner->start - root->start) % 2 == 1;
}

/* Offers the pair on top of the stack to the caller. */
static int offer_pair(struct builder *builder) {
        size_t start = builder->open[1].start;
        const struct conf_node *section = builder->stack[start - 1];
        struct conf_pair pair = {
                .key = builder->stack[builder->n_stack - 2],
                .value = builder->stack[builder->n_stack - 1],
        };
        int r;

        if (section->type != CONF_SCALAR || pair.key->type != CONF_SCALAR)
                return 0;
        r = builder->cb(builder->arg, section, &pair);
        if (r <= 0)
                return r;
        builder->n_stack -= 2;
        conf_arena_rewind(builder->arena, builder->mark);
        return 0;
}

static int on_event(struct builder *builder, const yaml_event_t *event) {
        int r;

        if (in_section(builder) && at_key(builder))
                builder->mark = *builder->arena;
        r = add_event(builder, event);
        /* Every event in a section adds a key or a value to it, or ends it. */
        if (r == 0 && builder->cb && in_section(builder) && at_key(builder) &&
            builder->n_stack > builder->open[1].start)
                r = offer_pair(builder);
        return r;
}

/* The byte at a line and column as libyaml counts them, or 0 past the end. */
static char byte_at(const struct builder *builder, const yaml_mark_t *mark) {
        const char *p = builder->text, *end = p + builder->n_text;

        for (size_t line = 0; line < mark->line; line++) {
                p = memchr(p, '\n', (size_t)(end - p));
                if (!p)
                        return 0;
                p++;
        }
        for (size_t column = 0; p < end && *p != '\n'; p++) {
                if (((unsigned char)*p & 0xc0) == 0x80)
                        continue;
                if (column++ == mark->column)
                        return *p;
        }
        return 0;
}

/* Says in better words what people stumble over most; NULL for anything else. */
static const char *common_mistake(const struct builder *builder, const yaml_parser_t *parser) {
        if (parser->context && strcmp(parser->context, "while scanning an alias") == 0)
                return "a text that begins with '*' needs quotes";
        if (strcmp(parser->problem, "found character that cannot start any token") != 0)
                return NULL;
        switch (byte_at(builder, &parser->problem_mark)) {
        case '\t':
                return "this is a tab, and YAML is indented with spaces";
        case '@':
                return "a text that begins with '@' needs quotes";
        case '%':
                return "a text that begins with '%' needs quotes";
        case '`':
                return "a text that begins with '`' needs quotes";
        default:
                return NULL;
        }
}

static int syntax_error(const struct builder *builder, const yaml_parser_t *parser) {
        struct conf_node where = place(builder, &parser->problem_mark);
        const char *mistake;

        if (parser->error == YAML_MEMORY_ERROR)
                return -ENOMEM;
        mistake = common_mistake(builder, parser);
        if (mistake)
                return conf_error(builder->errors, &where, "%s", mistake);
        if (!parser->context)
                return conf_error(builder->errors, &where, "YAML: %s", parser->problem);
        if (parser->context_mark.line == parser->problem_mark.line)
                return conf_error(builder->errors, &where, "YAML: %s, %s", parser->context,
                                  parser->problem);
        return conf_error(builder->errors, &where, "YAML: %s that begins in line %zu, %s",
                          parser->context, parser->context_mark.line + 1, parser->problem);
}

static int check_text(const struct builder *builder) {
        struct conf_node where = {.file = builder->file, .line = 1, .column = 1};
        const char *what, *bad, *p;

        bad = conf_utf8_find_bad(builder->text, builder->n_text, &what);
        if (!bad)
                return 0;
        for (p = builder->text; p < bad; p++) {
                if (*p == '\n') {
                        where.line++;
                        where.column = 1;
                } else if (((unsigned char)*p & 0xc0) != 0x80 && where.column < UINT16_MAX) {
                        where.column++;
                }
        }
        return conf_error(builder->errors, &where, "%s", what);
}

static int build(struct builder *builder, yaml_parser_t *parser) {
        bool at_end = false;
        yaml_event_t event;
        int r;

        while (!at_end) {
                if (!yaml_parser_parse(parser, &event))
                        return syntax_error(builder, parser);
                at_end = event.type == YAML_STREAM_END_EVENT;
                r = on_event(builder, &event);
                yaml_event_delete(&event);
                if (r < 0)
                        return r;
        }
        return 0;
}

int conf_yaml_parse(struct conf_errors *errors, struct conf_arena *arena, const char *file,
                    const char *text, size_t n_text, conf_yaml_pair_cb cb, void *arg,
                    const struct conf_node **ret) {
        _cleanup_(builder_deinit) struct builder builder = {
                .errors = errors,
                .arena = arena,
                .file = file,
                .text = text,
                .n_text = n_text,
                .cb = cb,
                .arg = arg,
        };
        struct conf_node whole = {.file = file};
        yaml_parser_t parser;
        int r;

        if (n_text > LIMIT_CONF_FILE_BYTES)
                return conf_error(errors, &whole, "the file is larger than %u MiB",
                                  LIMIT_CONF_FILE_BYTES >> 20);
        r = check_text(&builder);
        if (r < 0)
                return r;
        if (!yaml_parser_initialize(&parser))
                return -ENOMEM;
        yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&parser, (const unsigned char *)text, n_text);
        r = build(&builder, &parser);
        yaml_parser_delete(&parser);
        if (r < 0)
                return r;
        *ret = builder.n_stack > 0 ? builder.stack[0] : NULL;
        return 0;
}
