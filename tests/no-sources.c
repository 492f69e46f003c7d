/* Stands in for the kinds of sources: a configuration without workers needs none of them. */

#include "daemon/source.h"

__attribute__((weak)) const struct source_kind *const source_kinds[] = {NULL};

__attribute__((weak)) struct source_conf *source_conf_free(struct source_conf *conf) {
        (void)conf;
        return NULL;
}

__attribute__((weak)) bool source_conf_equal(const struct source_conf *a,
                                             const struct source_conf *b) {
        return a == b;
}
