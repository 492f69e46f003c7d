/* Questions to a control socket over handles of all sorts, in short. */
#pragma once

#include "tests/control-fixture.h"

extern struct daemon d;

/* "plain" has no action, "held" is paused, "runs" and "fails" do, "sleeps" goes on, "open" may be
 * sent to by everybody, "secret" may not be read. */
void begin(void);
void finish(void);

/* Compares a value with what it should be, in short: "'" for quotes. Consumes the value. */
void assert_json(json_t *is, const char *should);
void ask(const char *method, const char *params, const char *result);
/* A run needs more than a few turns: its end comes as a signal. */
json_t *ask_patiently(const char *method, const char *params);
/* Says `wait`, and hears nothing at first. */
void say_wait(int fd, const char *params, int id);
/* The code and the data; the message is for people, and is there. */
void refuse(const char *method, const char *params, int code, const char *data);
