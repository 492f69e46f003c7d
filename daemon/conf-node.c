/* Nodes are read-only once built; this file only looks at them. */
#include "daemon/conf-node.h"

#include <stdio.h>
#include <string.h>

bool conf_node_is_null(const struct conf_node *node) {
        if (node->type != CONF_SCALAR || node->quoted)
                return false;
        switch (node->n) {
        case 0:
                return true;
        case 1:
                return *node->text == '~';
        case 4:
                return strcmp(node->text, "null") == 0 || strcmp(node->text, "Null") == 0 ||
                       strcmp(node->text, "NULL") == 0;
        default:
                return false;
        }
}

const struct conf_pair *conf_node_find(const struct conf_node *node, const char *key) {
        if (node->type != CONF_MAPPING)
                return NULL;
        for (size_t i = 0; i < node->n; i++)
                if (conf_text_is(node->pairs[i].key->text, key))
                        return &node->pairs[i];
        return NULL;
}

const char *conf_node_describe(const struct conf_node *node, char buffer[CONF_NODE_DESCRIBE_MAX]) {
        size_t n = node->n;
        const char *more = "";

        if (node->type == CONF_SEQUENCE)
                return "a list";
        if (node->type == CONF_MAPPING)
                return "a mapping";
        if (node->type == CONF_INVALID || conf_node_is_null(node))
                return "nothing";
        if (n > CONF_NODE_DESCRIBE_MAX - 8) {
                n = CONF_NODE_DESCRIBE_MAX - 8;
                while (n > 0 && ((unsigned char)node->text[n] & 0xc0) == 0x80)
                        n--;
                more = "…";
        }
        snprintf(buffer, CONF_NODE_DESCRIBE_MAX, "'%.*s%s'", (int)n, node->text, more);
        return buffer;
}
