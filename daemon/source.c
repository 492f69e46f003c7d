/* The table of kinds, and what they have in common. */

#include "daemon/source.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/source-kinds.h"

const struct source_kind *const source_kinds[] = {
        &source_every, &source_cron, &source_watch, &source_signal, &source_fifo, NULL,
};

struct source_conf *source_conf_ref(struct source_conf *conf) {
        conf->n_refs++;
        return conf;
}

struct source_conf *source_conf_unref(struct source_conf *conf) {
        if (!conf || --conf->n_refs > 0)
                return NULL;
        if (conf->kind && conf->kind->deinit)
                conf->kind->deinit(conf);
        free(conf->target);
        free(conf->place);
        free(conf);
        return NULL;
}

bool source_conf_equal(const struct source_conf *a, const struct source_conf *b) {
        if (a->kind != b->kind || !a->target != !b->target)
                return false;
        return (!a->target || strcmp(a->target, b->target) == 0) && a->kind->equal(a, b);
}

int source_open(uv_loop_t *loop, const struct source_conf *conf, struct outlet *outlet,
                struct source **ret) {
        struct source *source;
        int r;

        r = conf->kind->open(loop, conf, outlet, &source);
        if (r < 0)
                return r;
        source->kind = conf->kind;
        *ret = source;
        return 0;
}

void source_close(struct source *source) {
        source->kind->close(source);
}
