/* Members of the daemon's answers, as people read them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/json-value.h"

/* The JSON itself, and a newline. */
void result_print(struct json_text value);
/* A string as it is, cut where it is too long; true as "yes", false as "-", null and nothing as "";
 * anything else as its JSON. */
void result_text(struct json_text value, char *text, size_t n_text);
/* A whole number; 0 if there is no such member or it is no number. */
uint64_t result_u64(struct json_text object, const char *member);
bool result_is_true(struct json_text object, const char *member);
/* The member, JSON_TYPE_NOTHING if it is null or not there. */
struct json_text result_member(struct json_text object, const char *member);
