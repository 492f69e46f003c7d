/* See the header. */
#include "daemon/conf-loader.h"

#include <stdarg.h>
#include <stdlib.h>

#include "daemon/conf-error.h"
#include "daemon/conf-node.h"
#include "daemon/configuration.h"

void conf_loader_init(struct conf_loader *loader, struct configuration *configuration,
                      struct conf_errors *errors) {
        *loader = (struct conf_loader){
                .errors = errors,
                .configuration = configuration,
                .nodes = CONF_ARENA_NULL,
        };
        conf_pool_init(&loader->pool, &configuration->strings);
}

void conf_loader_deinit(struct conf_loader *loader) {
        conf_arena_deinit(&loader->nodes);
        conf_pool_deinit(&loader->pool);
        free(loader->handles);
        free(loader->workers);
        free(loader->groups);
        free(loader->of_handles.items);
        free(loader->of_sources.items);
        free(loader->of_groups.items);
}

struct conf_place conf_place_of(const struct conf_node *node) {
        return (struct conf_place){.file = node->file, .line = node->line, .column = node->column};
}

int conf_error_at(struct conf_errors *errors, const struct conf_place *place, const char *format,
                  ...) {
        struct conf_node node = {
                .file = place->file,
                .line = place->line,
                .column = place->column,
        };
        va_list args;
        int r;

        va_start(args, format);
        r = conf_error_v(errors, &node, format, args);
        va_end(args);
        return r;
}
