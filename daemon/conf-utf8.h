/* Whether a text is one: UTF-8 without control characters. Pure. */
#pragma once

#include <stddef.h>

/* The first byte that does not belong into a text, or NULL; *ret_what says what is wrong there. */
const char *conf_utf8_find_bad(const char *text, size_t n_text, const char **ret_what);
