/*
 * The way out of a source: straight to the handle where there is nothing to tell but "wake", else
 * through the mailbox.
 */

#include "config.h"

#include "daemon/outlet.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "daemon/mailbox.h"

static bool name_is_legal(const char *name) {
        size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "._-:@/");

        return n > 0 && n <= 255 && name[n] == '\0' && name[0] != '-';
}

void outlet_send(struct outlet *outlet) {
        /* A handle that was closed is nobody's any more; its worker goes on with the others. */
        (void)rouse_async_send(outlet->async);
}

int outlet_send_named(struct outlet *outlet, const char *name, const char *key, size_t n_key) {
        if (name && !name_is_legal(name))
                return -EINVAL;
        return mailbox_post(outlet->mailbox, name ? NULL : outlet->async, name, key, n_key);
}
