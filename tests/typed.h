/* Runs a program as a shell would and keeps what it says. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* The built rouse; valid until the test ends. */
const char *typed_rouse(void);

struct typed {
        int code; /* exit code; 128 + the signal's number if one ended it */
        char *out, *err;
};

/* Lets /bin/sh run the line. In it `rouse` is the built one, $ROUSE its path, $DIR and $ROUSE_DIR
 * the directory. `until_watched` returns when somebody has subscribed, before which a wake would
 * not be told to him, and `until_unwatched` when nobody has. */
struct typed typed(const char *dir, const char *line);
void typed_deinit(struct typed *typed);

/* The same, checked: what differs fails the test. A NULL is not looked at. In the expected texts
 * $DIR stands for the directory. */
void typed_check(const char *dir, const char *line, int code, const char *out, const char *err);

/* A table of that, ended by a row without a line. */
struct typed_row {
        const char *line;
        int code;
        const char *out, *err;
};
void typed_check_rows(const char *dir, const struct typed_row *rows);
