/* A daemon that says what it is told to, for what a real one does seldom or never. */
#pragma once

#include <stdbool.h>

/* What is answered to a line that contains `request`. Lines end with newlines; $ID stands for the
 * id of the request, and in the answer to a batch for the next one each time. NULL hangs up, ""
 * says nothing. The first row that fits is taken. */
struct fake_answer {
        const char *request;
        const char *answer;
};

struct fake;

/* Listens on poke.sock and control.sock in `dir`, in a thread of its own. Tables end with a row
 * without a request; either may be NULL. A datagram without an answer in `pokes` gets "ok N" for
 * each line, N counting up from 1. */
struct fake *fake_start(const char *dir, const struct fake_answer *pokes,
                        const struct fake_answer *calls);
/* The same, but it says `notice` to each that connects, reads nothing and hangs up. */
struct fake *fake_start_refusing(const char *dir, const char *notice);
/* Whether any datagram has come; a condition for test_until(). */
bool fake_was_poked(void *fake);
/* Closes everything; the sockets' files stay, as after a crash. Returns all that was received. */
char *fake_stop(struct fake *fake);
