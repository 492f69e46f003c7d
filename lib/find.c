/* See the header; names.c has the reason. */

#include "lib/find.h"

#include "lib/async.h"
#include "lib/hub.h"

void rouse__hub_find_many(rouse_hub_t *hub, const struct rouse__text *names, size_t n,
                          rouse_async_t **ret) {
        struct rouse__name *found[NAMES_AT_ONCE];

        rouse__names_find_many(&hub->names, names, n, found);
        for (size_t i = 0; i < n; i++) {
                ret[i] = found[i] ? rouse__async_from_name(found[i]) : NULL;
                if (ret[i] && !rouse__handle_is_held(&ret[i]->handle))
                        ret[i] = NULL;
        }
}
