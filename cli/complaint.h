/* What a run that failed said of it: the first lines. */
#pragma once

#include "lib/json-value.h"

/* On standard output, indented. Nothing if there is none. */
void complaint_print(struct json_text run);
/* The same on standard error. */
void complaint_tell(struct json_text run);
