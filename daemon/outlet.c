/*
 * The way out of a source: straight to the handle where there is nothing to tell but "wake", else
 * through the mailbox.
 */

#include "daemon/outlet.h"

#include <errno.h>

#include "daemon/mailbox.h"
#include "lib/names.h"

void outlet_send(struct outlet *outlet) {
        /* A handle that was closed is nobody's any more; its worker goes on with the others. */
        (void)rouse_async_send(outlet->async);
}

int outlet_send_named(struct outlet *outlet, const char *name, const char *key, size_t n_key) {
        if (name && !rouse__name_is_legal(name))
                return -EINVAL;
        return mailbox_post(outlet->mailbox, name ? NULL : outlet->async, name, key, n_key);
}

int outlet_send_overflow(struct outlet *outlet) {
        /* What no key can be is taken for one that could not be kept: see keyset_add(). */
        return mailbox_post(outlet->mailbox, outlet->async, NULL, "\n", 1);
}
