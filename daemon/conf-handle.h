/* Reads `handles:`. */
#pragma once

#include "daemon/conf-schema.h"

struct conf_loader;
struct conf_pair;

/* The keys of every handle. */
extern const struct conf_key conf_handle_keys[];

/* Prepares the keys of handles. */
void conf_handle_init(struct conf_loader *loader);
/* Reads one handle, of which nothing points to its nodes afterwards. */
void conf_handle_read(struct conf_loader *loader, const struct conf_pair *pair);
