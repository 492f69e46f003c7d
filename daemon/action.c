#include "daemon/action.h"

#include <stddef.h>

#include "daemon/action-run.h"
#include "daemon/action-send.h"
#include "daemon/action-signal.h"

const struct action_kind *const action_kinds[] = {
        &action_kind_run,
        &action_kind_signal,
        &action_kind_send,
        NULL,
};

struct action_conf *action_conf_free(struct action_conf *conf) {
        if (conf)
                conf->kind->free(conf);
        return NULL;
}

bool action_conf_equal(const struct action_conf *a, const struct action_conf *b) {
        if (!a || !b)
                return a == b;
        return a->kind == b->kind && a->kind->equal(a, b);
}
