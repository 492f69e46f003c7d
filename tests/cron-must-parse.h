/* An expression that is right. */
#pragma once

#include <string.h>

#include "daemon/cron.h"
#include "tests/support.h"

static inline struct cron must_parse(const char *text) {
        struct cron cron;
        char *reason = NULL;
        int r = cron_parse(text, &cron, &reason);

        ck_assert_msg(r == 0, "\"%s\" is refused: %s", text, reason ?: strerror(-r));
        ck_assert_ptr_null(reason);
        return cron;
}
