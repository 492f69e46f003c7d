/* What rouse says about itself. */
#pragma once

struct option;
struct verb;

void help_all(void);
void help_verb(const struct verb *verb);
