/* The order is that of `rouse help`. */

#include "cli/verbs.h"

#include <stddef.h>
#include <string.h>

#include "cli/message.h"
#include "cli/verb.h"
#include "lib/suggest.h"

const struct verb *const verbs[] = {
        &verb_send,      &verb_wait,    &verb_watch, &verb_list,    &verb_status, &verb_runs,
        &verb_stats,     &verb_top,     &verb_start, &verb_stop,    &verb_ref,    &verb_unref,
        &verb_is_active, &verb_has_ref, &verb_pause, &verb_resume,  &verb_create, &verb_close,
        &verb_reload,    &verb_check,   &verb_call,  &verb_version, &verb_help,   NULL,
};

const struct verb *verb_find(const char *name) {
        struct suggest suggest;

        suggest_init(&suggest, name);
        for (size_t i = 0; verbs[i]; i++) {
                if (strcmp(verbs[i]->name, name) == 0)
                        return verbs[i];
                suggest_offer(&suggest, verbs[i]->name);
        }
        if (suggest.best)
                message("no such verb: %s; %s?", name, suggest.best);
        else
                message("no such verb: %s; 'rouse help' shows them all", name);
        return NULL;
}
